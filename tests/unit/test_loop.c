/* The drainer's loop: a database that goes and comes, and when the loop ends. */
#include "unit_drain.h"
#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include "base/file.h"
#include "drain/batch.h"
#include "drain/rejected.h"

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

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(loses_nothing_when_the_database_falls_silent),
        test(waits_for_a_database_that_is_away),
        test(with_once_the_first_failure_ends_it),
        test(stops_in_the_middle_of_a_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
