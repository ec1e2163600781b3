/* test_base: errors, memory, options, files, random numbers, volumes. */
#include "tests/test.h"

#include <fcntl.h>
#include <glob.h>
#include <libdeflate.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/block.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/file.h"
#include "base/gz.h"
#include "base/intern.h"
#include "base/mem.h"
#include "base/notes.h"
#include "base/opt.h"
#include "base/rng.h"
#include "base/threads.h"
#include "base/tsv.h"
#include "base/utf8.h"
#include "base/vol.h"

static void err_keeps_first_cause(void **state)
{
    (void)state;
    err_t e = {0};
    assert_int_equal(err_set(&e, ERR_IO, "a: %d", 1), -1);
    err_set(&e, ERR_RANGE, "b\n");
    assert_int_equal(e.code, ERR_IO);
    assert_string_equal(e.msg, "a: 1");
    err_t f = {0};
    err_set(&f, ERR_FORMAT, "x\033[0m\n");
    assert_string_equal(f.msg, "x?[0m?");
    assert_int_equal(err_set(NULL, ERR_IO, "dropped"), -1);
    err_prefix(&e, "f");
    assert_string_equal(e.msg, "f: a: 1");
    err_prefix(&e, "f");
    assert_string_equal(e.msg, "f: a: 1");
    assert_int_equal(e.code, ERR_IO);
    err_t none = {0};
    err_prefix(&none, "f");
    err_prefix(NULL, "f");
    assert_string_equal(none.msg, "");
    assert_string_equal(err_name(ERR_UNSUP), "unsupported");
}

/* Freed blocks serve again, and those that are kept are never more than were used at a time. */
static void blocks_are_used_again(void **state)
{
    (void)state;
    enum { N = 6 };
    const size_t mega = 1 << 20;
    unsigned char *p[N];
    for (size_t i = 0; i < N; i++) {
        p[i] = mem_new((4 + 3 * i) * mega, 1, NULL);
        assert_non_null(p[i]);
        memset(p[i], (int)i, (4 + 3 * i) * mega);
    }
    const blocks_t full = block_count();
    for (size_t i = 0; i < N; i++)
        for (size_t k = 0; k < (4 + 3 * i) * mega; k += 4093) assert_int_equal(p[i][k], i);
    for (size_t i = 0; i < N; i++) mem_free(p[i]);
    const blocks_t empty = block_count();
    assert_int_equal(full.used - empty.used, (4 + 8 + 10 + 14 + 16 + 20) * mega); /* in huge pages */
    assert_true(empty.used + empty.kept <= empty.most + empty.most / BLOCK_OVER);
#ifndef __SANITIZE_ADDRESS__
    unsigned char *q = mem_new(15 * mega, 1, NULL);
    assert_ptr_equal(q, p[4]); /* the smallest that serves */
    unsigned char *r = mem_new(17 * mega, 1, NULL);
    assert_ptr_equal(r, p[5]);
    mem_free(q);
    mem_free(r);
#endif
    for (size_t i = 1; i < 40; i++) { /* sizes that never fit what is kept */
        mem_free(mem_new((i % 2 ? 4 : 60) * mega, 1, NULL));
        const blocks_t b = block_count();
        assert_true(b.used + b.kept <= b.most + b.most / BLOCK_OVER);
    }
    assert_false(block_free(NULL));
    mem_trim();
    assert_int_equal(block_count().kept, 0);
    assert_int_equal(block_count().used, empty.used);
}

static void mem_refuses_overflow(void **state)
{
    (void)state;
    err_t e = {0};
    assert_null(mem_new(SIZE_MAX / 2, 3, &e));
    assert_int_equal(e.code, ERR_NOMEM);
    void *p = mem_zero(0, 8, NULL);
    assert_non_null(p);
    mem_free(p);
    int *a = NULL;
    size_t cap = 0;
    for (size_t i = 0; i < 1000; i++) {
        assert_int_equal(mem_grow(&a, &cap, i + 1, sizeof *a, NULL), 0);
        a[i] = (int)i;
    }
    for (size_t i = 0; i < 1000; i++) assert_int_equal(a[i], i);
    assert_int_equal((uintptr_t)a % MEM_ALIGN, 0);
    mem_free(a);
}

typedef struct {
    bool flag;
    long n;
    double x;
    const char *s;
    int which;
    size_t size;
    double maybe;
} demo_t;

static const opt_t demo[] = {
    {'f', "flag", OPT_FLAG, offsetof(demo_t, flag), NULL, 0, 0, NULL, NULL, "A flag"},
    {'n', "number", OPT_INT, offsetof(demo_t, n), "N", 1, 10, NULL, "3", "A number"},
    {'x', "real", OPT_REAL, offsetof(demo_t, x), "X", -1, 1, NULL, "0.5", "A real"},
    {0, "string", OPT_STR, offsetof(demo_t, s), "S", 0, 0, NULL, NULL, "A string"},
    {0, "choice", OPT_CHOICE, offsetof(demo_t, which), NULL, 0, 0, "auto|start|none", "start", "A choice"},
    {0, "size", OPT_SIZE, offsetof(demo_t, size), "SIZE", 1, 0x1p40, NULL, "1K", "A size"},
    {0, "maybe", OPT_MAYBE, offsetof(demo_t, maybe), "X", -1, 1, NULL, NULL, "A real that may be absent"},
    {0},
};

static errcode_t parse(demo_t *d, int *first, const char *line)
{
    static char buf[256];
    char *argv[32] = {(char *)(uintptr_t) "demo"};
    int argc = 1;
    bool help;
    err_t e = {0};
    snprintf(buf, sizeof buf, "%s", line);
    for (char *p = strtok(buf, " "); p; p = strtok(NULL, " ")) argv[argc++] = p;
    *d = (demo_t){0};
    opt_defaults(demo, d);
    opt_parse(demo, d, NULL, NULL, argc, argv, first, &help, &e);
    return e.code;
}

static void opt_rows(void **state)
{
    (void)state;
    demo_t d;
    int first;
    assert_int_equal(parse(&d, &first, ""), ERR_OK);
    assert_int_equal(d.n, 3);
    assert_close(d.x, 0.5, 0);
    assert_int_equal(d.which, 1);
    assert_int_equal(d.size, 1024);
    assert_false(d.flag);
    assert_true(isnan(d.maybe));
    assert_int_equal(parse(&d, &first, "a -f --number=7 b --string s --cho none --size 2M -- -x"), ERR_OK);
    assert_true(d.flag);
    assert_int_equal(d.n, 7);
    assert_int_equal(parse(&d, &first, "--maybe 0"), ERR_OK);
    assert_close(d.maybe, 0, 0);
    assert_int_equal(parse(&d, &first, "a -f --number=7 b --string s --cho none --size 2M -- -x"), ERR_OK);
    assert_string_equal(d.s, "s");
    assert_int_equal(d.which, 2);
    assert_int_equal(d.size, 2 << 20);
    assert_int_equal(first, 10); /* a, b and -x are operands */

    static const char *const bad[] = {"-n 0",    "-n 11",  "-n x", "-n 3x",       "-n",         "-x nan",  "--real inf",
                                      "--s x",   "-z",     "--no", "--choice au", "--flag=1",   "--size 2Q", "--size -1", "--maybe nan"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (parse(&d, &first, bad[i]) != ERR_USAGE) fail_msg("accepted: %s", bad[i]);
}

/* A group's rows stand in its place and fill its struct, before and after other rows. */
static void opt_groups(void **state)
{
    (void)state;
    typedef struct {
        long before;
        demo_t group;
        bool after;
    } outer_t;
    static const opt_t outer[] = {
        {0, "before", OPT_INT, offsetof(outer_t, before), "N", 0, 9, NULL, "4", "First"},
        {0, "demo", OPT_GROUP, offsetof(outer_t, group), NULL, 0, 0, demo, NULL, NULL},
        {'a', "after", OPT_FLAG, offsetof(outer_t, after), NULL, 0, 0, NULL, NULL, "Last"},
        {0},
    };
    outer_t o = {0};
    opt_defaults(outer, &o);
    assert_int_equal(o.before, 4);
    assert_int_equal(o.group.n, 3);
    assert_int_equal(o.group.which, 1);
    char arg[][16] = {"demo", "-a", "--number", "7", "--choice=none", "file"};
    char *argv[7] = {arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]};
    int first;
    bool help;
    err_t e = {0};
    assert_int_equal(opt_parse(outer, &o, NULL, NULL, 6, argv, &first, &help, &e), 0);
    assert_int_equal(o.group.n, 7);
    assert_int_equal(o.group.which, 2);
    assert_true(o.after);
    assert_int_equal(first, 5);
    int n = 0;
    for (optwalk_t w = opt_walk(outer, NULL); w.row; opt_next(&w)) n += w.row->type != OPT_GROUP && !w.out;
    assert_int_equal(n, 2 + sizeof demo / sizeof *demo - 1);
    assert_null(opt_walk(NULL, NULL).row);
}

static void file_is_atomic(void **state)
{
    (void)state;
    char name[64];
    err_t e = {0};
    outfile_t o;
    size_t n;
    snprintf(name, sizeof name, "test_base.%ld.tmpfile", (long)rand());
    assert_int_equal(outfile_open(&o, name, &e), 0);
    fputs("hello", o.f);
    assert_null(file_read(name, 100, &n, NULL)); /* not there before the close */
    assert_int_equal(outfile_close(&o, &e), 0);
    unsigned char *b = file_read(name, 5, &n, &e);
    assert_non_null(b);
    assert_int_equal(n, 5);
    assert_string_equal((char *)b, "hello");
    mem_free(b);
    assert_null(file_read(name, 4, &n, &e));
    assert_int_equal(e.code, ERR_RANGE);
    assert_int_equal(outfile_open(&o, name, NULL), 0);
    fputs("bad", o.f);
    outfile_abort(&o);
    b = file_read(name, 5, &n, NULL);
    assert_string_equal((char *)b, "hello");
    mem_free(b);
    remove(name);
    e = (err_t){0};
    assert_null(file_read("/nonexistent/x", 9, &n, &e));
    assert_int_equal(e.code, ERR_IO);
    e = (err_t){0};
    assert_null(file_read("/", 9, &n, &e));
    assert_int_equal(e.code, ERR_IO);
}

static size_t count_beside(const char *name)
{
    char pattern[96];
    glob_t g;
    snprintf(pattern, sizeof pattern, "%s.tmp.*", name);
    size_t n = glob(pattern, 0, NULL, &g) == 0 ? g.gl_pathc : 0;
    globfree(&g);
    return n;
}

static errcode_t put(const char *path, const char *text, size_t n)
{
    outfile_t o;
    err_t e = {0};
    if (!outfile_open(&o, path, &e)) {
        fwrite(text, 1, n, o.f);
        outfile_close(&o, &e);
    }
    return e.code;
}

static mode_t kind(const char *path)
{
    struct stat st;
    return lstat(path, &st) ? 0 : st.st_mode & S_IFMT;
}

/* Links, pipes, devices and directories stay what they are. */
static void file_keeps_what_is_there(void **state)
{
    (void)state;
    char beside[64], got[8] = "";
    size_t n;
    assert_int_equal(put("test_base.1", "old", 3), ERR_OK);
    remove("test_base.link");
    assert_int_equal(symlink("test_base.1", "test_base.link"), 0);
    assert_int_equal(put("test_base.link", "new", 3), ERR_OK);
    assert_int_equal(kind("test_base.link"), S_IFLNK);
    unsigned char *b = file_read("test_base.1", 9, &n, NULL);
    assert_string_equal((char *)b, "new");
    mem_free(b);
    remove("test_base.1");
    assert_int_equal(put("test_base.link", "new", 3), ERR_IO); /* leads nowhere */
    remove("test_base.link");

    remove("test_base.fifo");
    assert_int_equal(mkfifo("test_base.fifo", 0600), 0);
    int fd = open("test_base.fifo", O_RDWR);
    assert_int_equal(put("test_base.fifo", "piped", 5), ERR_OK);
    assert_int_equal(read(fd, got, 5), 5);
    assert_string_equal(got, "piped");
    assert_int_equal(kind("test_base.fifo"), S_IFIFO);
    assert_false(outfile_whole("test_base.fifo"));
    assert_int_equal(symlink("test_base.fifo", "test_base.link"), 0);
    assert_false(outfile_whole("test_base.link"));
    remove("test_base.link");
    close(fd);
    remove("test_base.fifo");

    /* a name that someone has guessed is not followed */
    snprintf(beside, sizeof beside, "test_base.1.tmp.%ld", (long)getpid());
    assert_int_equal(symlink("test_base.victim", beside), 0);
    assert_int_equal(put("test_base.1", "new", 3), ERR_OK);
    assert_int_equal(kind("test_base.victim"), 0);
    assert_int_equal(kind("test_base.1"), S_IFREG);
    remove(beside);
    assert_true(outfile_whole("test_base.1"));
    remove("test_base.1");
    assert_true(outfile_whole("test_base.1"));
    assert_false(outfile_whole("-"));

    assert_int_equal(put(".", "x", 1), ERR_IO);
    assert_int_equal(put("", "x", 1), ERR_IO);
    assert_int_equal(put("/nonexistent/x", "x", 1), ERR_IO);
    if (kind("/dev/full")) assert_int_equal(put("/dev/full", "x", 1), ERR_IO);
}

/* No room for all: the old file stays and nothing is left beside it. 100 bytes fail when they are flushed at the
 * close, 100000 before, which only the mark on the stream tells then. */
static void file_without_room(void **state)
{
    (void)state;
    static char text[100000];
    struct rlimit was, tight;
    assert_int_equal(put("test_base.1", "old", 3), ERR_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    void (*old)(int) = signal(SIGXFSZ, SIG_IGN);
    tight = was;
    for (int k = 0; k < 2; k++) {
        outfile_t o;
        err_t e = {0};
        tight.rlim_cur = k ? 4096 : 50;
        assert_int_equal(outfile_open(&o, "test_base.1", NULL), 0);
        setrlimit(RLIMIT_FSIZE, &tight);
        fwrite(text, 1, k ? sizeof text : 100, o.f);
        if (k) setrlimit(RLIMIT_FSIZE, &was); /* room again, too late */
        int rc = outfile_close(&o, &e);
        setrlimit(RLIMIT_FSIZE, &was);
        assert_int_equal(rc, -1);
        assert_int_equal(e.code, ERR_IO);
        assert_int_equal(count_beside("test_base.1"), 0);
        size_t n;
        unsigned char *b = file_read("test_base.1", 9, &n, NULL);
        assert_non_null(b);
        assert_string_equal((char *)b, "old");
        mem_free(b);
    }
    signal(SIGXFSZ, old);
    remove("test_base.1");
}

/* A file is read where it will stay: no second copy of it. */
static void file_read_once(void **state)
{
    (void)state;
    const size_t bytes = (size_t)96 << 20;
    FILE *f = fopen("test_base.1", "wb");
    assert_non_null(f);
    assert_int_equal(ftruncate(fileno(f), (off_t)bytes), 0);
    fclose(f);
    size_t n;
    double before = (double)clock_peak();
    unsigned char *b = file_read("test_base.1", bytes, &n, NULL);
    assert_non_null(b);
    assert_int_equal(n, bytes);
    assert_true((double)clock_peak() - before < 1.5 * (double)bytes);
    mem_free(b);
    remove("test_base.1");
}

static void put_file(const char *path, const void *p, size_t n)
{
    outfile_t o;
    assert_int_equal(outfile_open(&o, path, NULL), 0);
    assert_int_equal(fwrite(p, 1, n, o.f), n);
    assert_int_equal(outfile_close(&o, NULL), 0);
}

static errcode_t table(const char *text, tsv_t *t, err_t *e)
{
    put_file("test_base.tsv", text, strlen(text));
    *e = (err_t){0};
    tsv_read("test_base.tsv", t, e);
    remove("test_base.tsv");
    return e->code;
}

static void tsv_rows(void **state)
{
    (void)state;
    tsv_t t;
    err_t e;
    assert_int_equal(table("id\tpath\r\n# note\n\na\t\nb\t-\nc\tx y", &t, &e), ERR_OK);
    assert_int_equal(t.nrow, 3);
    assert_int_equal(tsv_col(&t, "path"), 1);
    assert_int_equal(tsv_col(&t, "pat"), -1);
    assert_string_equal(tsv_get(&t, 0, 0), "a");
    assert_null(tsv_get(&t, 0, 1));
    assert_null(tsv_get(&t, 1, 1));
    assert_null(tsv_get(&t, 1, -1));
    assert_string_equal(tsv_get(&t, 2, 1), "x y");
    assert_int_equal(t.line[2], 6);
    tsv_free(&t);
    assert_int_equal(table("", &t, &e), ERR_FORMAT);
    assert_int_equal(table("a\ta\n", &t, &e), ERR_FORMAT);
    assert_int_equal(table("a\tb\n1\t2\n3\n", &t, &e), ERR_FORMAT);
    assert_non_null(strstr(e.msg, "line 3"));
}

/* Members of gzip data for text, one after the other. */
static size_t pack(const char *const *text, int members, unsigned char *out, size_t room)
{
    size_t n = 0;
    struct libdeflate_compressor *c = libdeflate_alloc_compressor(6);
    assert_non_null(c);
    for (int i = 0; i < members; i++) n += libdeflate_gzip_compress(c, text[i], strlen(text[i]), out + n, room - n);
    libdeflate_free_compressor(c);
    return n;
}

static unsigned char *unpack(const unsigned char *p, size_t n, size_t max, size_t *got, err_t *e)
{
    put_file("test_base.gz", p, n);
    *e = (err_t){0};
    unsigned char *s = gz_read("test_base.gz", max, got, e);
    remove("test_base.gz");
    return s;
}

static void gz_members(void **state)
{
    (void)state;
    static const char *const text[] = {"id\tpath\n", "", "a\tb\nc\td\n"}, all[] = "id\tpath\na\tb\nc\td\n";
    unsigned char in[512];
    size_t got, n = pack(text, 3, in, sizeof in);
    err_t e;
    for (size_t max = sizeof all - 1; max < 40; max++) { /* of what it holds, and of the file itself */
        unsigned char *s = unpack(in, n, max < n ? n : max, &got, &e);
        assert_non_null(s);
        assert_int_equal(got, sizeof all - 1);
        assert_string_equal(s, all);
        mem_free(s);
    }
    unsigned char *s = unpack((const unsigned char *)"plain", 5, 5, &got, &e);
    assert_string_equal(s, "plain");
    mem_free(s);
    n = pack(text + 1, 1, in, sizeof in);
    s = unpack(in, n, 100, &got, &e);
    assert_non_null(s);
    assert_int_equal(got + s[0], 0);
    mem_free(s);
    n = pack(text, 1, in, sizeof in);
    tsv_t t;
    put_file("test_base.tsv", in, n);
    assert_int_equal(tsv_read("test_base.tsv", &t, &e), 0);
    assert_int_equal(tsv_col(&t, "path"), 1);
    tsv_free(&t);
    remove("test_base.tsv");
}

static void gz_damaged(void **state)
{
    (void)state;
    enum { BIG = 100000 };
    static char big[BIG + 1];
    const char *text[] = {big, "end"};
    unsigned char in[2048], bad[2048];
    size_t got;
    err_t e;
    memset(big, 'x', BIG);
    size_t n = pack(text, 1, in, sizeof in);
    assert_null(unpack(in, n, BIG - 1, &got, &e));
    assert_int_equal(e.code, ERR_RANGE);
    unsigned char *s = unpack(in, n, BIG, &got, &e);
    assert_int_equal(got, BIG);
    mem_free(s);
    for (size_t cut = 3; cut < n; cut++) {
        assert_null(unpack(in, cut, 2 * BIG, &got, &e));
        assert_int_equal(e.code, ERR_FORMAT);
    }
    for (size_t i = n - 8; i < n; i++) { /* checksum and size */
        memcpy(bad, in, n);
        bad[i] ^= 0x40;
        assert_null(unpack(bad, n, BIG, &got, &e));
        assert_true(e.code == ERR_FORMAT || e.code == ERR_RANGE);
    }
    memcpy(bad, in, n);
    bad[n] = 'x';
    assert_null(unpack(bad, n + 1, BIG, &got, &e));
    assert_int_equal(e.code, ERR_FORMAT);
    n = pack(text, 2, in, sizeof in); /* the size that the last member tells is far too small */
    assert_null(unpack(in, n, BIG + 2, &got, &e));
    assert_int_equal(e.code, ERR_RANGE);
    s = unpack(in, n, BIG + 3, &got, &e);
    assert_non_null(s);
    assert_int_equal(got, BIG + 3);
    assert_string_equal(s + BIG, "end");
    mem_free(s);
}

static void interned(void **state)
{
    (void)state;
    enum { N = 5000 };
    intern_t t = {0};
    char s[300];
    uint32_t k;
    assert_int_equal(intern_find(&t, "x", 1), -1);
    for (int turn = 0; turn < 2; turn++)
        for (uint32_t i = 0; i < N; i++) {
            int n = snprintf(s, sizeof s, "%0*u", (int)(1 + i % 290), (unsigned)i * 7);
            if (i == 1) n = 0; /* the empty string is one, too */
            assert_int_equal(intern_add(&t, s, (size_t)n, &k, NULL), 0);
            assert_int_equal(k, i);
            assert_int_equal(strlen(t.str[k]), n);
            assert_memory_equal(t.str[k], s, (size_t)n);
            assert_int_equal(intern_find(&t, s, (size_t)n), i);
        }
    assert_int_equal(t.n, N);
    assert_int_equal(intern_find(&t, "no such", 7), -1);
    memset(s, 'y', sizeof s);
    char *long_one = mem_new(200000, 1, NULL);
    assert_non_null(long_one);
    memset(long_one, 'y', 200000);
    assert_int_equal(intern_add(&t, long_one, 200000, &k, NULL), 0);
    assert_int_equal(intern_find(&t, long_one, 199999), -1);
    assert_int_equal(intern_find(&t, long_one, 200000), N);
    mem_free(long_one);
    intern_seal(&t);
    assert_string_equal(t.str[0], "0");
    intern_free(&t);
}

static void utf8_cleaned(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"", ""}, {"plain ~", "plain ~"}, {"a\tb\033\177", "a?b??"},
        {"\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\xac", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x94\xac"},
        {"caf\xe9", "caf?"}, {"\xe9z", "?z"}, {"\x80\xbf", "??"}, {"\xc0\x80\xc1\xbf", "????"}, {"\xe0\x9f\xbf", "???"},
        {"\xed\xa0\x80", "???"}, {"\xf0\x8f\xbf\xbf", "????"}, {"\xf4\x90\x80\x80", "????"}, {"\xf5\x80", "??"},
        {"\xe2\x82", "??"}, {"\xf0\x9f\x94", "???"}, {"\xff", "?"}, {"\xed\x9f\xbf\xee\x80\x80", "\xed\x9f\xbf\xee\x80\x80"},
        {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf"},
    };
    for (size_t k = 0; k < sizeof rows / sizeof *rows; k++) {
        char out[32];
        snprintf(out, sizeof out, "%s", rows[k][0]);
        utf8_clean(out, out);
        assert_string_equal(out, rows[k][1]);
    }
}

/* First outputs of xoshiro256** after SplitMix64 seeding, from the published reference code run with seed 0. */
static void rng_stream(void **state)
{
    (void)state;
    rng_t r;
    rng_seed(&r, 0);
    assert_true(r.s[0] == 0xe220a8397b1dcdafu); /* SplitMix64(0), Vigna's reference */
    assert_true(r.s[1] == 0x6e789e6aa1b965f4u);
    double sum = 0, sq = 0;
    for (int i = 0; i < 100000; i++) {
        double x = rng_normal(&r);
        sum += x;
        sq += x * x;
    }
    assert_close(sum / 1e5, 0, 0.02);
    assert_close(sq / 1e5, 1, 0.02);
    for (int i = 0; i < 1000; i++) {
        double u = rng_unit(&r);
        assert_true(u >= 0 && u < 1);
    }
}

static void vol_statistics(void **state)
{
    (void)state;
    err_t e = {0};
    assert_null(vol_new(0, 1, 1, 1, &e));
    assert_int_equal(e.code, ERR_RANGE);
    vol_t *v = vol_new(5, 7, 130, 2, NULL);
    rng_t r;
    rng_seed(&r, 1);
    double sum = 0, sq = 0;
    for (size_t i = 0; i < vol_len(v); i++) {
        v->data[i] = (float)(1e4 + rng_normal(&r));
        sum += (double)v->data[i];
    }
    double mean = sum / (double)vol_len(v);
    for (size_t i = 0; i < vol_len(v); i++) sq += ((double)v->data[i] - mean) * ((double)v->data[i] - mean);
    volstat_t a, b;
    vol_stats(v, &a);
    assert_close(a.mean, mean, 1e-8);
    assert_close(a.sd, sqrt(sq / (double)vol_len(v)), 1e-8);
    threads_set(1);
    vol_stats(v, &b);
    assert_memory_equal(&a, &b, sizeof a);
    v->data[3] = NAN;
    v->data[4] = INFINITY;
    vol_stats(v, &a);
    assert_int_equal(a.bad, 2);
    assert_true(isfinite(a.mean) && isfinite(a.sd));
    vol_free(v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(err_keeps_first_cause), cmocka_unit_test(mem_refuses_overflow), cmocka_unit_test(blocks_are_used_again),
        cmocka_unit_test(opt_rows),              cmocka_unit_test(opt_groups),
        cmocka_unit_test(file_is_atomic),        cmocka_unit_test(file_keeps_what_is_there),
        cmocka_unit_test(file_without_room),     cmocka_unit_test(file_read_once),
        cmocka_unit_test(tsv_rows),              cmocka_unit_test(gz_members),
        cmocka_unit_test(gz_damaged),            cmocka_unit_test(interned),
        cmocka_unit_test(utf8_cleaned),
        cmocka_unit_test(rng_stream),            cmocka_unit_test(vol_statistics),
    };
    return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
