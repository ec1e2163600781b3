/* ledger: what became of each item of a sweep (see ledger.h). */
#include "pipeline/ledger.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/mem.h"

const char *const ledger_state[LEDGER_STATES] = {"pending", "done", "failed", "skipped"};

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS run(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS item(row INTEGER PRIMARY KEY, n INTEGER, id TEXT NOT NULL, path TEXT NOT NULL, state INTEGER NOT NULL DEFAULT 0,"
    " sig TEXT NOT NULL DEFAULT '', attempts INTEGER NOT NULL DEFAULT 0, crashed INTEGER NOT NULL DEFAULT 0, cause TEXT, message TEXT,"
    " rg REAL, seconds_cube REAL, seconds_network REAL, seconds_search REAL, bytes INTEGER, voxels INTEGER, UNIQUE(id, path));"
    "CREATE INDEX IF NOT EXISTS item_n ON item(n);"
    "CREATE TABLE IF NOT EXISTS result(row INTEGER PRIMARY KEY, json TEXT, tsv TEXT, z BLOB);";

enum { DO_GET, DO_SET, DO_CLEAR, DO_PLACE, DO_FIND, DO_AGAIN, DO_ITEM, DO_RESULT, DO_WALK, DO_WALK_ALL, DOES };
static const char *const statement[DOES] = {
    [DO_GET] = "SELECT value FROM run WHERE name = ?1",
    [DO_SET] = "INSERT OR REPLACE INTO run(name, value) VALUES(?1, ?2)",
    [DO_CLEAR] = "UPDATE item SET n = NULL",
    [DO_PLACE] = "INSERT INTO item(n, id, path) VALUES(?1, ?2, ?3) ON CONFLICT(id, path) DO UPDATE SET n = ?1",
    [DO_FIND] = "SELECT row, state, attempts, crashed, sig FROM item WHERE id = ?1 AND path = ?2",
    [DO_AGAIN] = "UPDATE item SET state = 0 WHERE row = ?1",
    [DO_ITEM] = "UPDATE item SET state = ?2, sig = ?3, attempts = attempts + 1, crashed = ?4, cause = ?5, message = ?6, rg = ?7, seconds_cube = ?8,"
                " seconds_network = ?9, seconds_search = ?10, bytes = ?11, voxels = ?12 WHERE row = ?1",
    [DO_RESULT] = "INSERT OR REPLACE INTO result(row, json, tsv, z) VALUES(?1, ?2, ?3, ?4)",
    [DO_WALK] = "SELECT n, id, path, attempts, state, cause, message, rg, seconds_cube, seconds_network, seconds_search, bytes, voxels, crashed FROM item"
                " WHERE n IS NOT NULL ORDER BY n",
    [DO_WALK_ALL] = "SELECT n, id, path, attempts, state, cause, message, rg, seconds_cube, seconds_network, seconds_search, bytes, voxels, crashed,"
                    " json, tsv, z FROM item LEFT JOIN result USING(row) WHERE n IS NOT NULL ORDER BY n",
};

struct ledger {
    sqlite3 *db;
    sqlite3_stmt *st[DOES];
    char *path;
    const char *journal;
    int walk; /* DO_WALK, DO_WALK_ALL */
};

void result_free(result_t *r)
{
    mem_free(r->cause);
    mem_free(r->message);
    mem_free(r->json);
    mem_free(r->tsv);
    mem_free(r->z);
    *r = (result_t){0};
}

static int failed(ledger_t *l, err_t *err)
{
    int os = errno, code = l->db ? sqlite3_errcode(l->db) : SQLITE_NOMEM;
    if (code != SQLITE_IOERR && code != SQLITE_CANTOPEN && code != SQLITE_FULL) os = 0;
    if (code == SQLITE_BUSY) return err_set(err, ERR_BUSY, "%s: another sweep is at work there", l->path);
    if (code == SQLITE_NOMEM) return err_set(err, ERR_NOMEM, "%s: no memory", l->path);
    if (code == SQLITE_NOTADB || code == SQLITE_CORRUPT) return err_set(err, ERR_FORMAT, "%s: %s", l->path, sqlite3_errmsg(l->db));
    return err_set(err, ERR_IO, "%s: %s%s%s", l->path, l->db ? sqlite3_errmsg(l->db) : "cannot open", os ? ": " : "", os ? strerror(os) : "");
}

static int run(ledger_t *l, const char *sql, err_t *err)
{
    errno = 0;
    return sqlite3_exec(l->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : failed(l, err);
}

/* The prepared statement, ready for values. NULL with err. */
static sqlite3_stmt *ready(ledger_t *l, int what, err_t *err)
{
    if (!l->st[what] && sqlite3_prepare_v2(l->db, statement[what], -1, &l->st[what], NULL) != SQLITE_OK) {
        failed(l, err);
        return NULL;
    }
    sqlite3_reset(l->st[what]);
    sqlite3_clear_bindings(l->st[what]);
    return l->st[what];
}

/* Run a statement that gives no rows. */
static int done(ledger_t *l, sqlite3_stmt *s, err_t *err)
{
    errno = 0;
    int rc = sqlite3_step(s) == SQLITE_DONE ? 0 : failed(l, err);
    sqlite3_reset(s);
    return rc;
}

bool ledger_there(const char *dir)
{
    struct stat st;
    char path[4096];
    return snprintf(path, sizeof path, "%s/" LEDGER_FILE, dir) < (int)sizeof path && !stat(path, &st);
}

/* Whether the folder is on a disk of this machine alone, as far as is known. */
static bool local_disk(const char *dir)
{
    static const unsigned long local[] = {
        0xEF53, 0x58465342, 0x9123683E, 0x01021994, 0x794c7630, 0x2FC12FC1, 0xF2F52010, 0xCA451A4E, /* ext, xfs, btrfs, tmpfs, overlay, zfs, f2fs, bcachefs */
    };
    struct statfs s;
    if (statfs(dir, &s)) return false;
    for (size_t i = 0; i < sizeof local / sizeof *local; i++)
        if ((unsigned long)s.f_type == local[i]) return true;
    return false;
}

/* Locked from the first read on; SQLite lets go when the process ends, however it does. */
static int settle(ledger_t *l, const char *dir, bool only_read, double wait, err_t *err)
{
    bool local = local_disk(dir);
    sqlite3_extended_result_codes(l->db, 0);
    sqlite3_busy_timeout(l->db, (int)(1000 * wait));
    l->journal = local ? "wal" : "truncate";
    if (only_read) return 0;
    if (run(l, "PRAGMA locking_mode = EXCLUSIVE", err)) return -1;
    if (run(l, local ? "PRAGMA journal_mode = WAL" : "PRAGMA journal_mode = TRUNCATE", err)) return -1;
    if (run(l, local ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL", err)) return -1;
    return run(l, "BEGIN EXCLUSIVE", err) || run(l, schema, err) || run(l, "COMMIT", err) ? -1 : 0;
}

/* A new ledger gets its version; another has to have ours. */
static int check_version(ledger_t *l, bool only_read, err_t *err)
{
    char *version = NULL;
    if (ledger_get(l, "version", &version, err)) return -1;
    int rc = 0;
    if (!*version && !only_read) rc = ledger_set(l, "version", LEDGER_VERSION, err);
    else if (strcmp(version, LEDGER_VERSION) != 0)
        rc = err_set(err, *version ? ERR_UNSUP : ERR_FORMAT, "%s: ledger version %s (%s)", l->path, *version ? version : "none", LEDGER_VERSION);
    mem_free(version);
    return rc;
}

ledger_t *ledger_open(const char *dir, bool only_read, double wait, err_t *err)
{
    struct stat st;
    ledger_t *l = mem_zero(1, sizeof *l, err);
    size_t n = strlen(dir) + sizeof "/" LEDGER_FILE;
    if (!l || !(l->path = mem_new(n, 1, err))) goto fail;
    snprintf(l->path, n, "%s/" LEDGER_FILE, dir);
    if (only_read && stat(l->path, &st)) {
        err_set(err, ERR_NOTFOUND, "%s: %s", l->path, strerror(errno));
        goto fail;
    }
    if (sqlite3_open_v2(l->path, &l->db, SQLITE_OPEN_READWRITE | (only_read ? 0 : SQLITE_OPEN_CREATE), NULL) != SQLITE_OK) {
        failed(l, err);
        goto fail;
    }
    if (!settle(l, dir, only_read, wait, err) && !check_version(l, only_read, err)) return l;
fail:
    ledger_close(l);
    return NULL;
}

void ledger_close(ledger_t *l)
{
    if (!l) return;
    for (int i = 0; i < DOES; i++) sqlite3_finalize(l->st[i]);
    sqlite3_close(l->db);
    mem_free(l->path);
    mem_free(l);
}

const char *ledger_journal(const ledger_t *l) { return l->journal; }

int ledger_begin(ledger_t *l, err_t *err) { return run(l, "BEGIN", err); }

int ledger_commit(ledger_t *l, err_t *err)
{
    if (!run(l, "COMMIT", err)) return 0;
    run(l, "ROLLBACK", NULL);
    return -1;
}

int ledger_get(ledger_t *l, const char *name, char **value, err_t *err)
{
    *value = NULL;
    sqlite3_stmt *s = ready(l, DO_GET, err);
    if (!s) return -1;
    sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
    int rc = sqlite3_step(s);
    if (rc == SQLITE_ROW || rc == SQLITE_DONE) *value = mem_str(rc == SQLITE_ROW ? (const char *)sqlite3_column_text(s, 0) : "", err);
    else failed(l, err);
    sqlite3_reset(s);
    return *value ? 0 : -1;
}

int ledger_set(ledger_t *l, const char *name, const char *value, err_t *err)
{
    sqlite3_stmt *s = ready(l, DO_SET, err);
    if (!s) return -1;
    sqlite3_bind_text(s, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, value, -1, SQLITE_STATIC);
    return done(l, s, err);
}

int ledger_clear(ledger_t *l, err_t *err)
{
    sqlite3_stmt *s = ready(l, DO_CLEAR, err);
    return s ? done(l, s, err) : -1;
}

int ledger_place(ledger_t *l, size_t n, const char *id, const char *path, ledgeritem_t *it, err_t *err)
{
    sqlite3_stmt *s = ready(l, DO_PLACE, err);
    if (!s) return -1;
    sqlite3_bind_int64(s, 1, (sqlite3_int64)n);
    sqlite3_bind_text(s, 2, id, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 3, path, -1, SQLITE_STATIC);
    if (done(l, s, err) || !(s = ready(l, DO_FIND, err))) return -1;
    sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
    sqlite3_bind_text(s, 2, path, -1, SQLITE_STATIC);
    if (sqlite3_step(s) != SQLITE_ROW) return failed(l, err);
    *it = (ledgeritem_t){.row = sqlite3_column_int64(s, 0),
                         .state = (ledgerstate_t)sqlite3_column_int(s, 1),
                         .attempts = sqlite3_column_int(s, 2),
                         .crashed = sqlite3_column_int(s, 3)};
    snprintf(it->sig, sizeof it->sig, "%s", (const char *)sqlite3_column_text(s, 4));
    sqlite3_reset(s);
    return 0;
}

int ledger_again(ledger_t *l, int64_t row, err_t *err)
{
    sqlite3_stmt *s = ready(l, DO_AGAIN, err);
    if (!s) return -1;
    sqlite3_bind_int64(s, 1, row);
    return done(l, s, err);
}

/* The result first: if that cannot be written the item is not done. */
int ledger_put(ledger_t *l, int64_t row, const char sig[17], const result_t *r, err_t *err)
{
    sqlite3_stmt *s = ready(l, DO_RESULT, err);
    if (!s) return -1;
    sqlite3_bind_int64(s, 1, row);
    if (r->json) sqlite3_bind_text(s, 2, r->json, -1, SQLITE_STATIC);
    if (r->tsv) sqlite3_bind_text(s, 3, r->tsv, -1, SQLITE_STATIC);
    if (r->z) sqlite3_bind_blob64(s, 4, r->z, r->d * sizeof *r->z, SQLITE_STATIC);
    if (done(l, s, err) || !(s = ready(l, DO_ITEM, err))) return -1;
    sqlite3_bind_int64(s, 1, row);
    sqlite3_bind_int(s, 2, (int)r->state);
    sqlite3_bind_text(s, 3, sig, -1, SQLITE_STATIC);
    sqlite3_bind_int(s, 4, r->crashed);
    if (r->cause) sqlite3_bind_text(s, 5, r->cause, -1, SQLITE_STATIC);
    if (r->message) sqlite3_bind_text(s, 6, r->message, -1, SQLITE_STATIC);
    sqlite3_bind_double(s, 7, r->rg);
    for (int i = 0; i < 3; i++) sqlite3_bind_double(s, 8 + i, r->seconds[i]);
    sqlite3_bind_int64(s, 11, (sqlite3_int64)r->bytes);
    sqlite3_bind_int64(s, 12, (sqlite3_int64)r->voxels);
    return done(l, s, err);
}

int ledger_walk(ledger_t *l, bool results, err_t *err)
{
    l->walk = results ? DO_WALK_ALL : DO_WALK;
    return ready(l, l->walk, err) ? 0 : -1;
}

/* Text of a column, borrowed; NULL where there is none. */
static char *text(sqlite3_stmt *s, int column) { return (char *)(uintptr_t)sqlite3_column_text(s, column); }

int ledger_step(ledger_t *l, ledgerrow_t *row, err_t *err)
{
    sqlite3_stmt *s = l->st[l->walk];
    int rc = sqlite3_step(s);
    *row = (ledgerrow_t){0};
    if (rc == SQLITE_DONE) {
        sqlite3_reset(s);
        return 0;
    }
    if (rc != SQLITE_ROW) return failed(l, err);
    row->n = (size_t)sqlite3_column_int64(s, 0);
    row->id = text(s, 1);
    row->path = text(s, 2);
    row->attempts = sqlite3_column_int(s, 3);
    result_t *r = &row->r;
    *r = (result_t){.state = (ledgerstate_t)sqlite3_column_int(s, 4), .cause = text(s, 5), .message = text(s, 6), .rg = sqlite3_column_double(s, 7)};
    for (int i = 0; i < 3; i++) r->seconds[i] = sqlite3_column_double(s, 8 + i);
    r->bytes = (uint64_t)sqlite3_column_int64(s, 11);
    r->voxels = (uint64_t)sqlite3_column_int64(s, 12);
    r->crashed = sqlite3_column_int(s, 13);
    if (l->walk == DO_WALK_ALL) {
        r->json = text(s, 14);
        r->tsv = text(s, 15);
        r->z = (float *)(uintptr_t)sqlite3_column_blob(s, 16);
        r->d = (size_t)sqlite3_column_bytes(s, 16) / sizeof *r->z;
    }
    return 1;
}
