/* The drainer as a whole, with real spools, real databases, real crashes: every event counted exactly once. */
#include "unit_drain.h"
#include <arpa/inet.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include "base/file.h"
#include "count/count.h"
#include "drain/batch.h"
#include "drain/rejected.h"
#include "drain/window_log.h"

#define LIVES 45

static void counts_what_is_in_the_spool(void **state)
{
    setting_t s = begin(*state);
    mm_event_t event = event_of(MM_ACTION_DOWNLOAD, "a", "eve", NOON_US + 5000);

    spool_view(s.writer, "a", NULL);
    spool_view(s.writer, "a", "eve");
    spool_put(s.writer, &event, 1);
    event.class_mark = bytes_of("machine");
    event.type = bytes_of("files");
    spool_put(s.writer, &event, 1);
    drain_all(&s);
    assert_int_equal(db_get(s.uri, "metrics_datasets", "a", "views"), 2);
    assert_int_equal(db_get(s.uri, "metrics_datasets", "a", "downloads"), 1);
    assert_int_equal(db_get(s.uri, "metrics_datasets", "a", "last_downloaded"), NOON_MS + 5);
    assert_int_equal(db_get(s.uri, "metrics_datasets", "a", "first_seen"), NOON_MS);
    assert_int_equal(db_get(s.uri, "metrics_files", "a", "machine_downloads"), 1);
    assert_int_equal(db_sum(s.uri, "metrics_users", NULL, "downloads"), 2);
    assert_int_equal(db_sum(s.uri, "metrics_users", NULL, "views"), 1);
    assert_true(has_file(s.dir, MM_CHECKPOINT_FILE));
    assert_false(has_file(s.dir, MM_BATCH_FILE));
    assert_int_equal(log_count(s.log, "MM020"), 1); /* that it begins */
}

static void has_nothing_to_do_in_an_empty_spool(void **state)
{
    setting_t s = begin(*state);

    assert_int_equal(open_drain(&s), APR_SUCCESS);
    assert_int_equal(step(&s), 0);
    assert_int_equal(step(&s), 0);
    assert_false(has_file(s.dir, MM_BATCH_FILE));
    assert_false(has_file(s.dir, MM_CHECKPOINT_FILE));
}

static void goes_on_in_the_next_life(void **state)
{
    setting_t s = begin(*state);

    for (int i = 1; i <= 4; i++) {
        spool_view(s.writer, "a", NULL);
        spool_view(s.writer, "b", NULL);
        drain_all(&s);
        drain_all(&s);
        assert_int_equal(views(&s), 2 * i);
    }
}

static void removes_segments_that_are_done_with(void **state)
{
    setting_t s = begin(*state);
    apr_pool_t *pool = NULL;

    end_writer(&s, &pool);
    for (int i = 0; i < 3; i++) {
        spool_view(s.writer, "a", NULL);
        end_writer(&s, &pool);
    }
    assert_int_equal(segments(&s), 3);
    drain_all(&s);
    assert_int_equal(segments(&s), 0);
    spool_view(s.writer, "a", NULL);
    drain_all(&s);
    assert_int_equal(segments(&s), 1); /* its writer lives */
    end_writer(&s, &pool);
    drain_all(&s);
    assert_int_equal(segments(&s), 0);
    assert_int_equal(views(&s), 4);
}

static void ignored_events_free_the_spool_without_a_database(void **state)
{
    setting_t s = begin(*state);
    mm_event_t event = event_of(MM_ACTION_VIEW, "a", NULL, NOON_US);
    apr_pool_t *pool = NULL;
    int worked = 0;

    end_writer(&s, &pool);
    event.class_mark = bytes_of("robot");
    spool_put(s.writer, &event, 1);
    end_writer(&s, &pool);
    assert_int_equal(segments(&s), 1);
    s.options.mongo_uri = "mongodb://127.0.0.1:9/unit?" TIMES;
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    /* The segment's end is believed once its lock was had, at the latest in the second round. */
    for (int i = 0; i < 3 && segments(&s) > 0; i++) {
        mm_drain_step(s.drain, &worked, &s.err);
    }
    assert_int_equal(segments(&s), 0);
    assert_true(has_file(s.dir, MM_CHECKPOINT_FILE)); /* remembered, not only known */
    close_drain(&s);
    s.options.mongo_uri = s.uri;
    spool_view(s.writer, "b", NULL);
    drain_all(&s);
    assert_int_equal(views(&s), 1);
}

static void refuses_a_second_drainer(void **state)
{
    setting_t s = begin(*state), other = s;

    assert_int_equal(open_drain(&s), APR_SUCCESS);
    pid_t child = fork();
    if (child == 0) {
        _exit(open_drain(&other) == APR_EAGAIN ? 0 : 1);
    }
    int status;
    waitpid(child, &status, 0);
    assert_int_equal(status, 0);
    close_drain(&s);
    assert_int_equal(open_drain(&s), APR_SUCCESS);
}

static void gives_the_lock_back_when_it_cannot_begin(void **state)
{
    setting_t s = begin(*state);

    s.options.mongo_uri = "nonsense";
    assert_int_equal(open_drain(&s), APR_EINVAL);
    s.options.mongo_uri = s.uri;
    s.options.prefix = "$";
    assert_int_equal(open_drain(&s), APR_EINVAL);
    s.options.prefix = MM_STORE_PREFIX_DEFAULT;
    spool_view(s.writer, "a", NULL);
    drain_all(&s);
    file_damage(s.dir, MM_CHECKPOINT_FILE, -8);
    assert_int_equal(open_drain(&s), APR_EGENERAL);
    assert_int_equal(unlink(apr_pstrcat(s.unit->pool, s.dir, "/" MM_CHECKPOINT_FILE, NULL)), 0);
    assert_int_equal(open_drain(&s), APR_SUCCESS);
}

static void needs_a_spool(void **state)
{
    setting_t s = begin(*state);

    s.options.spool_dir = "/nonexistent/spool";
    assert_int_not_equal(open_drain(&s), APR_SUCCESS);
    assert_non_null(strstr(s.err.text, "/nonexistent/spool"));
}

/* --- damage --- */

static void leaves_out_unreadable_events(void **state)
{
    setting_t s = begin(*state);
    mm_event_t event = event_of(MM_ACTION_VIEW, "a", NULL, NOON_US);
    uint8_t buf[MM_FRAME_HEADER + 3 * (MM_EVENT_ENCODED_MAX + 2)];
    size_t len = 0;

    for (int i = 0; i < 3; i++) {
        size_t at = MM_FRAME_HEADER + len;

        len += mm_event_pack(&event, buf + at);
        if (i == 1) {
            buf[at + 3] = 99; /* no action */
        }
    }
    assert_int_equal(mm_spool_append(s.writer, buf, len, &s.err), APR_SUCCESS);
    len = mm_event_pack(&event, buf + MM_FRAME_HEADER);
    buf[MM_FRAME_HEADER + len] = 0xff; /* not even a length behind it */
    assert_int_equal(mm_spool_append(s.writer, buf, len + 1, &s.err), APR_SUCCESS);
    drain_all(&s);
    assert_int_equal(views(&s), 3);
    assert_int_equal(log_count(s.log, "MM0209: 1 event"), 1);
    assert_int_equal(count_files(s.dir, ".corrupt", s.unit->pool), 1);
}

static void survives_a_damaged_batch(void **state)
{
    setting_t s = begin(*state);
    int worked;

    spool_view(s.writer, "a", NULL);
    drain_all(&s);
    spool_view(s.writer, "b", NULL);
    s.options.mongo_uri = "mongodb://127.0.0.1:9/unit?" TIMES;
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    assert_int_not_equal(mm_drain_step(s.drain, &worked, &s.err), APR_SUCCESS);
    assert_true(has_file(s.dir, MM_BATCH_FILE));
    close_drain(&s);
    file_damage(s.dir, MM_BATCH_FILE, -8);
    s.options.mongo_uri = s.uri;
    drain_all(&s);
    assert_int_equal(views(&s), 2);
    assert_int_equal(log_count(s.log, "MM0201"), 1);
    assert_int_equal(count_files(s.dir, "batch.damaged-", s.unit->pool), 1);
    /* The number that was used up is not used again: what comes later is taken, too. */
    spool_view(s.writer, "a", NULL);
    spool_view(s.writer, "b", NULL);
    drain_all(&s);
    assert_int_equal(views(&s), 4);
}

static char *segment_of(const setting_t *s)
{
    apr_dir_t *dir;
    apr_finfo_t info;
    char *path = NULL;

    assert_int_equal(apr_dir_open(&dir, s->dir, s->unit->pool), APR_SUCCESS);
    while (path == NULL && apr_dir_read(&info, APR_FINFO_NAME, dir) == APR_SUCCESS) {
        if (strstr(info.name, ".seg") != NULL) {
            path = apr_pstrcat(s->unit->pool, s->dir, "/", info.name, NULL);
        }
    }
    apr_dir_close(dir);
    assert_non_null(path);
    return path;
}

/* Bytes from the beginning of a file, into or out of it. */
static void copy(const char *path, char *bytes, size_t len, bool out)
{
    int fd = open(path, O_RDWR);

    assert_int_equal(out ? pread(fd, bytes, len, 0) : pwrite(fd, bytes, len, 0), len);
    close(fd);
}

/* The worst case: the batch was in the database already. Its events are counted twice, as the log says, but what came
 * after them is not lost. */
static void gives_a_number_to_one_batch_only(void **state)
{
    setting_t s = begin(*state);
    char events[300];
    char *batch = apr_pstrcat(s.unit->pool, s.dir, "/" MM_BATCH_FILE, NULL);
    char *checkpoint = apr_pstrcat(s.unit->pool, s.dir, "/" MM_CHECKPOINT_FILE, NULL);
    char *kept = apr_pstrcat(s.unit->pool, s.unit->dir, "/kept", NULL);

    spool_view(s.writer, "a", NULL);
    drain_all(&s);
    assert_int_equal(link(checkpoint, kept), 0);
    spool_view(s.writer, "b", NULL);
    copy(segment_of(&s), events, sizeof(events), true);
    drain_all(&s);
    /* As it was before the batch became the checkpoint. */
    copy(segment_of(&s), events, sizeof(events), false);
    assert_int_equal(rename(checkpoint, batch), 0);
    assert_int_equal(rename(kept, checkpoint), 0);
    file_damage(s.dir, MM_BATCH_FILE, -8);
    spool_view(s.writer, "b", NULL);
    drain_all(&s);
    assert_int_equal(db_get(s.uri, "metrics_datasets", "a", "views"), 1);
    assert_int_equal(db_get(s.uri, "metrics_datasets", "b", "views"), 3);
}

static void ends_when_its_batch_is_damaged_under_its_eyes(void **state)
{
    setting_t s = begin(*state);
    int worked;

    spool_view(s.writer, "a", NULL);
    drain_all(&s);
    spool_view(s.writer, "a", NULL);
    s.options.mongo_uri = "mongodb://127.0.0.1:9/unit?" TIMES;
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    assert_int_not_equal(mm_drain_step(s.drain, &worked, &s.err), APR_SUCCESS);
    close_drain(&s);
    s.options.mongo_uri = s.uri;
    s.options.once = 0;
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    file_damage(s.dir, MM_BATCH_FILE, -8);
    assert_int_equal(mm_drain_run(s.drain, &s.err), APR_EINVAL);
    close_drain(&s);
    s.options.once = 1;
    drain_all(&s);
    assert_int_equal(views(&s), 2);
}

/* Nothing of what was read is lost or read again while the batch cannot be written. */
static void waits_for_room_on_the_disk(void **state)
{
    setting_t s = begin(*state);
    char *in_the_way = apr_pstrcat(s.unit->pool, s.dir, "/" MM_BATCH_TEMP_FILE, NULL);
    int worked;

    assert_int_equal(mkdir(in_the_way, 0700), 0);
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    spool_view(s.writer, "a", NULL);
    for (int i = 0; i < 3; i++) {
        assert_int_not_equal(mm_drain_step(s.drain, &worked, &s.err), APR_SUCCESS);
        assert_int_equal(worked, 0);
        spool_view(s.writer, "a", NULL);
    }
    assert_int_equal(rmdir(in_the_way), 0);
    assert_int_equal(step(&s), 1);
    assert_int_equal(views(&s), 1); /* nor is more read meanwhile: that would have no bound */
    while (step(&s)) {
    }
    assert_int_equal(views(&s), 4);
}

static void puts_aside_what_the_database_refuses(void **state)
{
    setting_t s = begin(*state);
    mm_event_t event = event_of(MM_ACTION_VIEW, "a", NULL, NOON_US);

    event.type = bytes_of("users"); /* a name the data model keeps for itself */
    spool_put(s.writer, &event, 1);
    spool_view(s.writer, "good", NULL);
    drain_all(&s);
    assert_int_equal(views(&s), 1);
    assert_int_equal(log_count(s.log, "MM0204: the database refuses 2 of 4 documents of batch 1"), 1);
    assert_true(has_file(s.dir, MM_REJECTED_FILE));
    spool_view(s.writer, "good", NULL);
    drain_all(&s);
    assert_int_equal(views(&s), 2);
    assert_int_equal(log_count(s.log, "MM0204"), 1);
}

/* --- bounds --- */

static apr_status_t count_delta(void *baton, const mm_delta_t *delta, mm_err_t *err)
{
    (void)delta;
    (void)err;
    (*(int64_t *)baton)++;
    return APR_SUCCESS;
}

static void takes_a_pack_whole_however_large(void **state)
{
    setting_t s = begin(*state);
    const int per_frame = 9000;
    mm_event_t *events = calloc((size_t)per_frame, sizeof(*events));
    char(*ids)[32] = calloc((size_t)per_frame, sizeof(*ids));
    int64_t deltas = 0;
    mm_batch_reader_t reader = {.on_delta = count_delta, .baton = &deltas};
    int worked;

    for (int frame = 0; frame < 4; frame++) {
        for (int i = 0; i < per_frame; i++) {
            snprintf(ids[i], sizeof(ids[i]), "%d-%d", frame, i);
            events[i] = event_of(MM_ACTION_VIEW, ids[i], "eve", NOON_US);
        }
        spool_put(s.writer, events, (size_t)per_frame);
    }
    s.options.mongo_uri = "mongodb://127.0.0.1:9/unit?" TIMES; /* the batch stays where it can be looked at */
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    assert_int_not_equal(mm_drain_step(s.drain, &worked, &s.err), APR_SUCCESS);
    assert_int_equal(mm_batch_read(s.dir, MM_BATCH_FILE, &reader, s.unit->pool, NULL), APR_SUCCESS);
    /* One frame leaves room for more, the second goes beyond the maximum and is in it whole, the third is not in it. */
    assert_int_equal(deltas, 2 * 3 * per_frame);
    assert_true(deltas > MM_COUNT_DELTAS_MAX);
    free(events);
    free(ids);
}

static void ends_a_batch_at_its_maximum_of_events(void **state)
{
    setting_t s = begin(*state);
    const int per_frame = 10000, frames = MM_DRAIN_EVENTS_MAX / 10000 + 1;
    mm_event_t *events = calloc((size_t)per_frame, sizeof(*events));

    for (int i = 0; i < per_frame; i++) {
        events[i] = event_of(MM_ACTION_VIEW, "a", NULL, NOON_US);
    }
    for (int frame = 0; frame < frames; frame++) {
        spool_put(s.writer, events, (size_t)per_frame);
    }
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    assert_int_equal(step(&s), 1);
    assert_int_equal(views(&s), MM_DRAIN_EVENTS_MAX);
    assert_int_equal(step(&s), 1);
    assert_int_equal(views(&s), frames * per_frame);
    assert_int_equal(step(&s), 0);
    free(events);
}

/* --- crashes --- */

static void applies_a_left_batch_once(void **state)
{
    setting_t s = begin(*state);
    char *batch = apr_pstrcat(s.unit->pool, s.dir, "/" MM_BATCH_FILE, NULL);
    char *checkpoint = apr_pstrcat(s.unit->pool, s.dir, "/" MM_CHECKPOINT_FILE, NULL);

    spool_view(s.writer, "a", "eve");
    spool_view(s.writer, "b", NULL);
    drain_all(&s);
    /* A drainer that died after it had applied the batch and before the rename leaves just this. */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(rename(checkpoint, batch), 0);
        drain_all(&s);
        assert_int_equal(views(&s), 2);
        assert_int_equal(db_sum(s.uri, "metrics_users", NULL, "views"), 1);
        assert_int_equal(log_count(s.log, "MM0202"), i + 1);
    }
    spool_view(s.writer, "a", NULL);
    drain_all(&s);
    assert_int_equal(views(&s), 3);
}

static void child_drains(setting_t *s)
{
    int worked;

    s->log = NULL;
    apr_pool_create(&s->drain_pool, NULL);
    if (mm_drain_create(&s->drain, &s->options, NULL, s->drain_pool, &s->err) != APR_SUCCESS) {
        _exit(1);
    }
    for (;;) {
        if (mm_drain_step(s->drain, &worked, &s->err) != APR_SUCCESS) {
            _exit(2);
        }
    }
}

static ino_t inode_of(const setting_t *s, const char *name)
{
    struct stat info;
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s", s->dir, name);
    return stat(path, &info) == 0 ? info.st_ino : 0;
}

/* Kills it: in its youth, when it has just written a batch, or when it has just made a checkpoint; each time a random
 * moment later. Returns whether a batch stayed behind. */
static bool kill_sometime(const setting_t *s, pid_t child, unsigned *seed)
{
    int how = rand_r(seed) % 3, status = 0;
    struct timespec pause = {.tv_nsec = (rand_r(seed) % 8000) * 1000L};
    const char *watched = how == 1 ? MM_BATCH_FILE : MM_CHECKPOINT_FILE;
    ino_t before = inode_of(s, watched);
    apr_time_t end = apr_time_now() + apr_time_from_sec(2); /* there may be nothing to do in this life */

    while (how > 0 && inode_of(s, watched) == before && apr_time_now() < end) {
        sched_yield();
    }
    nanosleep(&pause, NULL);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (!WIFSIGNALED(status)) {
        fail_msg("the drainer ended by itself, with status %d", WEXITSTATUS(status));
    }
    return has_file(s->dir, MM_BATCH_FILE);
}

static void counts_exactly_once_across_kills(void **state)
{
    setting_t s = begin(*state);
    apr_pool_t *pool;
    int64_t a = 0, all = 0, by_users = 0;
    int left = 0;
    const char *given = getenv("MM_TEST_SEED");
    unsigned seed = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)apr_time_now();

    print_message("seed %u\n", seed);
    apr_pool_create(&pool, s.unit->pool);
    s.writer = writer_make(s.dir, 6000, pool); /* many small segments */
    for (int life = 0; life < LIVES; life++) {
        pid_t child = fork();

        if (child == 0) {
            child_drains(&s);
        }
        for (int i = 1 + rand_r(&seed) % 100; i > 0; i--) {
            char id[16];
            int n = rand_r(&seed) % 40;

            snprintf(id, sizeof(id), "%d", n);
            spool_view(s.writer, n ? id : "a", n % 2 ? "eve" : NULL);
            a += n == 0;
            all++;
            by_users += n % 2;
        }
        left += kill_sometime(&s, child, &seed);
    }
    mm_spool_writer_close(s.writer);
    drain_all(&s);
    assert_int_equal(views(&s), all);
    assert_int_equal(db_get(s.uri, "metrics_datasets", "a", "views"), a);
    assert_int_equal(db_sum(s.uri, "metrics_users", NULL, "views"), by_users);
    assert_int_equal(segments(&s), 0);
    print_message("%d of %d kills left a batch\n", left, LIVES);
    assert_in_range(left, 1, LIVES - 1); /* or nothing was tried */
}

/* --- a database that goes and comes --- */

/* Forwards connections to the real database, in a process of its own: killing it takes the database away. */
typedef struct proxy {
    int listener;
    uint16_t port;
    struct sockaddr_in target;
    pid_t pid; /* 0: down */
} proxy_t;

static proxy_t proxy_make(const char *uri)
{
    proxy_t proxy = {.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    mongoc_uri_t *parsed = mongoc_uri_new(uri);
    const mongoc_host_list_t *host = mongoc_uri_get_hosts(parsed);

    proxy.target.sin_family = AF_INET;
    proxy.target.sin_port = htons(host->port);
    if (inet_pton(AF_INET, host->host, &proxy.target.sin_addr) != 1) {
        proxy.target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    }
    mongoc_uri_destroy(parsed);
    /* Bound, not listening: connections are refused, and nobody else takes the port. */
    assert_int_equal(bind(proxy.listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(getsockname(proxy.listener, (struct sockaddr *)&at, &len), 0);
    proxy.port = ntohs(at.sin_port);
    return proxy;
}

static void proxy_connection(int client, const proxy_t *proxy)
{
    int server = socket(AF_INET, SOCK_STREAM, 0);
    struct pollfd ends[2] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};
    char buf[65536];

    if (connect(server, (const struct sockaddr *)&proxy->target, sizeof(proxy->target)) != 0) {
        return;
    }
    while (poll(ends, 2, -1) > 0) {
        for (int i = 0; i < 2; i++) {
            ssize_t n = ends[i].revents ? read(ends[i].fd, buf, sizeof(buf)) : 1;

            if (n <= 0 || (ends[i].revents && mm_file_write_all(ends[1 - i].fd, buf, (size_t)n, NULL) != APR_SUCCESS)) {
                return;
            }
        }
    }
}

static void proxy_up(proxy_t *proxy)
{
    assert_int_equal(listen(proxy->listener, 16), 0);
    proxy->pid = fork();
    if (proxy->pid == 0) {
        setpgid(0, 0);
        signal(SIGCHLD, SIG_IGN);
        for (;;) {
            int client = accept(proxy->listener, NULL, NULL);

            if (client >= 0 && fork() == 0) {
                proxy_connection(client, proxy);
                _exit(0);
            }
            close(client);
        }
    }
    setpgid(proxy->pid, proxy->pid);
}

static void proxy_kill(proxy_t *proxy)
{
    kill(-proxy->pid, SIGKILL);
    waitpid(proxy->pid, NULL, 0);
    proxy->pid = 0;
}

static void proxy_down(proxy_t *proxy)
{
    if (proxy->pid > 0) {
        proxy_kill(proxy);
    }
    close(proxy->listener);
}

static const char *uri_through(const proxy_t *proxy, const setting_t *s)
{
    mongoc_uri_t *parsed = mongoc_uri_new(s->uri);
    const char *uri = apr_psprintf(s->unit->pool, "mongodb://127.0.0.1:%d/%s?directConnection=true&" TIMES, proxy->port,
                                   mongoc_uri_get_database(parsed));

    mongoc_uri_destroy(parsed);
    return uri;
}

static void loses_nothing_when_the_database_falls_silent(void **state)
{
    setting_t s = begin(*state);
    proxy_t proxy = proxy_make(s.uri);
    int worked = 0;

    s.options.mongo_uri = uri_through(&proxy, &s);
    proxy_up(&proxy);
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    spool_view(s.writer, "a", NULL);
    assert_int_equal(step(&s), 1);
    proxy_kill(&proxy); /* its port still takes connections, but nobody answers */
    spool_view(s.writer, "a", NULL);
    for (int i = 0; i < 4; i++) {
        assert_int_not_equal(mm_drain_step(s.drain, &worked, &s.err), APR_SUCCESS);
        spool_view(s.writer, "a", NULL);
    }
    assert_true(has_file(s.dir, MM_BATCH_FILE));
    assert_int_equal(views(&s), 1);
    proxy_up(&proxy);
    for (int i = 0; i < 1000 && views(&s) < 6; i++) {
        mm_drain_step(s.drain, &worked, &s.err);
        poll(NULL, 0, 20);
    }
    assert_int_equal(views(&s), 6);
    assert_false(has_file(s.dir, MM_REJECTED_FILE));
    close_drain(&s);
    proxy_down(&proxy);
}

/* The loop asks this between its steps; here it is the thread of the story. */
static struct story {
    setting_t *s;
    proxy_t *proxy;
    int calls;
} story;

static int orphaned_in_the_end(void)
{
    story.calls++;
    if (story.proxy->pid == 0 && log_count(story.s->log, "MM0206") > 0) {
        spool_view(story.s->writer, "a", NULL); /* what comes meanwhile waits, too */
        proxy_up(story.proxy);
    }
    return log_count(story.s->log, "MM0207") > 0 && views(story.s) == 2;
}

static void waits_for_a_database_that_is_away(void **state)
{
    setting_t s = begin(*state);
    proxy_t proxy = proxy_make(s.uri);

    story = (struct story){.s = &s, .proxy = &proxy};
    s.options.mongo_uri = uri_through(&proxy, &s);
    s.options.once = 0;
    s.options.orphaned = orphaned_in_the_end;
    spool_view(s.writer, "a", NULL);
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    assert_int_equal(mm_drain_run(s.drain, &s.err), APR_SUCCESS);
    assert_int_equal(log_count(s.log, "MM0206"), 1); /* the first failure; the others within the minute are not told */
    assert_int_equal(log_count(s.log, "MM0207"), 1);
    assert_int_equal(views(&s), 2);
    close_drain(&s);
    proxy_down(&proxy);
}

static void with_once_the_first_failure_ends_it(void **state)
{
    setting_t s = begin(*state);

    s.options.mongo_uri = "mongodb://user:secret@127.0.0.1:9/unit?" TIMES;
    spool_view(s.writer, "a", NULL);
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    assert_int_not_equal(mm_drain_run(s.drain, &s.err), APR_SUCCESS);
    assert_string_not_equal(s.err.text, "");
    assert_null(strstr(s.err.text, "secret"));
    assert_int_equal(log_count(s.log, "MM0206"), 0); /* returned, so not logged */
    close_drain(&s);
    s.options.mongo_uri = s.uri;
    drain_all(&s);
    assert_int_equal(views(&s), 1);
}

static void on_alarm(int sig)
{
    (void)sig;
    stop = 1;
}

static void stops_in_the_middle_of_a_wait(void **state)
{
    setting_t s = begin(*state);
    struct sigaction action = {.sa_handler = on_alarm};
    apr_time_t start = apr_time_now();

    sigaction(SIGALRM, &action, NULL);
    s.options.once = 0;
    s.options.interval_us = INT64_C(3600) * 1000000;
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    alarm(1);
    assert_int_equal(mm_drain_run(s.drain, &s.err), APR_SUCCESS);
    assert_true(apr_time_now() - start < apr_time_from_sec(60));
    assert_int_equal(stop, 1);
}

/* For all of this program, instead of those of libc and libapr. */
static int64_t seconds_ahead, seconds_later;

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int rv = (int)syscall(SYS_clock_gettime, clock, now);

    now->tv_sec += clock == CLOCK_MONOTONIC ? seconds_later : 0;
    return rv;
}

apr_time_t apr_time_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (now.tv_sec + seconds_ahead) * INT64_C(1000000) + now.tv_nsec / 1000;
}

/* A quiet site, an hour later: the secret under which ada was hashed goes from the disk, and that is all. */
static void throws_secrets_away_when_nothing_comes(void **state)
{
    setting_t s = begin(*state);
    struct stat info;

    s.options.policy.double_click_ms = 30000;
    spool_view(s.writer, "a", "ada");
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    assert_int_equal(step(&s), 1);
    assert_int_equal(step(&s), 0);
    seconds_later = 3600;
    assert_int_equal(step(&s), 0);
    assert_true(has_file(s.dir, MM_WINDOW_LOG_PREFIX "1"));
    seconds_later = 3632;
    assert_int_equal(step(&s), 1);
    assert_false(has_file(s.dir, MM_WINDOW_LOG_PREFIX "1"));
    assert_int_equal(stat(apr_pstrcat(s.unit->pool, s.dir, "/" MM_WINDOW_LOG_PREFIX "2", NULL), &info), 0);
    assert_true(info.st_size < 64);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(step(&s), 0);
    }
    close_drain(&s);
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    assert_int_equal(step(&s), 0);
    assert_true(has_file(s.dir, MM_WINDOW_LOG_PREFIX "2"));
    assert_int_equal(views(&s), 1);
    assert_int_equal(s.log->n, 0);
    close_drain(&s);
}

static void tells_of_a_clock_that_was_put_back(void **state)
{
    setting_t s = begin(*state);
    mm_event_t event = event_of(MM_ACTION_VIEW, "a", "ada", apr_time_now());

    spool_put(s.writer, &event, 1);
    assert_int_equal(open_drain(&s), APR_SUCCESS);
    assert_int_equal(step(&s), 1);
    seconds_ahead = -2 * 86400;
    step(&s);
    step(&s);
    seconds_ahead = 0;
    assert_int_equal(log_count(s.log, "MM0232"), 1);
    close_drain(&s);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(counts_what_is_in_the_spool),
        test(has_nothing_to_do_in_an_empty_spool),
        test(goes_on_in_the_next_life),
        test(removes_segments_that_are_done_with),
        test(ignored_events_free_the_spool_without_a_database),
        test(refuses_a_second_drainer),
        test(gives_the_lock_back_when_it_cannot_begin),
        test(needs_a_spool),
        test(leaves_out_unreadable_events),
        test(survives_a_damaged_batch),
        test(gives_a_number_to_one_batch_only),
        test(ends_when_its_batch_is_damaged_under_its_eyes),
        test(waits_for_room_on_the_disk),
        test(puts_aside_what_the_database_refuses),
        test(takes_a_pack_whole_however_large),
        test(ends_a_batch_at_its_maximum_of_events),
        test(applies_a_left_batch_once),
        test(counts_exactly_once_across_kills),
        test(loses_nothing_when_the_database_falls_silent),
        test(waits_for_a_database_that_is_away),
        test(with_once_the_first_failure_ends_it),
        test(stops_in_the_middle_of_a_wait),
        test(throws_secrets_away_when_nothing_comes),
        test(tells_of_a_clock_that_was_put_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
