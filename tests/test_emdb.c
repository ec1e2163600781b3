/* test_emdb: headers of EMDB that the test writes, whole, faulty one by one, and found beside a map. */
#include "tests/test.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "mrc/emdb.h"
#include "mrc/xml.h"
#include "tests/emdb_xml.h"

#define DIR "test_emdb.dir"

static void read_ok(const char *text, emdb_t *e, notes_t *notes)
{
    err_t err = {0};
    if (emdb_mem("h.xml", text, strlen(text), e, notes, &err)) fail_msg("%s", err.msg);
}

static void assert_set(const intern_t *t, const char *const *want, size_t n)
{
    assert_int_equal(t->n, n);
    for (size_t i = 0; i < n; i++) assert_string_equal(t->str[i], want[i]);
}
#define SET(t, ...) assert_set(&(t), (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static void test_v3(void **state)
{
    emdb_t e;
    notes_t notes = {0};
    (void)state;
    read_ok(EMDB_V3, &e, &notes);
    assert_string_equal(e.id, "EMD-90001");
    assert_string_equal(e.version, "3.0.11.3");
    assert_string_equal(e.title, "A small & round  particle");
    assert_string_equal(e.keywords, "round");
    assert_string_equal(e.method, "singleParticle");
    assert_string_equal(e.state, "particle");
    assert_close(e.resolution, 3.25, 0);
    assert_string_equal(e.resolution_method, "FSC 0.143 CUT-OFF");
    assert_close(e.contour, 2.5, 0);
    assert_string_equal(e.contour_source, "AUTHOR");
    assert_string_equal(e.file, "emd_90001.map.gz");
    for (int i = 0; i < 3; i++) assert_close(e.size[i], i + 2, 0);
    assert_close(e.pixel[0], 1.5, 0);
    assert_close(e.pixel[1], 1.25, 0);
    assert_close(e.pixel[2], 1, 0);
    assert_close(e.min, -1.5, 0);
    assert_close(e.max, 7, 0);
    assert_string_equal(e.sample, "the sample");
    SET(e.molecules, "round complex", "virus", "Protein \xce\xb1", "LIGAND");
    SET(e.organisms, "Escherichia coli", "Virus novus");
    SET(e.fitted, "9xyz", "pdb_00009abc", "9def", "9ghi", "9ini");
    const uint8_t rel[] = {EMDB_PARTIAL, EMDB_FULL, EMDB_UNSAID, EMDB_APART, EMDB_INITIAL};
    assert_memory_equal(e.relation, rel, sizeof rel);
    SET(e.ref[EMDB_GO], "GO:0000002", "GO:0000003");
    SET(e.ref[EMDB_UNIPROT], "P00001");
    SET(e.ref[EMDB_INTERPRO], "IPR000001");
    SET(e.ref[EMDB_EC], "1.2.3.4");
    assert_int_equal(notes.n, 1);
    assert_non_null(strstr(notes.line[0], "h.xml: emd/crossreferences/pdb_list/pdb_reference/pdb_id: 'none' is no PDB id"));
    notes_free(&notes);
    emdb_free(&e);
    assert_null(e.id);
}

static void test_v1(void **state)
{
    emdb_t e;
    (void)state;
    read_ok(EMDB_V1, &e, NULL);
    assert_string_equal(e.id, "EMD-9001");
    assert_string_equal(e.version, "1.9.6");
    assert_string_equal(e.title, "Old \xc3\xa4hnlich");
    assert_string_equal(e.keywords, "");
    assert_close(e.resolution, 10.9, 0);
    assert_string_equal(e.resolution_method, "FSC 0.5");
    assert_close(e.contour, 9.07, 0);
    assert_string_equal(e.contour_source, "author");
    assert_string_equal(e.method, "singleParticle");
    assert_string_equal(e.state, "particle");
    for (int i = 0; i < 3; i++) assert_close(e.size[i], i + 2, 0);
    SET(e.molecules, "hsp", "GroEL");
    SET(e.organisms, "Escherichia coli");
    SET(e.fitted, "9xyz", "9ini");
    assert_int_equal(e.relation[0], EMDB_UNSAID);
    assert_int_equal(e.relation[1], EMDB_INITIAL);
    SET(e.ref[EMDB_GO], "GO:0000004");
    SET(e.ref[EMDB_UNIPROT], "P00002");
    SET(e.ref[EMDB_INTERPRO], "IPR000002");
    emdb_free(&e);
}

/* What a header may lack, and how contours are chosen. */
static void test_lenient(void **state)
{
    static const struct {
        const char *text;
        double contour;
    } row[] = {
        {"<emd/>", NAN},
        {"\xef\xbb\xbf<?xml version='1.0'?><emdEntry><map/></emdEntry>", NAN},
        {"<emd><map><contour_list><contour><level>1</level></contour><contour><level>2</level></contour></contour_list></map></emd>", 1},
        {"<emd><map><contour_list><contour primary='true'/><contour><level>2</level></contour></contour_list></map></emd>", 2},
        {"<emd><map><contour_list><contour primary='true'><level>-3e-2</level></contour><contour primary='true'><level>2</level>"
         "</contour></contour_list></map></emd>", -0.03},
        {"<emd><map><contour_list><contour primary='true'><level> </level></contour></contour_list></map></emd>", NAN},
        {"<emdEntry><map><contourLevel source='x'/><contourLevel>4</contourLevel></map></emdEntry>", 4},
        {"<e:emd xmlns:e='urn:x'><e:map><e:contour_list><e:contour primary='true'><e:level>5</e:level></e:contour></e:contour_list></e:map></e:emd>", 5},
        {"<emd><x><map><contour_list><contour primary='true'><level>6</level></contour></contour_list></map></x></emd>", NAN},
        {"<emd><map><contour_list><contour><level><!-- c -->7<![CDATA[.5]]></level></contour></contour_list></map></emd>", 7.5},
    };
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        emdb_t e;
        read_ok(row[i].text, &e, NULL);
        if (isnan(row[i].contour)) assert_true(isnan(e.contour));
        else assert_close(e.contour, row[i].contour, 0);
        assert_string_equal(e.title, "");
        assert_string_equal(e.id, "");
        assert_true(isnan(e.resolution) && isnan(e.size[0]) && isnan(e.min));
        emdb_free(&e);
    }
    notes_t notes = {0};
    emdb_t e;
    read_ok("<emdEntry><processing><reconstruction><resolutionByAuthor>0</resolutionByAuthor></reconstruction></processing></emdEntry>", &e, &notes);
    assert_true(isnan(e.resolution));
    assert_string_equal(notes.line[0], "h.xml: resolution 0 is left out");
    notes_free(&notes);
    emdb_free(&e);
}

/* ---- one fault a row ---- */

typedef struct {
    const char *text;
    size_t n; /* 0: strlen */
    errcode_t code;
    const char *says;
} fault_t;

#define LOL(n, m) "<!ENTITY " n " \"&" m ";&" m ";&" m ";&" m ";&" m ";&" m ";&" m ";&" m ";&" m ";&" m ";\">"
#define BOMB "<!DOCTYPE emd [<!ENTITY a \"ha\">" LOL("b", "a") LOL("c", "b") LOL("d", "c") LOL("e", "d") LOL("f", "e") LOL("g", "f") "]>"

static const fault_t faults[] = {
    {"", 0, ERR_FORMAT, "h.xml: line 1: no XML"},
    {"\n\nMAP ", 0, ERR_FORMAT, "h.xml: line 3: no XML"},
    {"<emd>\n\0</emd>", 13, ERR_FORMAT, "h.xml: line 2: a NUL byte"},
    {"\xff\xfe<\0e\0", 6, ERR_UNSUP, "h.xml: text in UTF-16"},
    {"\xfe\xff\0<\0e", 6, ERR_UNSUP, "h.xml: text in UTF-16"},
    {"<\0e\0m\0d\0/\0>\0", 12, ERR_FORMAT, "a NUL byte"},
    {"<?xml version='1.0' encoding='UTF-7'?><emd/>", 0, ERR_UNSUP, "another encoding"},
    {"<?xml version='1.0' encoding='UTF-16'?><emd/>", 0, ERR_UNSUP, "another encoding"},
    {"<?xml version='1.0' encoding='UTF-8'?>\n<emd><admin><title>caf\xe9</title></admin></emd>", 0, ERR_FORMAT, "h.xml: line 2, emd/admin/title: "},
    {BOMB "<emd><admin><title>&g;</title></admin></emd>", 0, ERR_UNSUP, "h.xml: line 1: a document type declaration"},
    {"<?xml version='1.0'?>\n<!-- <!DOCTYPE -->\n<?x y?>\n" BOMB "<emd emdb_id='&g;'/>", 0, ERR_UNSUP, "h.xml: line 4: a document type"},
    {"<!DOCTYPE emd SYSTEM 'http://127.0.0.1:1/x.dtd'><emd/>", 0, ERR_UNSUP, "a document type declaration"},
    {"<emd><admin>\n<title>&a;</title></admin></emd>", 0, ERR_FORMAT, "h.xml: line 2, emd/admin"},
    {"<emd>\n<admin><title>x</admin></emd>", 0, ERR_FORMAT, "h.xml: line 2, emd"},
    {"<emd><admin>\n<title>x</title>", 0, ERR_FORMAT, "h.xml: line 2, emd"},
    {"<emd><a x='1' x='2'/></emd>", 0, ERR_FORMAT, "h.xml: line 1, emd"},
    {"<emd/><emd/>", 0, ERR_FORMAT, "h.xml: line 1, "},
    {"<emd/>x", 0, ERR_FORMAT, "h.xml: line 1, "},
    {"<emd>]]></emd>", 0, ERR_FORMAT, "h.xml: line 1, emd"},
    {"<html><body/></html>", 0, ERR_FORMAT, "h.xml: line 1, html: no EMDB header (whose root element is emd or emdEntry)"},
    {"<emicss emdb_id='EMD-1'/>", 0, ERR_FORMAT, "emicss: no EMDB header"},
    {"<emd><map><contour_list>\n<contour>\n<level>high</level></contour></contour_list></map></emd>", 0, ERR_FORMAT,
     "h.xml: line 3, emd/map/contour_list/contour/level: 'high' (a number is wanted)"},
    {"<emdEntry>\n<map><contourLevel>1,5</contourLevel></map></emdEntry>", 0, ERR_FORMAT, "h.xml: line 2, emdEntry/map/contourLevel: '1,5'"},
    {"<emdEntry><map><contourLevel>nan</contourLevel></map></emdEntry>", 0, ERR_FORMAT, "emdEntry/map/contourLevel: 'nan'"},
    {"<emdEntry><map><contourLevel>1e999</contourLevel></map></emdEntry>", 0, ERR_FORMAT, "emdEntry/map/contourLevel: '1e999'"},
    {"<emdEntry><processing><reconstruction><resolutionByAuthor>7 A</resolutionByAuthor></reconstruction></processing></emdEntry>", 0,
     ERR_FORMAT, "resolutionByAuthor: '7 A'"},
    {"<emd><map><dimensions><col>x</col></dimensions></map></emd>", 0, ERR_FORMAT, "emd/map/dimensions/col: 'x'"},
};

static void assert_fault(const char *text, size_t n, errcode_t code, const char *says)
{
    emdb_t e;
    err_t err = {0};
    assert_int_equal(emdb_mem("h.xml", text, n, &e, NULL, &err), -1);
    if (err.code != code || !strstr(err.msg, says)) fail_msg("%s: %s (wanted %s: %s)", err_name(err.code), err.msg, err_name(code), says);
    assert_null(e.id);
    assert_int_equal(e.fitted.n, 0);
}

static void test_faults(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
        assert_fault(faults[i].text, faults[i].n ? faults[i].n : strlen(faults[i].text), faults[i].code, faults[i].says);
}

/* Cut anywhere before its last element ends, a header is refused. */
static void test_cut(void **state)
{
    static const char v3[] = EMDB_V3;
    (void)state;
    for (size_t n = 0; n + 2 < sizeof v3 - 1; n += 7) {
        emdb_t e;
        err_t err = {0};
        assert_int_equal(emdb_mem("h.xml", v3, n, &e, NULL, &err), -1);
        assert_int_equal(err.code, ERR_FORMAT);
        assert_int_equal(strncmp(err.msg, "h.xml: line ", 12), 0);
    }
}

/* before, n times c, after. */
static char *long_text(const char *before, const char *c, size_t n, const char *after)
{
    size_t k = strlen(c), at = strlen(before);
    char *s = malloc(at + n * k + strlen(after) + 1);
    assert_non_null(s);
    memcpy(s, before, at);
    for (size_t i = 0; i < n; i++, at += k) memcpy(s + at, c, k);
    strcpy(s + at, after);
    return s;
}

static void test_limits(void **state)
{
    static const struct {
        const char *before, *c;
        size_t n;
        const char *after;
        errcode_t code;
        const char *says;
    } row[] = {
        {"<emd>\n<admin><title>", "x", XML_TEXT_MAX + 1, "</title></admin></emd>", ERR_RANGE, "h.xml: line 2, emd/admin/title: more than 1048576 bytes of text"},
        {"<emd>\n<admin><title>", "<![CDATA[xxxxxxxx]]>", XML_TEXT_MAX / 8 + 1, "</title></admin></emd>", ERR_RANGE, "line 2, emd/admin/title: more than"},
        {"<emd>\n<other><text>", "x", (size_t)11 << 20, "</text></other></emd>", ERR_RANGE, "line 2, emd/other/text"},
        {"<emd>", "<a>", XML_DEPTH_MAX, "", ERR_RANGE, "more than 64 nested elements"},
        {"<emd><", "a", XML_PATH_MAX, "/></emd>", ERR_RANGE, "over 1024 bytes"},
        {"<emd><a b='", "x", (size_t)11 << 20, "'/></emd>", ERR_RANGE, "line 1, emd"},
        {"<emd>", " ", XML_FILE_MAX, "</emd>", ERR_RANGE, "(the limit is 67108864)"},
    };
    emdb_t e;
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char *s = long_text(row[i].before, row[i].c, row[i].n, row[i].after);
        err_t err = {0};
        assert_int_equal(emdb_mem("h.xml", s, strlen(s), &e, NULL, &err), -1);
        if (err.code != row[i].code || !strstr(err.msg, row[i].says)) fail_msg("row %zu: %s: %s", i, err_name(err.code), err.msg);
        free(s);
    }
    char *s = long_text("<emd><admin><title>", "x", XML_TEXT_MAX, "</title></admin></emd>");
    read_ok(s, &e, NULL);
    assert_int_equal(strlen(e.title), XML_TEXT_MAX);
    emdb_free(&e);
    free(s);
}

/* ---- beside a map ---- */

static void put(const char *path, const char *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    assert_int_equal(fclose(f), 0);
}

static void test_number(void **state)
{
    static const struct {
        const char *map, *number;
    } row[] = {{"emd_0001.map", "0001"},      {"a/b/emd_12345.map.gz", "12345"}, {"EMD-5625.map", "5625"},    {"emd-1080.mrc.BZ2", "1080"},
               {"EMD_1080.ccp4.xz", "1080"},  {"Emd-1080.MAP", "1080"},          {"emd_0001", NULL},          {"emd_001.map", NULL},
               {"emd_0001_half_map_1.map", NULL}, {"emd_0001_msk_1.map", NULL},  {"EMD-1080_5A.mrc", NULL},   {"xemd_0001.map", NULL},
               {"emd_0001.map/x.map", NULL},  {"emd.0001.map", NULL},            {"", NULL},                  {"emd_0001.xml", NULL},
               {"emd_123456789012345.map", NULL}, {"emd_12a4.map", NULL}};
    (void)state;
    for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
        char n[16] = "";
        bool yes = emdb_number(row[i].map, n);
        if (yes != (row[i].number != NULL)) fail_msg("%s", row[i].map);
        if (yes) assert_string_equal(n, row[i].number);
    }
}

static void test_beside(void **state)
{
    static const char *const names[] = {"/map/emd-90001-v30.xml", "/map/emd-90001-v30.xml.gz", "/map/emd-90001.xml", "/map/emd-90001-v19.xml",
                                        "/map/EMD-90001.xml", "/map/emd_90001.xml", "/map/../header/emd-90001-v30.xml"};
    static const char *const map = DIR "/map/emd_90001.map.gz";
    const emdb_where_t beside = {0};
    emdb_t e;
    char *path;
    err_t err = {0};
    notes_t notes = {0};
    (void)state;
    assert_true(!mkdir(DIR, 0700) || errno == EEXIST);
    assert_true(!mkdir(DIR "/map", 0700) || errno == EEXIST);
    assert_true(!mkdir(DIR "/header", 0700) || errno == EEXIST);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[64];
        snprintf(name, sizeof name, DIR "%s", names[i]);
        put(name, EMDB_V3);
    }
    /* each in turn, as those before it go */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char name[64];
        snprintf(name, sizeof name, DIR "%s", names[i]);
        assert_int_equal(emdb_of_map(map, &beside, &e, &path, &notes, &err), 1);
        assert_string_equal(path, name);
        assert_string_equal(e.id, "EMD-90001");
        mem_free(path);
        emdb_free(&e);
        assert_int_equal(remove(name), 0);
    }
    notes_free(&notes);
    assert_int_equal(emdb_of_map(map, &beside, &e, &path, &notes, &err), 0);
    assert_null(path);
    assert_null(e.id);
    assert_int_equal(notes.n, 0);

    /* found, but faulty or of another entry: a note */
    put(DIR "/map/emd-90001.xml", "<emd emdb_id='EMD-90001'>");
    assert_int_equal(emdb_of_map(map, &beside, &e, &path, &notes, &err), 0);
    assert_null(path);
    assert_int_equal(notes.n, 1);
    assert_non_null(strstr(notes.line[0], "the header is left: " DIR "/map/emd-90001.xml: line 1, emd: "));
    put(DIR "/map/emd-90001.xml", "<emd emdb_id='EMD-90002'/>");
    assert_int_equal(emdb_of_map(map, &beside, &e, &path, &notes, &err), 0);
    assert_non_null(strstr(notes.line[1], "emd-90001.xml: it is of EMD-90002"));
    notes_free(&notes);

    /* off, and by folder */
    put(DIR "/map/emd-90001.xml", EMDB_V3);
    assert_int_equal(emdb_of_map(map, &(emdb_where_t){.off = true}, &e, &path, &notes, &err), 0);
    assert_int_equal(emdb_of_map("elsewhere/EMD-90001.mrc", &(emdb_where_t){.path = DIR "/map"}, &e, &path, &notes, &err), 1);
    assert_string_equal(path, DIR "/map/emd-90001.xml");
    mem_free(path);
    emdb_free(&e);
    assert_int_equal(emdb_of_map("elsewhere/other.mrc", &(emdb_where_t){.path = DIR "/map"}, &e, &path, &notes, &err), 0);
    /* by name: for any map, and its faults are errors */
    assert_int_equal(emdb_of_map("other.mrc", &(emdb_where_t){.path = DIR "/map/emd-90001.xml"}, &e, &path, &notes, &err), 1);
    mem_free(path);
    emdb_free(&e);
    assert_int_equal(err.code, ERR_OK);
    assert_int_equal(emdb_of_map(map, &(emdb_where_t){.path = DIR "/none.xml"}, &e, &path, &notes, &err), -1);
    assert_int_equal(err.code, ERR_IO);
    assert_null(path);
    assert_int_equal(remove(DIR "/map/emd-90001.xml"), 0);
    notes_free(&notes);
    rmdir(DIR "/map"), rmdir(DIR "/header"), rmdir(DIR);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_v3),     cmocka_unit_test(test_v1),     cmocka_unit_test(test_lenient), cmocka_unit_test(test_faults),
        cmocka_unit_test(test_cut),    cmocka_unit_test(test_limits), cmocka_unit_test(test_number),  cmocka_unit_test(test_beside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
