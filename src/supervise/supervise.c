/* The drainer process and its supervision.
 *
 * In the parent: fork, and learn of its death from httpd's own reaping (apr_proc_other_child), so no signal handler and
 * no thread is added. The subprocess is noted in pconf, whose end (stop, reload) sends SIGTERM, waits at most 3 s
 * (APR's TIMEOUT_USECS), then SIGKILL; the drainer loses nothing by either.
 *
 * In the drainer: a session of its own, since httpd signals its whole process group; no listening sockets, or a drainer
 * that outlives a killed parent would keep the port; the configured user; its own root pool; and an end by _exit, so
 * that nothing inherited from the parent is cleaned up twice.
 */
#include "supervise/supervise.h"
#include "supervise/site.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ap_listen.h"
#include "ap_mpm.h"
#include "apr_thread_proc.h"
#include "http_core.h"
#include "http_log.h"
#include "http_protocol.h"
#include "mpm_common.h"
#include "unixd.h"

#include "drain/drain.h"
#include "drain/syncer.h"
#include "drain/wait.h"
#include "spool/spool.h"
#include "status/status.h"
#include "store/store.h"

APLOG_USE_MODULE(metrics);

/* A drainer that lived longer than this died of something new: the next one begins at once. */
#define LIVED_LONG_US (INT64_C(60) * 1000000)
#define PAUSE_MAX_S   60
#define LOCK_RETRY_US 200000
#define LIST_RETRY_US 1000000

typedef struct drainer {
    apr_pool_t *pconf;
    server_rec *s;
    apr_proc_t proc; /* the last one started; noted in pconf, which waits for it */
    int runs;
    int noted;
    int restarted; /* it takes the place of one that died */
    apr_time_t started;
    unsigned pause_s; /* before the next one begins its work */
} drainer_t;

/* The parent's, for the monitor hook; of the configuration in force. */
static drainer_t *supervised;

/* Set by SIGTERM; async-signal-safe, and only ever used in the drainer process. */
static volatile sig_atomic_t stop;
static pid_t parent;

static void on_term(int sig)
{
    (void)sig;
    stop = 1;
}

static int orphaned(void)
{
    return getppid() != parent;
}

static void log_to_httpd(void *baton, mm_log_level_t level, const char *tag, const char *text)
{
    static const int levels[] = {[MM_LOG_ERROR] = APLOG_ERR,
                                 [MM_LOG_WARNING] = APLOG_WARNING,
                                 [MM_LOG_NOTICE] = APLOG_NOTICE,
                                 [MM_LOG_INFO] = APLOG_INFO,
                                 [MM_LOG_DEBUG] = APLOG_DEBUG};
    server_rec *s = baton;
    ap_log_error(APLOG_MARK, levels[level], 0, s, "%s: %s", tag, text);
}

static void become_daemon(void)
{
    static const int ignored[] = {SIGHUP, SIGINT, SIGUSR1, SIGPIPE, SIGWINCH};
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigset_t none;
    setsid();
    for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++) {
        sigaction(ignored[i], &action, NULL);
    }
    action.sa_handler = SIG_DFL;
    sigaction(SIGCHLD, &action, NULL);
    action.sa_handler = on_term;
    sigaction(SIGTERM, &action, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    prctl(PR_SET_NAME, "metrics-drain");
    ap_close_listeners();
}

/* The drainer from before a reload may still hold the spool for a moment. */
static apr_status_t open_drain(mm_drain_t **drain, const mm_drain_options_t *options, const mm_log_t *log,
                               const mm_wait_t *wait, apr_pool_t *pool, mm_err_t *err)
{
    int told = 0;
    for (;;) {
        apr_status_t rv = mm_drain_create(drain, options, log, pool, err);
        if (!APR_STATUS_IS_EAGAIN(rv) || mm_wait_over(wait)) {
            return rv;
        }
        if (!told++) {
            mm_log(log, MM_LOG_NOTICE, "MM0701", "waiting for the spool: %s", err->text);
        }
        mm_wait(wait, LOCK_RETRY_US);
    }
}

/* To count without them would count robots, and nothing takes them out again: it waits for as long as it takes. */
static mm_agents_t *load_agents(const mm_config_t *config, const mm_log_t *log, const mm_wait_t *wait, apr_pool_t *pool)
{
    const mm_agents_sources_t sources = {config->robots, config->machines, config->allow_agents};
    mm_agents_t *agents = NULL;
    mm_err_t err;
    int told = 0;
    for (;;) {
        apr_pool_t *mine = NULL;
        apr_pool_create(&mine, pool);
        if (mm_agents_load(&agents, &sources, log, mine, &err) == APR_SUCCESS) {
            return agents;
        }
        apr_pool_destroy(mine);
        if (mm_wait_over(wait)) {
            return NULL;
        }
        if (!told++) {
            mm_log(log, MM_LOG_ERROR, "MM0712", "events wait in the spool until the lists of agents can be read: %s",
                   err.text);
        }
        mm_wait(wait, LIST_RETRY_US);
    }
}

static void drain(const drainer_t *d, const mm_log_t *log, apr_pool_t *pool)
{
    const mm_config_t *config = mm_config_get(d->s);
    mm_wait_t wait = {&stop, orphaned};
    mm_err_t err;
    mm_wait(&wait, (int64_t)d->pause_s * APR_USEC_PER_SEC);
    mm_agents_t *agents = load_agents(config, log, &wait, pool);
    if (!agents) {
        return;
    }
    mm_store_init();
    mm_drain_options_t options = {.spool_dir = config->spool_dir,
                                  .mongo_uri = config->mongo_uri,
                                  .catalog_uri = config->catalog_uri,
                                  .prefix = config->prefix,
                                  .types = config->type_names,
                                  .n_types = (size_t)config->types->nelts,
                                  .policy = {.double_click_ms = config->double_click_ms,
                                             .nobodies = (const char *const *)config->nobodies->elts,
                                             .n_nobodies = (size_t)config->nobodies->nelts,
                                             .agents = agents},
                                  .interval_us =
                                      config->interval_us ? config->interval_us : MM_DRAIN_INTERVAL_DEFAULT_US,
                                  .restarted = d->restarted,
                                  .stop = &stop,
                                  .orphaned = orphaned};
    mm_drain_t *drainer = NULL;
    apr_status_t rv = open_drain(&drainer, &options, log, &wait, pool, &err);
    if (rv == APR_SUCCESS) {
        rv = mm_drain_run(drainer, &err);
    }
    if (rv != APR_SUCCESS && !mm_wait_over(&wait)) {
        mm_log(log, MM_LOG_ERROR, "MM0703", "the drainer ends: %s", err.text);
    }
}

static void drainer_main(const drainer_t *d)
{
    const mm_config_t *config = mm_config_get(d->s);
    mm_log_t log = {log_to_httpd, d->s};
    mm_syncer_t *syncer = NULL;
    mm_err_t err;
    apr_pool_t *pool = NULL;
    become_daemon();
    if (apr_pool_create_ex(&pool, NULL, NULL, NULL) != APR_SUCCESS || ap_run_drop_privileges(pool, d->s) != 0) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, d->s, "MM0702: the drainer cannot become the configured User");
        return;
    }
    /* Behind the change of user, which clears it. */
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    /* At once: what is recorded while the drainer pauses, or waits for the spool, is flushed too. */
    if (config->spool_sync == MM_SYNC_BATCH &&
        mm_syncer_start(&syncer, config->spool_dir, &log, pool, &err) != APR_SUCCESS) {
        mm_log(&log, MM_LOG_ERROR, "MM0710", "nothing is flushed as sync=batch wants it: %s", err.text);
    }
    drain(d, &log, pool);
    mm_syncer_stop(syncer);
}

static void on_change(int reason, void *data, int status);

static void start_process(drainer_t *d)
{
    parent = getpid();
    pid_t pid = fork();
    if (pid < 0) {
        ap_log_error(APLOG_MARK, APLOG_ERR, errno, d->s, "MM0704: cannot start the drainer; it is tried again");
        return;
    }
    if (pid == 0) {
        drainer_main(d);
        _exit(0);
    }
    d->proc.pid = pid;
    d->runs = 1;
    d->started = apr_time_now();
    if (!d->noted) {
        apr_pool_note_subprocess(d->pconf, &d->proc, APR_KILL_AFTER_TIMEOUT);
        d->noted = 1;
    }
    apr_proc_other_child_register(&d->proc, on_change, d, NULL, d->pconf);
    ap_log_error(APLOG_MARK, APLOG_INFO, 0, d->s, "MM0705: drainer started, pid %" APR_PID_T_FMT, pid);
}

static int httpd_goes_on(void)
{
    int state = AP_MPMQ_STOPPING;
    return ap_mpm_query(AP_MPMQ_MPM_STATE, &state) == APR_SUCCESS && state != AP_MPMQ_STOPPING;
}

static void restart_process(drainer_t *d, int status)
{
    d->runs = 0;
    apr_proc_other_child_unregister(d);
    if (!httpd_goes_on()) {
        return;
    }
    d->pause_s = apr_time_now() - d->started > LIVED_LONG_US ? 0 : d->pause_s ? d->pause_s * 2 : 1;
    if (d->pause_s > PAUSE_MAX_S) {
        d->pause_s = PAUSE_MAX_S;
    }
    ap_log_error(APLOG_MARK, APLOG_WARNING, 0, d->s,
                 "MM0706: the drainer ended (status %d); another one begins in %u s. Nothing is lost, the spool keeps "
                 "what was not counted",
                 status, d->pause_s);
    d->restarted = 1;
    start_process(d);
}

static void on_change(int reason, void *data, int status)
{
    drainer_t *d = data;
    switch (reason) {
    case APR_OC_REASON_DEATH:
    case APR_OC_REASON_LOST:
        restart_process(d, status);
        break;
    case APR_OC_REASON_RESTART:
        d->runs = 0;
        apr_proc_other_child_unregister(d);
        break;
    default:
        break;
    }
}

int mm_supervise_monitor(void)
{
    if (supervised && !supervised->runs && httpd_goes_on()) {
        start_process(supervised);
    }
    return DECLINED;
}

void mm_supervise_reset(void)
{
    supervised = NULL;
}

/* Statistics of statistics: nothing that goes wrong here matters to anybody but who looks at /metrics/status. */
static void make_status(const char *spool_dir, server_rec *s)
{
    bool damaged;
    mm_err_t err;
    mm_status_share();
    if (mm_status_prepare(spool_dir, &damaged, &err) != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s, "MM0708: no status: %s. Recording goes on", err.text);
    }
    else if (damaged) {
        ap_log_error(APLOG_MARK, APLOG_WARNING, 0, s,
                     "MM0709: the file " MM_STATUS_FILE " in %s was damaged; its counters begin again at 0", spool_dir);
    }
}

int mm_supervise_start(apr_pool_t *pconf, server_rec *s)
{
    const mm_config_t *config = mm_config_get(s);
    if (!config->spool_dir) {
        return OK;
    }
    mm_err_t err;
    int root = geteuid() == 0;
    if (mm_spool_prepare(config->spool_dir, root ? ap_unixd_config.user_id : (uid_t)-1,
                         root ? ap_unixd_config.group_id : (gid_t)-1, pconf, &err) != APR_SUCCESS) {
        ap_log_error(APLOG_MARK, APLOG_ERR, 0, s, "MM0707: MetricsSpool: %s%s", err.text,
                     mm_config_is_reload() ? ". httpd goes on; until this is mended nothing is recorded, or it waits"
                                           : "");
        /* At a reload a refusal would take the whole site down for the sake of its statistics. */
        if (!mm_config_is_reload()) {
            return HTTP_INTERNAL_SERVER_ERROR;
        }
    }
    else {
        make_status(config->spool_dir, s);
        mm_site_tell(s, pconf);
    }
    if (config->drainer) {
        supervised = apr_pcalloc(pconf, sizeof(*supervised));
        supervised->pconf = pconf;
        supervised->s = s;
        start_process(supervised);
    }
    return OK;
}
