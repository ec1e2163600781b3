/* xml: XML files, element by element (see xml.h). Extensible Markup Language (XML) 1.0, 5th edition, W3C 2008. */
#include "mrc/xml.h"

#include <assert.h>
#include <libxml/xmlreader.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/gz.h"
#include "base/mem.h"

struct xml {
    const char *name;
    unsigned char *own; /* the bytes, where they are ours */
    xmlTextReaderPtr reader;
    char path[XML_PATH_MAX];
    size_t end[XML_DEPTH_MAX + 1]; /* bytes of the path at each depth */
    size_t depth;
    char *text;
    size_t text_n, text_cap;
    bool leaf;      /* no element has ended since the last began */
    bool empty;     /* <x/>: its end is still to be told */
    bool drop;      /* the path's last element has ended: it goes with the next event */
    bool told;      /* the last event was an end, whose text xml_text() gives */
    xmlChar *attr;
    char cause[200]; /* libxml2's first complaint */
    int line;        /* where, as far as libxml2 has read, which is ahead of us */
    char where[XML_PATH_MAX];
};

/* ---- before libxml2 sees it: encoding, and no document type ---- */

static int head_wrong(const char *name, const unsigned char *b, const unsigned char *at, err_t *err, errcode_t code, const char *what)
{
    size_t line = 1;
    for (; b < at; b++) line += *b == '\n';
    return err_set(err, code, "%s: line %zu: %s", name, line, what);
}

static bool begins(const unsigned char *p, const unsigned char *end, const char *s)
{
    return (size_t)(end - p) >= strlen(s) && !memcmp(p, s, strlen(s));
}

/* First byte behind the next `s`; end where there is none. */
static const unsigned char *behind(const unsigned char *p, const unsigned char *end, const char *s)
{
    while (p < end && !begins(p, end, s)) p++;
    return p < end ? p + strlen(s) : end;
}

/* The encoding that <?xml ...?> at p..end declares is one of ours, or none is declared. */
static bool known_encoding(const unsigned char *p, const unsigned char *end)
{
    static const char *const known[] = {"UTF-8", "UTF8", "US-ASCII", "ASCII", "ISO-8859-1"};
    p = behind(p, end, "encoding");
    while (p < end && *p != '"' && *p != '\'') p++;
    if (p >= end) return true;
    const unsigned char *quote = memchr(p + 1, *p, (size_t)(end - p - 1));
    if (!quote) return true; /* cut short, as libxml2 will say */
    size_t n = (size_t)(quote - p - 1);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strlen(known[i]) == n && !strncasecmp((const char *)p + 1, known[i], n)) return true;
    return false;
}

static int check_head(const char *name, const unsigned char *b, size_t n, err_t *err)
{
    const unsigned char *p = b, *end = b + n;
    if (n >= 2 && ((p[0] == 0xfe && p[1] == 0xff) || (p[0] == 0xff && p[1] == 0xfe)))
        return err_set(err, ERR_UNSUP, "%s: text in UTF-16 (UTF-8 is wanted)", name);
    if (begins(p, end, "\xef\xbb\xbf")) p += 3;
    const unsigned char *nul = n ? memchr(b, 0, n) : NULL;
    if (nul) return head_wrong(name, b, nul, err, ERR_FORMAT, "a NUL byte (XML in UTF-8 is wanted)");
    if (begins(p, end, "<?xml") && !known_encoding(p, behind(p, end, "?>")))
        return head_wrong(name, b, p, err, ERR_UNSUP, "another encoding than UTF-8, US-ASCII and ISO-8859-1");
    for (;;) {
        while (p < end && strchr(" \t\r\n", *p)) p++;
        if (begins(p, end, "<?")) p = behind(p, end, "?>");
        else if (begins(p, end, "<!--")) p = behind(p, end, "-->");
        else break;
    }
    if (begins(p, end, "<!D")) return head_wrong(name, b, p, err, ERR_UNSUP, "a document type declaration (an archive's files have none)");
    if (p >= end || *p != '<') return head_wrong(name, b, p, err, ERR_FORMAT, "no XML (an element is wanted)");
    return 0;
}

/* ---- errors ---- */

static int wrong_at(const xml_t *x, err_t *err, errcode_t code, long line, const char *path, const char *what)
{
    return err_set(err, code, "%s: line %ld, %s: %s", x->name, line, *path ? path : "outside the root element", what);
}

int xml_wrong(const xml_t *x, err_t *err, errcode_t code, const char *fmt, ...)
{
    char what[256];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    xmlNodePtr node = xmlTextReaderCurrentNode(x->reader);
    return wrong_at(x, err, code, node ? xmlGetLineNo(node) : xmlTextReaderGetParserLineNumber(x->reader), x->path, what);
}

/* Names from the root to node, without those that there is no room for. */
static void path_of(const xmlNode *node, char *out, size_t room)
{
    if (!node || node->type != XML_ELEMENT_NODE) return;
    path_of(node->parent, out, room);
    size_t n = strlen(out);
    snprintf(out + n, room - n, "%s%s", n ? "/" : "", (const char *)node->name);
}

static void complaint(void *ctx, xmlErrorPtr e)
{
    xml_t *x = ctx;
    if (!e || e->level < XML_ERR_ERROR || *x->cause) return;
    snprintf(x->cause, sizeof x->cause, "%s", e->message ? e->message : "not well-formed");
    x->cause[strcspn(x->cause, "\n")] = 0;
    x->line = e->line;
    if (e->ctxt) path_of(((xmlParserCtxtPtr)e->ctxt)->node, x->where, sizeof x->where);
}

static int reader_failed(const xml_t *x, err_t *err)
{
    bool limit = strstr(x->cause, "HUGE") || strstr(x->cause, "uge "); /* "use XML_PARSE_HUGE option", "huge text node" */
    if (!*x->cause) return xml_wrong(x, err, ERR_FORMAT, "not well-formed");
    return wrong_at(x, err, limit ? ERR_RANGE : ERR_FORMAT, x->line, x->where, x->cause);
}

/* ---- opening ---- */

static void start_library(void) { xmlInitParser(); }

static xml_t *open_bytes(const char *name, unsigned char *own, const unsigned char *b, size_t n, err_t *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    xml_t *x = mem_zero(1, sizeof *x, err);
    if (!x) {
        mem_free(own);
        return NULL;
    }
    x->name = name;
    x->own = own;
    if (n > XML_FILE_MAX) err_set(err, ERR_RANGE, "%s: %zu bytes (the limit is %zu)", name, n, XML_FILE_MAX);
    else if (!check_head(name, b, n, err)) {
        pthread_once(&once, start_library);
        x->reader = xmlReaderForMemory((const char *)b, (int)n, NULL, NULL, XML_PARSE_NONET | XML_PARSE_COMPACT | XML_PARSE_BIG_LINES);
        if (!x->reader) err_set(err, ERR_NOMEM, "%s: no memory for the XML reader", name);
    }
    if (!x->reader) {
        xml_close(x);
        return NULL;
    }
    xmlTextReaderSetStructuredErrorHandler(x->reader, complaint, x);
    return x;
}

xml_t *xml_mem(const char *name, const void *bytes, size_t n, err_t *err) { return open_bytes(name, NULL, bytes, n, err); }

xml_t *xml_open(const char *path, err_t *err)
{
    size_t n;
    unsigned char *own = gz_read(path, XML_FILE_MAX, &n, err);
    return own ? open_bytes(path, own, own, n, err) : NULL;
}

void xml_close(xml_t *x)
{
    if (!x) return;
    if (x->attr) xmlFree(x->attr);
    if (x->reader) xmlFreeTextReader(x->reader);
    mem_free(x->text);
    mem_free(x->own);
    mem_free(x);
}

/* ---- reading ---- */

static int add_text(xml_t *x, err_t *err)
{
    const char *s = (const char *)xmlTextReaderConstValue(x->reader);
    size_t n = s ? strlen(s) : 0;
    if (!x->leaf || !n) return 0;
    if (x->text_n + n > XML_TEXT_MAX) return xml_wrong(x, err, ERR_RANGE, "more than %zu bytes of text", XML_TEXT_MAX);
    if (mem_grow(&x->text, &x->text_cap, x->text_n + n + 1, 1, err)) return -1;
    memcpy(x->text + x->text_n, s, n + 1);
    x->text_n += n;
    return 0;
}

static int push(xml_t *x, err_t *err)
{
    const char *name = (const char *)xmlTextReaderConstLocalName(x->reader);
    size_t at = x->end[x->depth], n = name ? strlen(name) : 0;
    if (!n) return xml_wrong(x, err, ERR_FORMAT, "an element without a name");
    if (x->depth == XML_DEPTH_MAX) return xml_wrong(x, err, ERR_RANGE, "more than %d nested elements", XML_DEPTH_MAX);
    if (at + n + 2 > sizeof x->path) return xml_wrong(x, err, ERR_RANGE, "names of nested elements over %d bytes", XML_PATH_MAX);
    if (at) x->path[at++] = '/';
    memcpy(x->path + at, name, n + 1);
    x->end[++x->depth] = at + n;
    x->leaf = true;
    x->text_n = 0;
    return 0;
}

static void pop(xml_t *x)
{
    assert(x->depth);
    x->path[x->end[--x->depth]] = 0;
    x->leaf = false;
    x->drop = false;
}

static void end_event(xml_t *x, xmlevent_t *event)
{
    x->empty = false;
    x->drop = x->told = true;
    *event = XML_END;
}

/* What the reader stands on. 1: an event. 0: nothing to tell. */
static int node(xml_t *x, xmlevent_t *event, err_t *err)
{
    switch (xmlTextReaderNodeType(x->reader)) {
    case XML_READER_TYPE_ELEMENT:
        if (push(x, err)) return -1;
        x->empty = xmlTextReaderIsEmptyElement(x->reader) == 1;
        *event = XML_BEGIN;
        return 1;
    case XML_READER_TYPE_END_ELEMENT: end_event(x, event); return 1;
    case XML_READER_TYPE_TEXT:
    case XML_READER_TYPE_CDATA:
    case XML_READER_TYPE_SIGNIFICANT_WHITESPACE:
    case XML_READER_TYPE_WHITESPACE: return add_text(x, err);
    case XML_READER_TYPE_DOCUMENT_TYPE:
    case XML_READER_TYPE_ENTITY_REFERENCE:
    case XML_READER_TYPE_ENTITY: return xml_wrong(x, err, ERR_UNSUP, "an entity or a document type declaration");
    default: return 0;
    }
}

int xml_next(xml_t *x, xmlevent_t *event, err_t *err)
{
    if (x->drop) pop(x);
    x->told = false;
    if (x->empty) {
        end_event(x, event);
        return 0;
    }
    for (;;) {
        int rc = xmlTextReaderRead(x->reader);
        if (rc < 0 || *x->cause) return reader_failed(x, err);
        if (!rc && x->depth) return xml_wrong(x, err, ERR_FORMAT, "cut short");
        if (!rc) {
            *event = XML_DONE;
            return 0;
        }
        rc = node(x, event, err);
        if (rc) return rc < 0 ? -1 : 0;
    }
}

const char *xml_path(const xml_t *x) { return x->path; }

const char *xml_name(const xml_t *x)
{
    const char *slash = strrchr(x->path, '/');
    return slash ? slash + 1 : x->path;
}

const char *xml_text(const xml_t *x)
{
    if (!x->told || !x->leaf || !x->text_n) return "";
    char *s = x->text;
    size_t n = x->text_n;
    while (n && strchr(" \t\r\n", s[n - 1])) n--;
    s[n] = 0;
    for (size_t i = 0; i < n; i++)
        if (strchr("\t\r\n", s[i])) s[i] = ' ';
    return s + strspn(s, " ");
}

const char *xml_attr(xml_t *x, const char *name)
{
    if (x->attr) xmlFree(x->attr);
    x->attr = xmlTextReaderGetAttribute(x->reader, (const xmlChar *)name);
    return x->attr ? (const char *)x->attr : "";
}
