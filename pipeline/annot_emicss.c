/* annot_emicss: the cross-references of EMDB entries, from EMICSS XML, one file an entry (see annot_priv.h). */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "mrc/xml.h"
#include "pipeline/annot_priv.h"

static int add_text(xrefs_t *x, const char *s, uint32_t *number, err_t *err) { return intern_add(&x->text, s, strlen(s), number, err); }

static int begin_root(xml_t *in, xrefs_t *x, uint32_t *entry, err_t *err)
{
    if (strcmp(xml_name(in), "emicss") != 0) return xml_wrong(in, err, ERR_FORMAT, "no EMICSS file (whose root element is emicss)");
    const char *id = xml_attr(in, "emdb_id");
    size_t digits = !strncmp(id, "EMD-", 4) ? strspn(id + 4, "0123456789") : 0;
    if (digits < 4 || digits > 11 || id[4 + digits]) return xml_wrong(in, err, ERR_FORMAT, "emdb_id '%.40s' (EMD-1234, say, is wanted)", id);
    return add_text(x, id, entry, err);
}

static int begin_xref(xml_t *in, xrefs_t *x, uint32_t entry, err_t *err)
{
    xref_t r = {.entry = entry};
    if (add_text(x, xml_attr(in, "db_source"), &r.db, err)) return -1;
    const char *id = xml_attr(in, "accession_id");
    if (!*id) id = xml_attr(in, "db_accession_id"); /* of the schema's first versions */
    if (!*id) return 0;
    if (add_text(x, id, &r.value, err) || mem_grow(&x->ref, &x->cap, x->n + 1, sizeof *x->ref, err)) return -1;
    x->ref[x->n++] = r;
    return 0;
}

static int read_all(xml_t *in, xrefs_t *x, err_t *err)
{
    xmlevent_t event;
    uint32_t entry = 0;
    for (;;) {
        if (xml_next(in, &event, err)) return -1;
        if (event == XML_DONE) return 0;
        if (event != XML_BEGIN) continue;
        if (!strchr(xml_path(in), '/') && begin_root(in, x, &entry, err)) return -1;
        if (!strcmp(xml_name(in), "cross_ref_db") && begin_xref(in, x, entry, err)) return -1;
    }
}

static int close_after(xml_t *in, xrefs_t *x, err_t *err)
{
    int rc = in ? read_all(in, x, err) : -1;
    xml_close(in);
    return rc;
}

int emicss_read(const char *path, xrefs_t *x, err_t *err) { return close_after(xml_open(path, err), x, err); }

int emicss_mem(const char *name, const void *bytes, size_t n, xrefs_t *x, err_t *err) { return close_after(xml_mem(name, bytes, n, err), x, err); }

static int is_emicss(const struct dirent *d)
{
    static const char *const suffix[] = {"_emicss.xml", "_emicss.xml.gz"};
    size_t n = strlen(d->d_name);
    for (size_t i = 0; i < 2; i++)
        if (n > strlen(suffix[i]) && !strcmp(d->d_name + n - strlen(suffix[i]), suffix[i])) return 1;
    return 0;
}

int emicss_folder(const char *folder, xrefs_t *x, err_t *err)
{
    struct dirent **list = NULL;
    int n = scandir(folder, &list, is_emicss, alphasort), rc = 0;
    if (n < 0) return err_set(err, ERR_IO, "%s: %s", folder, strerror(errno));
    for (int i = 0; i < n; i++) {
        size_t room = strlen(folder) + strlen(list[i]->d_name) + 2;
        char *path = rc ? NULL : mem_new(room, 1, err);
        if (path) snprintf(path, room, "%s/%s", folder, list[i]->d_name);
        rc = path && !emicss_read(path, x, err) ? 0 : -1;
        mem_free(path);
        free(list[i]);
    }
    free(list);
    return rc;
}

void xrefs_free(xrefs_t *x)
{
    intern_free(&x->text);
    mem_free(x->ref);
    *x = (xrefs_t){0};
}
