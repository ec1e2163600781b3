/* doc: help, man pages and shell completion from the command and option tables (see doc.h). */
#include "src/doc.h"

#include <string.h>

#include "config.h"

void doc_version(FILE *f)
{
    fprintf(f, "cryolex %s\n", PACKAGE_VERSION);
    fprintf(f, "%s", CRYOLEX_PARTS);
}

static void command_line(const cmd_t *c, FILE *f)
{
    fprintf(f, "  %-15s  %s\n", c->name, c->summary);
}

void doc_overview(FILE *f)
{
    fputs("cryolex: what is this cryo-EM map, and what does it do?\n\n"
          "usage: cryolex COMMAND [options] ...\n\n",
          f);
    for (const cmd_t *const *c = cmd_table; *c; c++) command_line(*c, f);
    fputs("\nEach command has -h and a man page (man cryolex-COMMAND). Data go to standard\n"
          "output, all else to standard error. Exit status: 0 done; 1 some of several items\n"
          "failed, or a file departs from the standard; 2 misuse; 3 nothing could be done.\n"
          "cryolex --version lists the parts built in.\n",
          f);
}

void doc_help(const cmd_t *c, const opt_t *common, FILE *f)
{
    fprintf(f, "cryolex %s: %s\n\nusage: cryolex %s [options]%s%s\n\n", c->name, c->summary, c->name,
            *c->args ? " " : "", c->args);
    if (c->about) {
        opt_text(c->about, f);
        fputc('\n', f);
    }
    opt_help(c->opts, f);
    opt_help(common, f);
    fprintf(f, "  -h, --help                This text\n");
    if (c->example) fprintf(f, "\nexample: %s\n", c->example);
}

static void man_head(const char *page, const char *summary, FILE *f)
{
    fprintf(f, ".TH \"%s\" 1 \"" CRYOLEX_DATE "\" \"CryoLex %s\" \"User Commands\"\n.SH NAME\n", page, PACKAGE_VERSION);
    opt_roff(page, f);
    fputs(" \\- ", f);
    opt_roff(summary, f);
    fputc('\n', f);
}

static void man_tail(FILE *f)
{
    fputs(".SH EXIT STATUS\n0 done; 1 some of several items failed, or (validate) a file departs from\n"
          "the standard; 2 misuse; 3 nothing could be done.\n", f);
}

/* Paragraphs are separated by an empty line. */
static void man_text(const char *text, FILE *f)
{
    for (const char *gap; (gap = strstr(text, "\n\n")); text = gap + 2) {
        opt_roff_n(text, (size_t)(gap - text), f);
        fputs("\n.PP\n", f);
    }
    opt_roff(text, f);
    fputc('\n', f);
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
    fputs(".SH SYNOPSIS\n.B cryolex\n\\fICOMMAND\\fR [options] ...\n.br\n.B cryolex \\-\\-version\n"
          ".SH DESCRIPTION\nData go to standard output, all else to standard error.\n.SH COMMANDS\n",
          f);
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

static void man_command(const cmd_t *c, const char *page, const opt_t *common, FILE *f)
{
    man_head(page, c->summary, f);
    fprintf(f, ".SH SYNOPSIS\n.B cryolex %s\n[options]\n", c->name);
    opt_roff(c->args, f);
    fputs("\n.SH DESCRIPTION\n", f);
    man_text(c->about ? c->about : c->summary, f);
    fputs(".SH OPTIONS\n", f);
    opt_man(c->opts, f);
    opt_man(common, f);
    fputs(".TP\n\\fB\\-h\\fR, \\fB\\-\\-help\\fR\nShort help.\n", f);
    man_tail(f);
    if (c->example) {
        fputs(".SH EXAMPLES\n.EX\n", f);
        opt_roff(c->example, f);
        fputs("\n.EE\n", f);
    }
    fputs(".SH SEE ALSO\n.BR cryolex (1)\n", f);
}

void doc_pages(FILE *f)
{
    char page[64];
    fputs("cryolex\n", f);
    for (const cmd_t *const *c = cmd_table; *c; c++) {
        page_name(*c, page, sizeof page);
        fprintf(f, "%s\n", page);
    }
}

int doc_man(const char *page, const opt_t *common, FILE *f)
{
    char name[64];
    if (!strcmp(page, "cryolex")) {
        man_overview(f);
        return 0;
    }
    for (const cmd_t *const *c = cmd_table; *c; c++) {
        page_name(*c, name, sizeof name);
        if (strcmp(page, name) != 0) continue;
        man_command(*c, name, common, f);
        return 0;
    }
    return -1;
}

/* A command's name is one word, or two where commands form a group: "index build". */
static size_t first_word(const cmd_t *c)
{
    return strcspn(c->name, " ");
}

static bool same_group(const cmd_t *a, const cmd_t *b)
{
    size_t n = first_word(a);
    return n == first_word(b) && !memcmp(a->name, b->name, n);
}

/* True when no earlier command of the table begins with the same word. */
static bool opens_group(const cmd_t *const *c)
{
    for (const cmd_t *const *p = cmd_table; p < c; p++)
        if (same_group(*p, *c)) return false;
    return true;
}

/* Whether c is "first something". */
static bool in_group(const cmd_t *c, const char *first)
{
    size_t len = first_word(c);
    return c->name[len] == ' ' && strlen(first) == len && !memcmp(first, c->name, len);
}

int doc_group(const char *first, const char *before, const char *between, FILE *f)
{
    int n = 0;
    for (const cmd_t *const *c = cmd_table; *c; c++)
        if (in_group(*c, first)) fprintf(f, "%s%s", n++ ? between : before, (*c)->name + first_word(*c) + 1);
    return n;
}

int doc_group_help(const char *first, FILE *f)
{
    int n = 0;
    for (const cmd_t *const *c = cmd_table; *c; c++) {
        if (!in_group(*c, first)) continue;
        if (!n++) fprintf(f, "usage: cryolex %s COMMAND [options] ...\n\n", first);
        command_line(*c, f);
    }
    if (n) fprintf(f, "\nEach has -h and a man page (man cryolex-%s-COMMAND).\n", first);
    return n;
}

/* The word, and for a group the word after it: case branches on "<number of the word> <first word>". */
static void complete_commands(FILE *f)
{
    fputs("    '1 '*) words='", f);
    for (const cmd_t *const *c = cmd_table; *c; c++)
        if (opens_group(c)) fprintf(f, "%.*s ", (int)first_word(*c), (*c)->name);
    fputs("--help --version' ;;\n", f);
    for (const cmd_t *const *c = cmd_table; *c; c++) {
        char first[64], before[96];
        snprintf(first, sizeof first, "%.*s", (int)first_word(*c), (*c)->name);
        snprintf(before, sizeof before, "    '2 %s') words='", first);
        if (opens_group(c) && doc_group(first, before, " ", f)) fputs("' ;;\n", f);
    }
}

/* What may follow an option: one of its choices, nothing to offer for a number, else a file name. */
static void complete_arguments(const cmd_t *c, const opt_t *rows, FILE *f)
{
    const char *second = strchr(c->name, ' ') ? "" : "' '*"; /* case branches on "<word 1> <word 2> <word before>" */
    for (optwalk_t w = opt_walk(rows, NULL); w.row; opt_next(&w)) {
        const opt_t *o = w.row;
        if (o->type == OPT_FLAG || o->type == OPT_STR) continue;
        fprintf(f, "        '%s'%s' --%s'", c->name, second, o->name);
        if (o->brief) fprintf(f, " | '%s'%s' -%c'", c->name, second, o->brief);
        if (o->type == OPT_CHOICE) {
            fputs(") words='", f);
            for (const char *p = o->choices; *p; p++) fputc(*p == '|' ? ' ' : *p, f);
            fputs("' ;;\n", f);
        } else {
            fputs(") return ;;\n", f);
        }
    }
}

static void complete_options(const opt_t *rows, FILE *f)
{
    for (optwalk_t w = opt_walk(rows, NULL); w.row; opt_next(&w)) {
        fprintf(f, " --%s", w.row->name);
        if (w.row->brief) fprintf(f, " -%c", w.row->brief);
    }
}

void doc_completion(const opt_t *common, FILE *f)
{
    fputs("# bash completion for cryolex, from its option tables.\n"
          "_cryolex() {\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=\n"
          "    # bash splits --option=value at the sign\n"
          "    if [[ $cur == = ]]; then cur=; elif [[ $prev == = ]]; then prev=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
          "    case \"$COMP_CWORD ${COMP_WORDS[1]}\" in\n",
          f);
    complete_commands(f);
    fputs("    *)\n        case \"${COMP_WORDS[1]} ${COMP_WORDS[2]} $prev\" in\n", f);
    for (const cmd_t *const *c = cmd_table; *c; c++) {
        complete_arguments(*c, (*c)->opts, f);
        complete_arguments(*c, common, f);
    }
    fputs("        *)\n            [[ $cur == -* ]] && case \"${COMP_WORDS[1]} ${COMP_WORDS[2]} \" in\n", f);
    for (const cmd_t *const *c = cmd_table; *c; c++) {
        fprintf(f, "            '%s '*) words='--help -h", (*c)->name);
        complete_options((*c)->opts, f);
        complete_options(common, f);
        fputs("' ;;\n", f);
    }
    fputs("            esac ;;\n"
          "        esac ;;\n"
          "    esac\n"
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
