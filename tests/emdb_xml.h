/* emdb_xml: headers written for the tests, after the schemas of EMDB. */
#ifndef CRYOLEX_TESTS_EMDB_XML_H
#define CRYOLEX_TESTS_EMDB_XML_H

#define EMDB_V3                                                                                                             \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                                                                          \
    "<!-- made for a test -->\n"                                                                                            \
    "<emd emdb_id=\"EMD-90001\" version=\"3.0.11.3\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n"            \
    " <admin><title> A small &amp; round  particle\n</title><keywords>round</keywords></admin>\n"                         \
    " <crossreferences>\n"                                                                                                  \
    "  <citation_list><primary_citation><journal_citation published=\"true\">"                                              \
    "<title>Not this</title><external_references type=\"GO\">GO:0000001</external_references>"                            \
    "</journal_citation></primary_citation></citation_list>\n"                                                              \
    "  <pdb_list>\n"                                                                                                        \
    "   <pdb_reference><pdb_id>9XYZ</pdb_id><relationship><in_frame>PARTIALOVERLAP</in_frame></relationship></pdb_reference>\n" \
    "   <pdb_reference><pdb_id>pdb_00009abc</pdb_id><relationship><in_frame>FULLOVERLAP</in_frame></relationship></pdb_reference>\n" \
    "   <pdb_reference><pdb_id>9def</pdb_id><relationship><other>kin</other></relationship></pdb_reference>\n"             \
    "   <pdb_reference><pdb_id>9ghi</pdb_id><relationship><in_frame>NOOVERLAP</in_frame></relationship></pdb_reference>\n"  \
    "   <pdb_reference><pdb_id>none</pdb_id><relationship><in_frame>FULLOVERLAP</in_frame></relationship></pdb_reference>\n" \
    "  </pdb_list>\n"                                                                                                       \
    " </crossreferences>\n"                                                                                                 \
    " <sample>\n"                                                                                                           \
    "  <name>the sample</name>\n"                                                                                           \
    "  <supramolecule_list>\n"                                                                                              \
    "   <complex_supramolecule supramolecule_id=\"1\"><name synonym=\"ball\">round complex</name>"                          \
    "<category type=\"GO\">GO:0000002</category><external_references type=\"INTERPRO\">IPR000001</external_references>"    \
    "<natural_source database=\"NCBI\"><organism ncbi=\"562\">Escherichia coli</organism></natural_source>"                 \
    "<recombinant_expression><recombinant_organism>not this one</recombinant_organism></recombinant_expression>"            \
    "</complex_supramolecule>\n"                                                                                            \
    "   <virus_supramolecule supramolecule_id=\"2\"><name>virus</name><category type=\"arbitrary definition\">big</category>" \
    "<sci_species_name ncbi=\"1\">Virus novus</sci_species_name>"                                                           \
    "<natural_host><organism>Homo sapiens</organism></natural_host></virus_supramolecule>\n"                                \
    "  </supramolecule_list>\n"                                                                                             \
    "  <macromolecule_list>\n"                                                                                              \
    "   <protein_or_peptide macromolecule_id=\"1\"><name>Protein \xce\xb1</name>"                                           \
    "<natural_source><organism>Escherichia coli</organism></natural_source>"                                                \
    "<sequence><string>MKV\nLLA</string><external_references type=\"UNIPROTKB\">P00001</external_references>"              \
    "<external_references type=\"GO\">GO:0000003</external_references><external_references type=\"GO\">GO:0000002"         \
    "</external_references></sequence><ec_number>1.2.3.4</ec_number></protein_or_peptide>\n"                                \
    "   <ligand macromolecule_id=\"2\"><name>LIGAND</name><external_references type=\"CHEBI\">1</external_references></ligand>\n" \
    "  </macromolecule_list>\n"                                                                                             \
    " </sample>\n"                                                                                                          \
    " <structure_determination_list><structure_determination structure_determination_id=\"1\">\n"                           \
    "  <method>singleParticle</method><aggregation_state>particle</aggregation_state>\n"                                    \
    "  <singleparticle_processing image_processing_id=\"1\"><startup_model><pdb_model><pdb_id>9NOT</pdb_id></pdb_model>"    \
    "</startup_model><final_reconstruction><resolution units=\"&#8491;\" res_type=\"BY AUTHOR\">3.25</resolution>"         \
    "<resolution_method>FSC 0.143 CUT-OFF</resolution_method></final_reconstruction></singleparticle_processing>\n"         \
    "  <singleparticle_processing image_processing_id=\"2\"><final_reconstruction><resolution>9</resolution>"               \
    "</final_reconstruction></singleparticle_processing>\n"                                                                 \
    " </structure_determination></structure_determination_list>\n"                                                          \
    " <map format=\"CCP4\" size_kbytes=\"1\"><file>emd_90001.map.gz</file>\n"                                               \
    "  <dimensions><col>2</col><row>3</row><sec>4</sec></dimensions>\n"                                                     \
    "  <statistics><minimum>-1.5</minimum><maximum>7e0</maximum></statistics>\n"                                            \
    "  <pixel_spacing><x units=\"&#8491;\">1.5</x><y>1.25</y><z>1</z></pixel_spacing>\n"                                    \
    "  <contour_list><contour primary=\"false\"><level>9</level><source>SOFTWARE</source></contour>\n"                      \
    "   <contour primary=\"true\"><level> 2.5 </level><source>AUTHOR</source></contour></contour_list>\n"                   \
    " </map>\n"                                                                                                             \
    " <interpretation><modelling_list><modelling><initial_model><access_code>9INI</access_code></initial_model>"            \
    "<initial_model><access_code>9xyz</access_code></initial_model></modelling></modelling_list>"                           \
    "<half_map_list><half_map><contour_list><contour primary=\"true\"><level>77</level></contour></contour_list>"           \
    "</half_map></half_map_list></interpretation>\n"                                                                        \
    "</emd>\n"

#define EMDB_V1                                                                                                             \
    "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>\n"                                                                     \
    "<emdEntry accessCode=\"9001\" version=\"1.9.6\">\n"                                                                    \
    " <deposition><title>Old \xe4hnlich</title><keywords/>"                                                                \
    "<fittedPDBEntryIdList><fittedPDBEntryId>9xyz</fittedPDBEntryId></fittedPDBEntryIdList>"                                \
    "<primaryReference><journalArticle><externalReference type=\"GO\">GO:0000001</externalReference></journalArticle>"      \
    "</primaryReference></deposition>\n"                                                                                    \
    " <map><file format=\"CCP4\" type=\"map\">emd_9001.map.gz</file>"                                                      \
    "<dimensions><numRows>3</numRows><numColumns>2</numColumns><numSections>4</numSections></dimensions>"                   \
    "<statistics><minimum>-1</minimum><maximum>7</maximum></statistics>"                                                    \
    "<pixelSpacing><pixelX units=\"A\">2</pixelX><pixelY>2</pixelY><pixelZ>2</pixelZ></pixelSpacing>"                       \
    "<contourLevel source=\"author\">9.07</contourLevel></map>\n"                                                           \
    " <sample><name>old sample</name><sampleComponentList><sampleComponent componentID=\"1\"><entry>protein</entry>"        \
    "<sciName>hsp</sciName><synName>GroEL</synName><protein><sciSpeciesName ncbiTaxId=\"562\">Escherichia coli"             \
    "</sciSpeciesName><externalReferences><refInterpro>IPR000002</refInterpro><refGo>GO:0000004</refGo>"                   \
    "<refUniProt>P00002</refUniProt><refOther>x</refOther></externalReferences>"                                          \
    "<engSource><expSystem>not this</expSystem></engSource></protein></sampleComponent></sampleComponentList></sample>\n"   \
    " <experiment><fitting><pdbEntryIdList><pdbEntryId>9INI</pdbEntryId></pdbEntryIdList></fitting>"                        \
    "<specimenPreparation><specimenState>particle</specimenState></specimenPreparation></experiment>\n"                     \
    " <processing><method>singleParticle</method><reconstruction><resolutionByAuthor>10.9</resolutionByAuthor>"             \
    "<resolutionMethod>FSC 0.5</resolutionMethod></reconstruction></processing>\n"                                          \
    "</emdEntry>\n"

#endif
