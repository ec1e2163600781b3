/* doc: help, man pages and shell completion from the command and option tables (see doc.h). */
#include "src/doc.h"

#include <string.h>

#include "config.h"

void doc_version(FILE *f)
{
    fprintf(f, "cryolex %s\n", PACKAGE_VERSION);
    fprintf(f, "%s", CRYOLEX_PARTS);
}

void doc_overview(FILE *f)
{
    fputs("cryolex: what is this cryo-EM map, and what does it do?\n\n"
          "usage: cryolex COMMAND [options] ...\n\n",
          f);
    for (const cmd_t *const *c = cmd_table; *c; c++) fprintf(f, "  %-14s %s\n", (*c)->name, (*c)->summary);
    fputs("\nEach command has -h and a man page (man cryolex-COMMAND). Data go to standard output, all else to\n"
          "standard error. Exit status: 0 done, 1 some items failed, 2 misuse, 3 could not run.\n"
          "cryolex --version lists the parts built in.\n",
          f);
}

void doc_help(const cmd_t *c, const opt_t *common, FILE *f)
{
    fprintf(f, "cryolex %s: %s\n\nusage: cryolex %s %s\n\n", c->name, c->summary, c->name, c->args);
    if (c->about) fprintf(f, "%s\n\n", c->about);
    opt_help(c->opts, f);
    opt_help(common, f);
    fprintf(f, "  -h, --help                This text\n");
    if (c->example) fprintf(f, "\nexample: %s\n", c->example);
}

static void man_head(const char *page, const char *summary, FILE *f)
{
    fprintf(f, ".TH \"%s\" 1 \"\" \"CryoLex %s\" \"User Commands\"\n.SH NAME\n", page, PACKAGE_VERSION);
    opt_roff(page, f);
    fputs(" \\- ", f);
    opt_roff(summary, f);
    fputc('\n', f);
}

static void man_tail(FILE *f)
{
    fputs(".SH EXIT STATUS\n0 done, 1 some items failed, 2 misuse, 3 could not run.\n", f);
}

/* Paragraphs are separated by an empty line. */
static void man_text(const char *text, FILE *f)
{
    while (*text) {
        const char *gap = strstr(text, "\n\n");
        size_t n = gap ? (size_t)(gap - text) : strlen(text);
        char buf[4096];
        snprintf(buf, sizeof buf, "%.*s", (int)(n < sizeof buf ? n : sizeof buf - 1), text);
        opt_roff(buf, f);
        fputs("\n", f);
        if (!gap) break;
        fputs(".PP\n", f);
        text = gap + 2;
    }
}

/* "index build" -> "cryolex-index-build" */
static void page_name(const cmd_t *c, char *buf, size_t n)
{
    snprintf(buf, n, "cryolex-%s", c->name);
    for (char *p = buf; *p; p++)
        if (*p == ' ') *p = '-';
}

static void man_overview(FILE *f)
{
    char page[64];
    man_head("cryolex", "what is this cryo-EM map, and what does it do?", f);
    fputs(".SH SYNOPSIS\n.B cryolex\n\\fICOMMAND\\fR [options] ...\n.SH COMMANDS\n", f);
    for (const cmd_t *const *c = cmd_table; *c; c++) {
        page_name(*c, page, sizeof page);
        fputs(".TP\n\\fB", f);
        opt_roff(page, f);
        fputs("\\fR(1)\n", f);
        opt_roff((*c)->summary, f);
        fputs(".\n", f);
    }
    man_tail(f);
}

int doc_man(const char *page, const opt_t *common, FILE *f)
{
    char name[64];
    if (!strcmp(page, "cryolex")) {
        man_overview(f);
        return EXIT_DONE;
    }
    for (const cmd_t *const *c = cmd_table; *c; c++) {
        page_name(*c, name, sizeof name);
        if (strcmp(page, name) != 0) continue;
        man_head(name, (*c)->summary, f);
        fprintf(f, ".SH SYNOPSIS\n.B cryolex %s\n", (*c)->name);
        opt_roff((*c)->args, f);
        fputs("\n.SH DESCRIPTION\n", f);
        man_text((*c)->about ? (*c)->about : (*c)->summary, f);
        fputs(".SH OPTIONS\n", f);
        opt_man((*c)->opts, f);
        opt_man(common, f);
        fputs(".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nShort help.\n", f);
        if ((*c)->example) {
            fputs(".SH EXAMPLE\n.EX\n", f);
            opt_roff((*c)->example, f);
            fputs("\n.EE\n", f);
        }
        man_tail(f);
        fputs(".SH SEE ALSO\n.BR cryolex (1)\n", f);
        return EXIT_DONE;
    }
    fprintf(stderr, "cryolex: --man: no page %s\n", page);
    return EXIT_MISUSE;
}

static void words_of(const opt_t *rows, FILE *f)
{
    for (const opt_t *o = rows; o && o->name; o++) {
        fprintf(f, " --%s", o->name);
        if (o->brief) fprintf(f, " -%c", o->brief);
    }
}

/* Cases for options whose argument is one of a list. */
static void choices_of(const opt_t *rows, FILE *f)
{
    for (const opt_t *o = rows; o && o->name; o++) {
        if (o->type != OPT_CHOICE) continue;
        fprintf(f, "        *' '--%s) words='", o->name);
        for (const char *p = o->choices; *p; p++) fputc(*p == '|' ? ' ' : *p, f);
        fputs("' ;;\n", f);
    }
}

void doc_completion(const opt_t *common, FILE *f)
{
    fputs("# bash completion for cryolex; made by `cryolex --completion` from its option tables\n"
          "_cryolex() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} cmd=${COMP_WORDS[1]} words=\n"
          "    [[ $COMP_CWORD -gt 1 && $cmd == index ]] && cmd=\"index ${COMP_WORDS[2]}\"\n"
          "    if [[ $COMP_CWORD -eq 1 ]]; then\n"
          "        words='",
          f);
    const char *last = "";
    for (const cmd_t *const *c = cmd_table; *c; c++) {
        size_t n = strcspn((*c)->name, " ");
        if (strlen(last) != n || strncmp(last, (*c)->name, n) != 0) fprintf(f, "%.*s ", (int)n, (*c)->name);
        static char first[32];
        snprintf(first, sizeof first, "%.*s", (int)n, (*c)->name);
        last = first;
    }
    fputs("--help --version'\n    elif [[ $COMP_CWORD -eq 2 && ${COMP_WORDS[1]} == index ]]; then\n        words='", f);
    for (const cmd_t *const *c = cmd_table; *c; c++)
        if (!strncmp((*c)->name, "index ", 6)) fprintf(f, "%s ", (*c)->name + 6);
    fputs("'\n    else\n        case \"$cmd $prev\" in\n", f);
    for (const cmd_t *const *c = cmd_table; *c; c++) choices_of((*c)->opts, f);
    fputs("        *)\n            [[ $cur == -* ]] && case \"$cmd\" in\n", f);
    for (const cmd_t *const *c = cmd_table; *c; c++) {
        fprintf(f, "            '%s') words='--help -h", (*c)->name);
        words_of((*c)->opts, f);
        words_of(common, f);
        fputs("' ;;\n", f);
    }
    fputs("            esac ;;\n        esac\n    fi\n"
          "    if [[ $words ]]; then\n"
          "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
          "    else\n"
          "        compopt -o filenames 2>/dev/null\n"
          "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
          "    fi\n"
          "}\n"
          "complete -F _cryolex cryolex\n",
          f);
}
