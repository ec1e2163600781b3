#!/bin/bash
# EMDB headers beside maps: what info shows of them, whose contour is taken, and what is refused.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
cryolex=${CRYOLEX:?the program to test}
mkdir "$tap_tmp/w" && cd "$tap_tmp/w" || exit 99
out=$tap_tmp/out err=$tap_tmp/err

# header CONTOUR [ENTRY]
header() {
    cat <<END
<?xml version="1.0" encoding="UTF-8"?>
<emd emdb_id="EMD-${2:-90001}" version="3.0.11.3">
 <admin><title>A made up &lt;thing&gt;</title></admin>
 <crossreferences><pdb_list><pdb_reference><pdb_id>9XYZ</pdb_id><relationship><in_frame>FULLOVERLAP</in_frame></relationship></pdb_reference></pdb_list></crossreferences>
 <sample><name>thing</name><macromolecule_list><protein_or_peptide><name>Protein one</name>
  <natural_source><organism>Escherichia coli</organism></natural_source>
  <sequence><external_references type="GO">GO:0042026</external_references></sequence></protein_or_peptide></macromolecule_list></sample>
 <structure_determination_list><structure_determination><method>singleParticle</method><singleparticle_processing><final_reconstruction>
  <resolution>8.5</resolution><resolution_method>FSC 0.143 CUT-OFF</resolution_method></final_reconstruction></singleparticle_processing></structure_determination></structure_determination_list>
 <map><contour_list><contour primary="true"><level>$1</level><source>AUTHOR</source></contour></contour_list></map>
</emd>
END
}

awk 'BEGIN { for (i = 1; i <= 60; i++)
    printf "ATOM  %5d  CA  ALA A%4d    %8.3f%8.3f%8.3f  1.00 20.00           C\n", i, i, 10 * cos(i), 9 * sin(i) + 0.1 * i, 1.5 * i / 2 }' >m.pdb
"$cryolex" simulate -q -r 8 -a 2 m.pdb emd_90001.mrc && "$cryolex" index build -q -o m.h5 m.pdb || exit 99
mkdir -p headers entry/map entry/header
level=$("$cryolex" info --format json emd_90001.mrc | sed 's/.*"statistics":{"min":[^,]*,"max":\([^,]*\),.*/\1/' | awk '{ print $1 / 4 }')
header "$level" >headers/emd-90001.xml
header "$level" >named.xml
cp emd_90001.mrc entry/map/ && gzip entry/map/emd_90001.mrc && gzip -c named.xml >entry/header/emd-90001-v30.xml.gz
cp emd_90001.mrc plain.mrc

# search ARGS...: the first hit is m, and the contour is on stderr.
search() { run 0 "$cryolex" search -i m.h5 -d cube -k 1 "$@" && tail -n 1 "$out" | cut -f 3 | grep -qx m; }

none() { search emd_90001.mrc && grep -q ', contour about ' "$err" && ! grep -q 'from ' "$err"; }
by_name() {
    cp headers/emd-90001.xml . && search emd_90001.mrc || return 1
    grep -q "warning: emd_90001.mrc: contour $level, resolution 8.5 A, fitted model 9xyz (full): from emd-90001.xml" "$err" && ! grep -q "contour about" "$err"
}
as_typed() { # the same hit as the level typed
    search emd_90001.mrc && cp "$out" a && search -c "$level" --no-header emd_90001.mrc && cmp a "$out" && search --no-header emd_90001.mrc && ! cmp -s a "$out"
}
wins() { search -c 0.01 emd_90001.mrc && grep -q ', contour 0.01$' "$err" && grep -q ': resolution 8.5 A, fitted model' "$err"; }
off() { search --no-header emd_90001.mrc && grep -q ', contour about ' "$err" && ! grep -q 'from ' "$err"; }
server() { search entry/map/emd_90001.mrc.gz && grep -q 'from entry/map/../header/emd-90001-v30.xml.gz' "$err"; }
given() {
    search --header named.xml plain.mrc && grep -q "contour $level.*from named.xml" "$err" || return 1
    search plain.mrc && grep -q ', contour about ' "$err" || return 1
    search --header headers entry/map/emd_90001.mrc.gz && grep -q 'from headers/emd-90001.xml' "$err"
}
outside() { # of the map's values
    header 1e6 >big.xml && search --header big.xml plain.mrc && grep -q 'contour 1e+06 of big.xml is not taken: the map.s values are' "$err" && grep -q ', contour about ' "$err"
}
damaged() { # found: left with a note; named: an error
    mkdir -p bad && cp emd_90001.mrc bad && head -c 300 named.xml >bad/emd-90001.xml && search bad/emd_90001.mrc || return 1
    grep -q 'the header is left: bad/emd-90001.xml: line 4, emd' "$err" || return 1
    run 3 "$cryolex" search -i m.h5 --header bad/emd-90001.xml plain.mrc && grep -q 'bad/emd-90001.xml: line 4, emd' "$err" || return 1
    header 1 90002 >bad/emd-90001.xml && search bad/emd_90001.mrc && grep -q 'bad/emd-90001.xml: it is of EMD-90002' "$err"
}
bomb() {
    { printf '<!DOCTYPE emd [<!ENTITY a "aaaaaaaaaa">'
      b=a; for c in b c d e f g h i j; do printf '<!ENTITY %s "&%s;&%s;&%s;&%s;&%s;&%s;&%s;&%s;&%s;&%s;">' $c $b $b $b $b $b $b $b $b $b $b; b=$c; done
      printf ']><emd><admin><title>&j;</title></admin></emd>'; } >bomb.xml
    run 3 "$cryolex" info --header bomb.xml plain.mrc && grep -q 'bomb.xml: line 1: a document type declaration' "$err"
}
misuse() {
    run 2 "$cryolex" info --header named.xml --no-header plain.mrc && run 2 "$cryolex" info --header named.xml plain.mrc emd_90001.mrc || return 1
    grep -q 'one header, but 2 inputs' "$err" && run 2 "$cryolex" search -i m.h5 --header named.xml plain.mrc emd_90001.mrc && run 3 "$cryolex" info --header none.xml plain.mrc && grep -q 'none.xml: No such file' "$err"
}
info() {
    run 0 "$cryolex" info emd_90001.mrc && sed -n '/EMDB/,$p' "$out" >got || return 1
    diff - got <<END
  EMDB      EMD-90001, schema 3.0.11.3, emd-90001.xml
    title       A made up <thing>
    sample      thing
    method      singleParticle
    resolution  8.5 A, FSC 0.143 CUT-OFF
    contour     $level, source AUTHOR
    models      9xyz (full)
    molecules   Protein one
    organisms   Escherichia coli
    GO          GO:0042026
END
}
info_json() {
    run 0 "$cryolex" info --format json emd_90001.mrc && grep -q '"emdb":{"file":"emd-90001.xml","id":"EMD-90001",.*"resolution":8.5,"contour":[0-9.]*,"models":\[{"id":"9xyz","relation":"full"}\],.*"GO":\["GO:0042026"\]' "$out" || return 1
    run 0 "$cryolex" info --no-header --format json emd_90001.mrc && ! grep -q '"emdb"' "$out"
}
index() { # titles and the rest come from the header
    run 0 "$cryolex" index build -o e.h5 emd_90001.mrc && grep -q 'contour .* from emd-90001.xml' "$err" || return 1
    run 0 "$cryolex" search -i e.h5 -d cube -k 1 m.pdb && tail -n 1 "$out" | grep -q 'A made up <thing>$'
}
embed() {
    run 0 "$cryolex" model new -q -o u.safetensors && run 0 "$cryolex" embed -m u.safetensors emd_90001.mrc && cp "$out" a && grep -q "contour $level" "$err" || return 1
    run 0 "$cryolex" embed -m u.safetensors -c "$level" --no-header emd_90001.mrc && cmp a "$out"
}
annot() { # an EMDB map's own terms, by a folder of published files
    mkdir -p annot && printf '[Term]\nid: GO:1\nname: root\nnamespace: molecular_function\n[Term]\nid: GO:2\nname: two\nnamespace: molecular_function\nis_a: GO:1 ! root\n[Term]\nid: GO:3\nname: three\nnamespace: molecular_function\nis_a: GO:1\n' >annot/go-basic.obo
    echo '<emicss emdb_id="EMD-90001"><sample><cross_ref_db db_source="GO" accession_id="GO:2"/><cross_ref_db db_source="PFAM" accession_id="PF00001"/></sample></emicss>' >annot/emd-90001_emicss.xml
    printf '# 2025/01/01\nPDB\tCHAIN\tGO_ID\n1abc\tA\tGO:3\n' | gzip >annot/pdb_chain_go.tsv.gz
    cp m.pdb 1abc_A.pdb && run 0 "$cryolex" index build -o a.h5 --annot annot emd_90001.mrc 1abc_A.pdb && grep -q 'a.h5: 3 terms, 1.5 an entry' "$err"
}
tap "without a header the contour is estimated" none
tap "a header beside the map is found, and said" by_name
tap "its contour does what the same one typed does" as_typed
tap "an explicit contour wins" wins
tap "--no-header" off
tap "the folders of the file server" server
tap "--header FILE and FOLDER" given
tap "a contour outside the map's values is not taken" outside
tap "damaged headers, and those of another entry" damaged
tap "an entity bomb" bomb
tap "misuse" misuse
tap "info" info
tap "info as JSON" info_json
tap "index build" index
tap "embed" embed
tap "index build --annot of published files" annot
tap_done
