/* serve_mhd: HTTP on the loopback interface by libmicrohttpd (see serve.h). One thread does all: libmicrohttpd's epoll descriptor, the pipes of
 * the running query and signals are waited for together. */
#include "src/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "src/json.h"
#include "src/servepage.h"

enum { POOL = 128 << 10, WINDOW = 512 << 10, TICK = 1000, TICK_RUNNING = 100 }; /* bytes a connection; of an upload; milliseconds */
static const size_t DRAIN = (size_t)64 << 20; /* bytes past the limit that are read and dropped so that the answer gets through */
static const double FAREWELL = 2;             /* seconds for answers on their way when the server ends */

/* A connection, and until when it has to have made progress. */
typedef struct conn {
    struct conn *prev, *next;
    int fd;
    double deadline;
    size_t window; /* bytes of upload since the deadline was set */
    bool answering;
} conn_t;

typedef struct {
    const serveopts_t *o;
    const joblimits_t *lim;
    jobs_t *jobs;
    conn_t *first;
    bool closing;
} server_t;

/* What is known of a request between the calls of answer(). */
typedef struct {
    job_t *job;      /* that it uploads; its own until it is submitted */
    unsigned status; /* 0: all well so far */
    char why[512];
    size_t body;
} request_t;

static void set_patience(const server_t *s, conn_t *c)
{
    c->deadline = clock_wall() + s->o->patience;
    c->window = 0;
}

static conn_t *conn_of(struct MHD_Connection *m)
{
    const union MHD_ConnectionInfo *i = MHD_get_connection_info(m, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return i ? i->socket_context : NULL;
}

/* ---- answers ---- */

static const char html_type[] = "text/html; charset=utf-8";
static const char our_policy[] = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' data:; "
                                 "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
static const char report_policy[] = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
                                    "form-action 'none'; base-uri 'none'; frame-ancestors 'none'; sandbox allow-scripts allow-downloads allow-popups "
                                    "allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation";
static const char *const security[][2] = {
    {"Cache-Control", "no-store"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Referrer-Policy", "no-referrer"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
};

/* Takes r. extra: another header and its value, or NULL. */
static enum MHD_Result send_it(const server_t *s, struct MHD_Connection *m, unsigned status, const char *type, const char *policy,
                               const char *const extra[2], struct MHD_Response *r)
{
    conn_t *c = conn_of(m);
    bool ok = r && MHD_add_response_header(r, "Content-Type", type) == MHD_YES && MHD_add_response_header(r, "Content-Security-Policy", policy) == MHD_YES;
    for (size_t i = 0; ok && i < sizeof security / sizeof *security; i++) ok = MHD_add_response_header(r, security[i][0], security[i][1]) == MHD_YES;
    if (ok && extra) ok = MHD_add_response_header(r, extra[0], extra[1]) == MHD_YES;
    if (ok && s->closing) ok = MHD_add_response_header(r, "Connection", "close") == MHD_YES;
    ok = ok && MHD_queue_response(m, status, r) == MHD_YES;
    if (r) MHD_destroy_response(r);
    if (c) {
        set_patience(s, c);
        c->answering = ok;
    }
    return ok ? MHD_YES : MHD_NO;
}

/* text is malloc's; NULL: no memory. */
static enum MHD_Result send_text(const server_t *s, struct MHD_Connection *m, unsigned status, const char *type, const char *const extra[2], char *text, size_t n)
{
    struct MHD_Response *r = text ? MHD_create_response_from_buffer(n, text, MHD_RESPMEM_MUST_FREE) : NULL;
    if (text && !r) free(text);
    return send_it(s, m, status, type, our_policy, extra, r);
}

/* Takes j. */
static enum MHD_Result send_json(const server_t *s, struct MHD_Connection *m, unsigned status, const char *const extra[2], json_t *j)
{
    char *text = j ? json_dumps(j, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;
    json_decref(j);
    return send_text(s, m, status, "application/json", extra, text, text ? strlen(text) : 0);
}

static enum MHD_Result refuse(const server_t *s, struct MHD_Connection *m, const char *url, unsigned status, const char *why)
{
    const char *const allow[2] = {"Allow", "GET, HEAD, POST, DELETE"}, *const later[2] = {"Retry-After", "10"};
    const char *const *extra = status == MHD_HTTP_METHOD_NOT_ALLOWED ? allow : status == MHD_HTTP_SERVICE_UNAVAILABLE ? later : NULL;
    size_t n = 0;
    if (!strncmp(url, "/api/", 5)) return send_json(s, m, status, extra, json_pack("{s:o}", "error", json_text(why)));
    char *text = servepage_error(status, why, &n);
    return send_text(s, m, status, html_type, extra, text, n);
}

static enum MHD_Result send_job(const server_t *s, struct MHD_Connection *m, unsigned status, const job_t *j)
{
    char place[16 + JOB_ID];
    const char *const location[2] = {"Location", place};
    json_t *o = json_object();
    snprintf(place, sizeof place, "/query/%s", j->id);
    json_object_set_new(o, "id", json_text(j->id));
    json_object_set_new(o, "name", json_text(j->name));
    json_object_set_new(o, "state", json_text(job_state[j->state]));
    json_object_set_new(o, "seconds", json_rounded(j->state == JOB_DONE || j->state == JOB_FAILED ? j->took : clock_wall() - j->since, 1));
    if (j->state == JOB_WAITING) json_object_set_new(o, "ahead", json_integer((json_int_t)job_ahead(s->jobs, j)));
    if (j->state == JOB_DONE) json_object_set_new(o, "result", json_loads(j->result, 0, NULL));
    if (j->state == JOB_FAILED) json_object_set_new(o, "error", json_text(j->why));
    return send_json(s, m, status, status == MHD_HTTP_CREATED ? location : NULL, o);
}

/* ---- whose request it is ---- */

static const char *value(struct MHD_Connection *m, enum MHD_ValueKind kind, const char *key)
{
    const char *v = MHD_lookup_connection_value(m, kind, key);
    return v ? v : "";
}

/* A name of this machine for itself, with any port: it may have been forwarded. A page of another site that has bound its own name to
 * our address sends that name. */
static bool own_host(const char *host)
{
    static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        size_t n = strlen(names[i]), port = strlen(host) - (strncasecmp(host, names[i], n) ? 0 : n);
        if (strncasecmp(host, names[i], n) != 0) continue;
        if (!host[n] || (host[n] == ':' && port > 1 && port <= 6 && strspn(host + n + 1, "0123456789") == port - 1)) return true;
    }
    return false;
}

/* From a page of ours, or from no page at all. */
static bool own_page(struct MHD_Connection *m, const char *host, bool changes)
{
    static const char scheme[] = "http://";
    const char *origin = MHD_lookup_connection_value(m, MHD_HEADER_KIND, "Origin"), *site = value(m, MHD_HEADER_KIND, "Sec-Fetch-Site");
    if (origin && (strncasecmp(origin, scheme, sizeof scheme - 1) != 0 || strcasecmp(origin + sizeof scheme - 1, host) != 0)) return false;
    return !changes || !*site || !strcmp(site, "same-origin") || !strcmp(site, "none");
}

/* ---- uploads ---- */

static const char ending[] = "The server is ending.";

static void wrong(request_t *q, unsigned status, const char *why)
{
    q->status = status;
    snprintf(q->why, sizeof q->why, "%s", why);
}

static void wrong_err(request_t *q, const err_t *e)
{
    wrong(q, e->code == ERR_RANGE    ? MHD_HTTP_CONTENT_TOO_LARGE
             : e->code == ERR_USAGE  ? MHD_HTTP_SERVICE_UNAVAILABLE
             : e->code == ERR_FORMAT ? MHD_HTTP_BAD_REQUEST
                                     : MHD_HTTP_INTERNAL_SERVER_ERROR,
          e->msg);
}

/* An argument that is a number or is missing. */
static bool read_number(struct MHD_Connection *m, const char *key, double least, double most, double *out, request_t *q)
{
    const char *s = value(m, MHD_GET_ARGUMENT_KIND, key);
    char *end, why[128];
    *out = (double)NAN;
    if (!*s) return true;
    double x = strtod(s, &end);
    if (end != s && !*end && isfinite(x) && x >= least && x <= most) {
        *out = x;
        return true;
    }
    snprintf(why, sizeof why, "%s: '%.40s' (a number is wanted)", key, s);
    wrong(q, MHD_HTTP_BAD_REQUEST, why);
    return false;
}

/* The length that the header tells; 0 without. */
static size_t length_of(struct MHD_Connection *m)
{
    const char *s = value(m, MHD_HEADER_KIND, "Content-Length");
    unsigned long long n = strtoull(s, NULL, 10);
    return *s < '0' || *s > '9' ? 0 : n > SIZE_MAX ? SIZE_MAX : (size_t)n;
}

/* With the header of an upload. */
static void upload_begin(server_t *s, struct MHD_Connection *m, request_t *q)
{
    double contour, apix;
    err_t err = {0};
    if (!read_number(m, "contour", -HUGE_VAL, HUGE_VAL, &contour, q) || !read_number(m, "apix", 1e-3, 1e5, &apix, q)) return;
    q->job = job_new(s->jobs, value(m, MHD_GET_ARGUMENT_KIND, "name"), length_of(m), &err);
    if (!q->job) {
        wrong_err(q, &err);
        return;
    }
    q->job->contour = contour;
    q->job->apix = apix;
}

static void upload_drop(server_t *s, request_t *q)
{
    if (q->job) job_drop(s->jobs, q->job);
    q->job = NULL;
}

/* A piece of the body. What follows on a refusal is read and dropped, so that the client comes to read the answer. */
static enum MHD_Result upload_more(server_t *s, struct MHD_Connection *m, request_t *q, const char *data, size_t *n)
{
    conn_t *c = conn_of(m);
    err_t err = {0};
    q->body += *n;
    if (c && (c->window += *n) >= WINDOW) set_patience(s, c);
    if (q->job && job_write(s->jobs, q->job, data, *n, &err)) {
        wrong_err(q, &err);
        upload_drop(s, q);
    }
    *n = 0;
    return q->body > s->lim->upload + DRAIN ? MHD_NO : MHD_YES;
}

static enum MHD_Result upload_end(server_t *s, struct MHD_Connection *m, request_t *q, const char *url)
{
    err_t err = {0};
    if (q->job && s->closing) {
        wrong(q, MHD_HTTP_SERVICE_UNAVAILABLE, ending);
        upload_drop(s, q);
    }
    if (q->job && job_submit(s->jobs, q->job, &err)) {
        wrong_err(q, &err);
        upload_drop(s, q);
    }
    if (!q->job) return refuse(s, m, url, q->status, q->why);
    const job_t *j = q->job;
    q->job = NULL;
    return send_job(s, m, MHD_HTTP_CREATED, j);
}

/* ---- routes ---- */

static enum MHD_Result send_static(const server_t *s, struct MHD_Connection *m, const char *type, const char *text)
{
    union {
        const char *in;
        void *out;
    } body = {.in = text}; /* which is only read */
    return send_it(s, m, MHD_HTTP_OK, type, our_policy, NULL, MHD_create_response_from_buffer(strlen(text), body.out, MHD_RESPMEM_PERSISTENT));
}

/* The report page, which has style and script in it; a frame of its own keeps it from asking us for anything. */
static enum MHD_Result send_page(const server_t *s, struct MHD_Connection *m, const job_t *j)
{
    struct stat st;
    int fd = dup(j->page);
    struct MHD_Response *r = fd >= 0 && !fstat(fd, &st) ? MHD_create_response_from_fd((uint64_t)st.st_size, fd) : NULL;
    if (!r && fd >= 0) close(fd);
    return send_it(s, m, MHD_HTTP_OK, html_type, report_policy, NULL, r);
}

static enum MHD_Result route(server_t *s, struct MHD_Connection *m, const char *url, const char *method)
{
    static const char page[] = "/query/", api[] = "/api/query/";
    bool get = !strcmp(method, "GET") || !strcmp(method, "HEAD"), is_api = !strncmp(url, api, sizeof api - 1);
    size_t n = 0;
    if (is_api || !strncmp(url, page, sizeof page - 1)) {
        job_t *j = job_find(s->jobs, url + (is_api ? sizeof api : sizeof page) - 1);
        if (!j) return refuse(s, m, url, MHD_HTTP_NOT_FOUND, "There is no such query; it may have been too long ago.");
        if (is_api && get) return send_job(s, m, MHD_HTTP_OK, j);
        if (is_api && !strcmp(method, "DELETE")) {
            job_drop(s->jobs, j);
            return send_json(s, m, MHD_HTTP_OK, NULL, json_object());
        }
        if (!get) return refuse(s, m, url, MHD_HTTP_METHOD_NOT_ALLOWED, "GET is wanted.");
        if (j->page >= 0 && j->state == JOB_DONE) return send_page(s, m, j);
        char *text = servepage_query(j, j->state == JOB_WAITING ? job_ahead(s->jobs, j) : 0, &n);
        return send_text(s, m, MHD_HTTP_OK, html_type, NULL, text, n);
    }
    bool form = !strcmp(url, "/"), css = !strcmp(url, "/serve.css"), js = !strcmp(url, "/serve.js"), upload = !strcmp(url, "/api/query");
    if (!form && !css && !js && !upload) return refuse(s, m, url, MHD_HTTP_NOT_FOUND, "There is nothing here.");
    if (!get || upload) return refuse(s, m, url, MHD_HTTP_METHOD_NOT_ALLOWED, upload ? "POST is wanted." : "GET is wanted.");
    if (css) return send_static(s, m, "text/css; charset=utf-8", servepage_css);
    if (js) return send_static(s, m, "text/javascript; charset=utf-8", servepage_js);
    char *text = servepage_upload(s->lim, &n);
    return send_text(s, m, MHD_HTTP_OK, html_type, NULL, text, n);
}

/* libmicrohttpd calls it when the header is there, for each piece of the body, and at its end. */
static enum MHD_Result answer(void *cls, struct MHD_Connection *m, const char *url, const char *method, const char *version, const char *data,
                              size_t *n, void **own)
{
    server_t *s = cls;
    request_t *q = *own;
    bool upload = !strcmp(url, "/api/query") && !strcmp(method, "POST");
    (void)version;
    if (q && *n) return upload_more(s, m, q, data, n);
    if (q) return upload ? upload_end(s, m, q, url) : route(s, m, url, method);
    if (!(*own = q = mem_zero(1, sizeof *q, NULL))) return MHD_NO;
    if (conn_of(m)) set_patience(s, conn_of(m));
    const char *host = value(m, MHD_HEADER_KIND, "Host");
    if (!own_host(host)) return refuse(s, m, url, MHD_HTTP_FORBIDDEN, "Host: another name than this machine's own");
    if (!own_page(m, host, strcmp(method, "GET") && strcmp(method, "HEAD"))) return refuse(s, m, url, MHD_HTTP_FORBIDDEN, "Origin: a page of another server");
    if (s->closing) return refuse(s, m, url, MHD_HTTP_SERVICE_UNAVAILABLE, ending);
    if (upload) upload_begin(s, m, q);
    else if (length_of(m)) return refuse(s, m, url, MHD_HTTP_CONTENT_TOO_LARGE, "A body is not wanted here.");
    return q->status && length_of(m) > s->lim->upload ? refuse(s, m, url, q->status, q->why) : MHD_YES; /* the former without reading it */
}

static void request_ended(void *cls, struct MHD_Connection *m, void **own, enum MHD_RequestTerminationCode how)
{
    server_t *s = cls;
    conn_t *c = conn_of(m);
    request_t *q = *own;
    (void)how;
    if (q) upload_drop(s, q); /* an upload that broke off */
    mem_free(q);
    *own = NULL;
    if (!c) return;
    c->answering = false;
    set_patience(s, c);
}

/* ---- connections ---- */

static void connection(void *cls, struct MHD_Connection *m, void **own, enum MHD_ConnectionNotificationCode what)
{
    server_t *s = cls;
    conn_t *c = *own;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *i = MHD_get_connection_info(m, MHD_CONNECTION_INFO_CONNECTION_FD);
        if (!i || !(*own = c = mem_zero(1, sizeof *c, NULL))) return; /* it is left to libmicrohttpd's own time limit */
        *c = (conn_t){.fd = i->connect_fd, .next = s->first};
        if (s->first) s->first->prev = c;
        s->first = c;
        set_patience(s, c);
    } else if (c) {
        if (c->next) c->next->prev = c->prev;
        *(c->prev ? &c->prev->next : &s->first) = c->next;
        mem_free(c);
        *own = NULL;
    }
}

/* libmicrohttpd's time limit is for silence; ours also for those who say a byte now and then. */
static void close_slow(const server_t *s)
{
    double now = clock_wall();
    for (conn_t *c = s->first; c; c = c->next)
        if (now > c->deadline) {
            shutdown(c->fd, SHUT_RDWR);
            c->deadline = HUGE_VAL;
        }
}

static bool any_answering(const server_t *s)
{
    for (const conn_t *c = s->first; c; c = c->next)
        if (c->answering) return true;
    return false;
}

/* ---- the loop ---- */

static struct MHD_Daemon *listen_on(server_t *s, err_t *err)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)s->o->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    errno = 0;
    struct MHD_Daemon *d =
        MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, answer, s, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at, MHD_OPTION_CONNECTION_LIMIT,
                         (unsigned)SERVE_CONNECTIONS, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)(s->o->patience + 1),
                         MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)POOL, MHD_OPTION_NOTIFY_COMPLETED, request_ended, s,
                         MHD_OPTION_NOTIFY_CONNECTION, connection, s, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
    if (!d) err_set(err, ERR_IO, "127.0.0.1, port %d: %s", s->o->port, errno ? strerror(errno) : "libmicrohttpd does not start");
    return d;
}

/* Until there is something to do. True where a signal asks for the end. */
static bool await(const server_t *s, struct MHD_Daemon *d, int epoll, int signals)
{
    struct pollfd p[2 + JOB_FDS] = {{.fd = signals, .events = POLLIN}, {.fd = epoll, .events = POLLIN}};
    size_t n = 2 + jobs_poll(s->jobs, p + 2);
    unsigned long long wait;
    int most = n > 2 || s->closing || jobs_count(s->jobs, JOB_RUNNING) ? TICK_RUNNING : TICK;
    if (MHD_get_timeout(d, &wait) == MHD_YES && wait < (unsigned)most) most = (int)wait;
    struct signalfd_siginfo got;
    return poll(p, n, most) > 0 && p[0].revents && read(signals, &got, sizeof got) == (ssize_t)sizeof got;
}

/* No new connection, no query; answers on their way go on. */
static void close_down(server_t *s, struct MHD_Daemon *d, const log_t *log)
{
    log_msg(log, LOG_INFO, "serve: ending; %zu queries are dropped", jobs_count(s->jobs, JOB_WAITING) + jobs_count(s->jobs, JOB_RUNNING));
    s->closing = true;
    jobs_drop_queue(s->jobs);
    int listener = MHD_quiesce_daemon(d);
    if (listener >= 0) close(listener);
}

static void serve(server_t *s, struct MHD_Daemon *d, int signals, const log_t *log)
{
    const union MHD_DaemonInfo *port = MHD_get_daemon_info(d, MHD_DAEMON_INFO_BIND_PORT);
    const union MHD_DaemonInfo *epoll = MHD_get_daemon_info(d, MHD_DAEMON_INFO_EPOLL_FD);
    int fd = epoll->epoll_fd;
    double end = HUGE_VAL;
    printf("http://127.0.0.1:%u/\n", (unsigned)port->port);
    fflush(stdout);
    while (!s->closing || (any_answering(s) && clock_wall() < end)) {
        if (await(s, d, fd, signals) && !s->closing) {
            close_down(s, d, log);
            end = clock_wall() + FAREWELL;
        }
        MHD_run(d);
        jobs_step(s->jobs);
        close_slow(s);
    }
}

int serve_run(const serveopts_t *o, const joblimits_t *lim, const log_t *log, err_t *err)
{
    server_t s = {.o = o, .lim = lim};
    struct MHD_Daemon *d = NULL;
    sigset_t ends, before;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGHUP);
    sigprocmask(SIG_BLOCK, &ends, &before);
    signal(SIGPIPE, SIG_IGN); /* of a client that is gone */
    int signals = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0) err_set(err, ERR_IO, "signals: %s", strerror(errno));
    else if ((s.jobs = jobs_new(lim, err))) d = listen_on(&s, err);
    if (d) {
        serve(&s, d, signals, log);
        MHD_stop_daemon(d);
    }
    jobs_free(s.jobs);
    if (signals >= 0) close(signals);
    sigprocmask(SIG_SETMASK, &before, NULL);
    return d ? 0 : -1;
}
