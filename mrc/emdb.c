/* emdb: EMDB header XML (see emdb.h). Schemas 1.9.6 and 3.0.11 of the Electron Microscopy Data Bank. */
#include "mrc/emdb.h"

#include <ctype.h>
#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "mrc/xml.h"

const char *const emdb_relation[EMDB_RELATIONS] = {"full", "partial", "apart", "unsaid", "initial"};
const char *const emdb_ref[EMDB_REFS] = {"GO", "UniProt", "InterPro", "EC"};

/* ---- what is read from where: the text of an element, when it ends ---- */

typedef enum {
    TAKE_TEXT,     /* char *: the first that is not empty */
    TAKE_NUMBER,   /* double: the first */
    TAKE_NAME,     /* intern_t */
    TAKE_PDB,      /* an id; its relation comes with `how`, or with the end of the reference (RELATION_LATER) */
    TAKE_RELATION,
    TAKE_LEVEL,    /* of a contour; whether it is taken is told when the contour ends */
    TAKE_SOURCE,
    TAKE_REF,      /* by the attribute type, or (1.9) by the element's name, refGo */
} take_t;

enum { RELATION_LATER = EMDB_RELATIONS };

typedef struct {
    const char *path; /* fnmatch() with FNM_PATHNAME */
    take_t take;
    size_t at; /* in emdb_t */
    int how;   /* relation, or emdbref_t + 1 */
} rule_t;

#define AT(field) offsetof(emdb_t, field)
#define SUPRA "emd/sample/supramolecule_list/*/"
#define MACRO "emd/sample/macromolecule_list/*/"
#define PART "emdEntry/sample/sampleComponentList/sampleComponent/"
#define REBUILT "emd/structure_determination_list/structure_determination/*_processing/final_reconstruction/"
static const rule_t rules[] = {
    {"emd/admin/title", TAKE_TEXT, AT(title), 0},
    {"emd/admin/keywords", TAKE_TEXT, AT(keywords), 0},
    {"emd/structure_determination_list/structure_determination/method", TAKE_TEXT, AT(method), 0},
    {"emd/structure_determination_list/structure_determination/aggregation_state", TAKE_TEXT, AT(state), 0},
    {REBUILT "resolution", TAKE_NUMBER, AT(resolution), 0},
    {REBUILT "resolution_method", TAKE_TEXT, AT(resolution_method), 0},
    {"emd/map/contour_list/contour/level", TAKE_LEVEL, 0, 0},
    {"emd/map/contour_list/contour/source", TAKE_SOURCE, 0, 0},
    {"emd/map/file", TAKE_TEXT, AT(file), 0},
    {"emd/map/dimensions/col", TAKE_NUMBER, AT(size[0]), 0},
    {"emd/map/dimensions/row", TAKE_NUMBER, AT(size[1]), 0},
    {"emd/map/dimensions/sec", TAKE_NUMBER, AT(size[2]), 0},
    {"emd/map/pixel_spacing/x", TAKE_NUMBER, AT(pixel[0]), 0},
    {"emd/map/pixel_spacing/y", TAKE_NUMBER, AT(pixel[1]), 0},
    {"emd/map/pixel_spacing/z", TAKE_NUMBER, AT(pixel[2]), 0},
    {"emd/map/statistics/minimum", TAKE_NUMBER, AT(min), 0},
    {"emd/map/statistics/maximum", TAKE_NUMBER, AT(max), 0},
    {"emd/sample/name", TAKE_TEXT, AT(sample), 0},
    {SUPRA "name", TAKE_NAME, AT(molecules), 0},
    {MACRO "name", TAKE_NAME, AT(molecules), 0},
    {SUPRA "natural_source/organism", TAKE_NAME, AT(organisms), 0},
    {MACRO "natural_source/organism", TAKE_NAME, AT(organisms), 0},
    {SUPRA "sci_species_name", TAKE_NAME, AT(organisms), 0},
    {"emd/crossreferences/pdb_list/pdb_reference/pdb_id", TAKE_PDB, 0, RELATION_LATER},
    {"emd/crossreferences/pdb_list/pdb_reference/relationship/in_frame", TAKE_RELATION, 0, 0},
    {"emd/interpretation/modelling_list/modelling/initial_model/access_code", TAKE_PDB, 0, EMDB_INITIAL},
    {SUPRA "external_references", TAKE_REF, 0, 0},
    {MACRO "external_references", TAKE_REF, 0, 0},
    {MACRO "sequence/external_references", TAKE_REF, 0, 0},
    {SUPRA "category", TAKE_REF, 0, 0},
    {MACRO "ec_number", TAKE_REF, 0, EMDB_EC + 1},

    {"emdEntry/deposition/title", TAKE_TEXT, AT(title), 0},
    {"emdEntry/deposition/keywords", TAKE_TEXT, AT(keywords), 0},
    {"emdEntry/processing/method", TAKE_TEXT, AT(method), 0},
    {"emdEntry/experiment/specimenPreparation/specimenState", TAKE_TEXT, AT(state), 0},
    {"emdEntry/processing/reconstruction/resolutionByAuthor", TAKE_NUMBER, AT(resolution), 0},
    {"emdEntry/processing/reconstruction/resolutionMethod", TAKE_TEXT, AT(resolution_method), 0},
    {"emdEntry/map/contourLevel", TAKE_LEVEL, 0, 0},
    {"emdEntry/map/file", TAKE_TEXT, AT(file), 0},
    {"emdEntry/map/dimensions/numColumns", TAKE_NUMBER, AT(size[0]), 0},
    {"emdEntry/map/dimensions/numRows", TAKE_NUMBER, AT(size[1]), 0},
    {"emdEntry/map/dimensions/numSections", TAKE_NUMBER, AT(size[2]), 0},
    {"emdEntry/map/pixelSpacing/pixelX", TAKE_NUMBER, AT(pixel[0]), 0},
    {"emdEntry/map/pixelSpacing/pixelY", TAKE_NUMBER, AT(pixel[1]), 0},
    {"emdEntry/map/pixelSpacing/pixelZ", TAKE_NUMBER, AT(pixel[2]), 0},
    {"emdEntry/map/statistics/minimum", TAKE_NUMBER, AT(min), 0},
    {"emdEntry/map/statistics/maximum", TAKE_NUMBER, AT(max), 0},
    {"emdEntry/sample/name", TAKE_TEXT, AT(sample), 0},
    {PART "sciName", TAKE_NAME, AT(molecules), 0},
    {PART "synName", TAKE_NAME, AT(molecules), 0},
    {PART "*/sciSpeciesName", TAKE_NAME, AT(organisms), 0},
    {"emdEntry/deposition/fittedPDBEntryIdList/fittedPDBEntryId", TAKE_PDB, 0, EMDB_UNSAID},
    {"emdEntry/experiment/fitting/pdbEntryIdList/pdbEntryId", TAKE_PDB, 0, EMDB_INITIAL},
    {PART "*/externalReferences/ref*", TAKE_REF, 0, 0},
};
enum { RULES = sizeof rules / sizeof *rules };

/* What an element leaves for another: the reference and the contour that are open. */
typedef struct {
    emdb_t *e;
    notes_t *notes;
    const char *file;
    uint32_t pdb;           /* of the open reference; UINT32_MAX none */
    bool primary, has_primary;
    double level;
    char source[32], type[32];
} state_t;

static bool is(const xml_t *x, const char *path) { return !strcmp(xml_path(x), path); }

/* The rule for this element, whose name is compared first: most elements have none. */
static const rule_t *rule_of(const xml_t *x)
{
    const char *name = xml_name(x), *path = xml_path(x);
    for (size_t i = 0; i < RULES; i++) {
        const char *last = strrchr(rules[i].path, '/') + 1;
        if ((strcmp(last, name) == 0 || (!strcmp(last, "ref*") && !strncmp(name, "ref", 3))) && !fnmatch(rules[i].path, path, FNM_PATHNAME))
            return &rules[i];
    }
    return NULL;
}

static int read_number(const xml_t *x, const char *s, double *out, err_t *err)
{
    char *end;
    double v = strtod(s, &end);
    if (end == s || *end || !isfinite(v)) return xml_wrong(x, err, ERR_FORMAT, "'%.40s' (a number is wanted)", s);
    *out = v;
    return 0;
}

/* "1abc", or "pdb_00001abc". */
static bool is_pdb_id(const char *s)
{
    if (!strncmp(s, "pdb_", 4)) return strlen(s) == 12 && strspn(s + 4, "0123456789abcdefghijklmnopqrstuvwxyz") == 8;
    return strlen(s) == 4 && isdigit((unsigned char)*s) && strspn(s, "0123456789abcdefghijklmnopqrstuvwxyz") == 4;
}

static int take_pdb(state_t *st, const xml_t *x, const char *s, int how, err_t *err)
{
    emdb_t *e = st->e;
    char low[16] = "";
    uint32_t k;
    size_t n = strlen(s), had = e->fitted.n;
    for (size_t i = 0; i < n && n < sizeof low; i++) low[i] = (char)tolower((unsigned char)s[i]);
    if (!is_pdb_id(low)) {
        notes_add(st->notes, "%s: %s: '%.40s' is no PDB id and is left out", st->file, xml_path(x), s);
        return 0;
    }
    if (intern_add(&e->fitted, low, n, &k, err) || mem_grow(&e->relation, &e->relation_cap, e->fitted.n, 1, err)) return -1;
    int rel = how == RELATION_LATER ? EMDB_UNSAID : how;
    if (k == had || rel < e->relation[k]) e->relation[k] = (uint8_t)rel;
    if (how == RELATION_LATER) st->pdb = k;
    return 0;
}

static void take_relation(state_t *st, const char *s)
{
    static const char *const said[] = {[EMDB_FULL] = "FULLOVERLAP", [EMDB_PARTIAL] = "PARTIALOVERLAP", [EMDB_APART] = "NOOVERLAP"};
    for (uint8_t k = 0; st->pdb != UINT32_MAX && k < sizeof said / sizeof *said; k++)
        if (!strcmp(s, said[k]) && k < st->e->relation[st->pdb]) st->e->relation[st->pdb] = k;
}

static int take_name(intern_t *set, const char *s, err_t *err)
{
    uint32_t k;
    return intern_add(set, s, strlen(s), &k, err);
}

/* The attribute type in any case, or what follows "ref" in an element's name. */
static int take_ref(state_t *st, const xml_t *x, const char *s, int how, err_t *err)
{
    static const struct {
        const char *name;
        emdbref_t ref;
    } known[] = {{"GO", EMDB_GO}, {"UNIPROTKB", EMDB_UNIPROT}, {"UNIPROT", EMDB_UNIPROT}, {"INTERPRO", EMDB_INTERPRO}};
    const char *name = xml_name(x), *type = strncmp(name, "ref", 3) ? st->type : name + 3;
    if (how) return take_name(&st->e->ref[how - 1], s, err);
    if (!strcmp(name, "category") && strncmp(s, "GO:", 3) != 0) return 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (!strcasecmp(type, known[i].name)) return take_name(&st->e->ref[known[i].ref], s, err);
    return 0;
}

static int take(state_t *st, const xml_t *x, const rule_t *r, err_t *err)
{
    void *field = (char *)st->e + r->at;
    const char *s = xml_text(x);
    double v = 0;
    if (!*s) return 0;
    switch (r->take) {
    case TAKE_TEXT:
        if (**(char **)field) return 0;
        mem_free(*(char **)field);
        return (*(char **)field = mem_str(s, err)) ? 0 : -1;
    case TAKE_NUMBER:
        if (read_number(x, s, &v, err)) return -1;
        if (isnan(*(double *)field)) *(double *)field = v;
        return 0;
    case TAKE_NAME: return take_name(field, s, err);
    case TAKE_PDB: return take_pdb(st, x, s, r->how, err);
    case TAKE_RELATION: take_relation(st, s); return 0;
    case TAKE_LEVEL: return read_number(x, s, &st->level, err);
    case TAKE_SOURCE: snprintf(st->source, sizeof st->source, "%s", s); return 0;
    default: return take_ref(st, x, s, r->how, err);
    }
}

/* The primary contour, or before there is one the first. */
static int end_contour(state_t *st, err_t *err)
{
    emdb_t *e = st->e;
    if (isnan(st->level) || st->has_primary || (!st->primary && !isnan(e->contour))) return 0;
    mem_free(e->contour_source);
    e->contour = st->level;
    st->has_primary = st->primary;
    return (e->contour_source = mem_str(st->source, err)) ? 0 : -1;
}

/* The attributes that are of interest. */
static int begin(state_t *st, xml_t *x, err_t *err)
{
    emdb_t *e = st->e;
    const bool old = is(x, "emdEntry"), level = is(x, "emdEntry/map/contourLevel");
    if (old || is(x, "emd")) {
        char id[24];
        snprintf(id, sizeof id, "%s%.15s", old ? "EMD-" : "", xml_attr(x, old ? "accessCode" : "emdb_id"));
        mem_free(e->id);
        mem_free(e->version);
        e->id = mem_str(strlen(id) > 4 ? id : "", err);
        e->version = mem_str(xml_attr(x, "version"), err);
        return e->id && e->version ? 0 : -1;
    }
    if (!strchr(xml_path(x), '/')) return xml_wrong(x, err, ERR_FORMAT, "no EMDB header (whose root element is emd or emdEntry)");
    if (is(x, "emd/map/contour_list/contour") || level) {
        st->level = (double)NAN;
        st->primary = level || !strcmp(xml_attr(x, "primary"), "true");
        snprintf(st->source, sizeof st->source, "%s", level ? xml_attr(x, "source") : "");
    }
    if (!strcmp(xml_name(x), "external_references") || !strcmp(xml_name(x), "category"))
        snprintf(st->type, sizeof st->type, "%s", xml_attr(x, "type"));
    if (is(x, "emd/crossreferences/pdb_list/pdb_reference")) st->pdb = UINT32_MAX;
    return 0;
}

static int end(state_t *st, const xml_t *x, err_t *err)
{
    const rule_t *r = rule_of(x);
    if (r && take(st, x, r, err)) return -1;
    return is(x, "emd/map/contour_list/contour") || is(x, "emdEntry/map/contourLevel") ? end_contour(st, err) : 0;
}

static int read_xml(const char *name, xml_t *x, emdb_t *e, notes_t *notes, err_t *err)
{
    state_t st = {.e = e, .notes = notes, .file = name, .pdb = UINT32_MAX};
    xmlevent_t event;
    char **const text[] = {&e->id,   &e->version,           &e->title, &e->keywords,       &e->method,
                           &e->state, &e->resolution_method, &e->file,  &e->contour_source, &e->sample};
    *e = (emdb_t){.resolution = (double)NAN, .contour = (double)NAN, .min = (double)NAN, .max = (double)NAN};
    for (int i = 0; i < 3; i++) e->size[i] = e->pixel[i] = (double)NAN;
    int rc = x ? 0 : -1;
    for (size_t i = 0; !rc && i < sizeof text / sizeof *text; i++) rc = (*text[i] = mem_str("", err)) ? 0 : -1;
    while (!rc && !(rc = xml_next(x, &event, err)) && event != XML_DONE) rc = event == XML_BEGIN ? begin(&st, x, err) : end(&st, x, err);
    if (!rc && e->resolution <= 0) {
        notes_add(notes, "%s: resolution %g is left out", name, e->resolution);
        e->resolution = (double)NAN;
    }
    xml_close(x);
    if (rc) emdb_free(e);
    return rc;
}

int emdb_read(const char *path, emdb_t *e, notes_t *notes, err_t *err) { return read_xml(path, xml_open(path, err), e, notes, err); }

int emdb_mem(const char *name, const void *bytes, size_t n, emdb_t *e, notes_t *notes, err_t *err)
{
    return read_xml(name, xml_mem(name, bytes, n, err), e, notes, err);
}

void emdb_free(emdb_t *e)
{
    char *const text[] = {e->id,    e->version,           e->title, e->keywords,       e->method,
                          e->state, e->resolution_method, e->file,  e->contour_source, e->sample};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) mem_free(text[i]);
    intern_free(&e->molecules);
    intern_free(&e->organisms);
    intern_free(&e->fitted);
    for (int k = 0; k < EMDB_REFS; k++) intern_free(&e->ref[k]);
    mem_free(e->relation);
    *e = (emdb_t){0};
}

/* ---- beside a map ---- */

static bool ends(const char *s, size_t n, const char *suffix)
{
    size_t k = strlen(suffix);
    return n > k && !strncasecmp(s + n - k, suffix, k);
}

bool emdb_number(const char *map, char out[16])
{
    static const char *const packing[] = {".gz", ".bz2", ".xz", ".zst"}, *const format[] = {".map", ".mrc", ".ccp4"};
    const char *slash = strrchr(map, '/'), *s = slash ? slash + 1 : map;
    size_t n = strlen(s), whole;
    for (size_t i = 0; i < sizeof packing / sizeof *packing; i++)
        if (ends(s, n, packing[i])) {
            n -= strlen(packing[i]);
            break;
        }
    whole = n;
    for (size_t i = 0; n == whole && i < sizeof format / sizeof *format; i++)
        if (ends(s, n, format[i])) n -= strlen(format[i]);
    if (n == whole || n < 8 || n > 18 || strncasecmp(s, "emd", 3) != 0 || (s[3] != '_' && s[3] != '-')) return false;
    if (strspn(s + 4, "0123456789") != n - 4) return false;
    memcpy(out, s + 4, n - 4);
    out[n - 4] = 0;
    return true;
}

/* The header of entry `number` in a folder, folder[0..n-1], and below it in `sub`. 1, 0, or -1 ERR_NOMEM. */
static int find_in(const char *folder, size_t n, const char *sub, const char *number, char **out, err_t *err)
{
    static const struct {
        const char *before, *after;
    } form[] = {{"emd-", "-v30.xml"}, {"emd-", ".xml"}, {"emd-", "-v19.xml"}, {"EMD-", ".xml"}, {"emd_", ".xml"}};
    size_t room = n + strlen(sub) + 64;
    if (!(*out = mem_new(room, 1, err))) return -1;
    for (size_t i = 0; i < 2 * sizeof form / sizeof *form; i++) {
        snprintf(*out, room, "%.*s%s%s%s%s%s", (int)n, folder, sub, form[i / 2].before, number, form[i / 2].after, i & 1 ? ".gz" : "");
        if (access(*out, F_OK) == 0) return 1;
    }
    mem_free(*out);
    *out = NULL;
    return 0;
}

static int find(const char *map, const char *folder, const char *number, char **out, err_t *err)
{
    const char *slash = strrchr(map, '/');
    if (folder) return find_in(folder, strlen(folder), "/", number, out, err);
    size_t n = slash ? (size_t)(slash - map) + 1 : 0;
    int rc = find_in(map, n, "", number, out, err);
    return rc ? rc : find_in(map, n, "../header/", number, out, err);
}

/* A header that was found by its name: what is wrong with it is no reason to stop. */
static int read_found(const char *path, const char *number, emdb_t *e, notes_t *notes, err_t *err)
{
    err_t own = {0};
    if (emdb_read(path, e, notes, &own)) {
        if (own.code == ERR_NOMEM) return err_set(err, own.code, "%s", own.msg);
        notes_add(notes, "the header is left: %s", own.msg);
        return 0;
    }
    if (strncmp(e->id, "EMD-", 4) || strtoul(e->id + 4, NULL, 10) != strtoul(number, NULL, 10)) {
        notes_add(notes, "the header is left: %s: it is of %s", path, *e->id ? e->id : "no entry");
        emdb_free(e);
        return 0;
    }
    return 1;
}

/* *number "" where the header was named. */
static int path_of(const char *map, const emdb_where_t *where, char number[16], char **path, err_t *err)
{
    struct stat st;
    *number = 0;
    *path = NULL;
    if (where->off) return 0;
    bool folder = where->path && !stat(where->path, &st) && S_ISDIR(st.st_mode);
    if (where->path && !folder) return (*path = mem_str(where->path, err)) ? 1 : -1;
    return emdb_number(map, number) ? find(map, where->path, number, path, err) : 0;
}

int emdb_path(const char *map, const emdb_where_t *where, char **path, err_t *err)
{
    char number[16];
    return path_of(map, where, number, path, err);
}

int emdb_of_map(const char *map, const emdb_where_t *where, emdb_t *e, char **path, notes_t *notes, err_t *err)
{
    char number[16];
    *e = (emdb_t){0};
    int rc = path_of(map, where, number, path, err);
    if (rc == 1 && !*number) rc = emdb_read(*path, e, notes, err) ? -1 : 1;
    else if (rc == 1) rc = read_found(*path, number, e, notes, err);
    if (rc == 1) return 1;
    mem_free(*path);
    *path = NULL;
    return rc;
}
