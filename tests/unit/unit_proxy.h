/* A wire between a store and the real database that can be cut, and on which an answer can be replaced: for what a
 * database does only in bad moments (a host that races, a primary that steps down, a reply that is lost).
 *
 * One thread, one connection at a time. Every "update" command asks the plan, in order, what becomes of it; when the
 * plan is over, and for all other commands, messages pass as they are.
 */
#ifndef UNIT_PROXY_H
#define UNIT_PROXY_H

#include "unit_store.h"
#include <pthread.h>
#include <netdb.h>

typedef struct unit_step {
    enum { PROXY_PASS, PROXY_REPLY, PROXY_CUT_BEFORE, PROXY_CUT_AFTER } what;
    const char *reply; /* JSON with ' for ", for PROXY_REPLY: the database does not see the command */
} unit_step_t;

#define UNIT_MESSAGE_MAX (48u * 1024 * 1024)

typedef struct unit_proxy {
    const unit_step_t *plan;
    size_t n;
    size_t updates; /* seen so far */
    int listener, port;
    char host[256], service[16];
    pthread_t thread;
} unit_proxy_t;

static inline bool proxy_read(int fd, void *data, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = read(fd, (char *)data + done, len - done);

        if (n <= 0) {
            return false;
        }
        done += (size_t)n;
    }
    return true;
}

static inline bool proxy_write(int fd, const void *data, size_t len)
{
    size_t done = 0;

    while (done < len) {
        ssize_t n = send(fd, (const char *)data + done, len - done, MSG_NOSIGNAL);

        if (n <= 0) {
            return false;
        }
        done += (size_t)n;
    }
    return true;
}

/* A whole message, malloc'd; its first four bytes are its length. */
static inline char *proxy_message(int fd, uint32_t *len)
{
    char *message;

    if (!proxy_read(fd, len, 4) || *len < 16 || *len > UNIT_MESSAGE_MAX) {
        return NULL;
    }
    message = malloc(*len);
    memcpy(message, len, 4);
    if (!proxy_read(fd, message + 4, *len - 4)) {
        free(message);
        return NULL;
    }
    return message;
}

/* OP_MSG: header (16), flags (4), section kind 0 (1), then the command, whose first field is its name. */
static inline bool proxy_is_update(const char *message, uint32_t len)
{
    return len > 33 && strncmp(message + 16 + 4 + 1 + 4 + 1, "update", 7) == 0;
}

static inline bool proxy_answer(int fd, const char *request, const char *json)
{
    char *text = strdup(json), *c;
    char head[21] = {0};
    uint32_t len, op_msg = 2013;
    bson_t *doc;
    bool ok;

    for (c = text; *c; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    doc = bson_new_from_json((const uint8_t *)text, -1, NULL);
    len = (uint32_t)sizeof(head) + doc->len;
    memcpy(head, &len, 4);
    memcpy(head + 8, request + 4, 4); /* responseTo */
    memcpy(head + 12, &op_msg, 4);
    ok = proxy_write(fd, head, sizeof(head)) && proxy_write(fd, bson_get_data(doc), doc->len);
    bson_destroy(doc);
    free(text);
    return ok;
}

static inline bool proxy_pass(int client, int server, const char *request, uint32_t len, bool cut_after)
{
    char *reply;
    uint32_t reply_len;
    bool ok;

    if (!proxy_write(server, request, len)) {
        return false;
    }
    reply = proxy_message(server, &reply_len);
    ok = reply && !cut_after && proxy_write(client, reply, reply_len);
    free(reply);
    return ok;
}

static inline bool proxy_one(unit_proxy_t *proxy, int client, int server)
{
    unit_step_t step = {PROXY_PASS, NULL};
    uint32_t len;
    char *request = proxy_message(client, &len);
    bool ok;

    if (!request) {
        return false;
    }
    if (proxy_is_update(request, len)) {
        if (proxy->updates < proxy->n) {
            step = proxy->plan[proxy->updates];
        }
        proxy->updates++;
    }
    switch (step.what) {
    case PROXY_REPLY:
        ok = proxy_answer(client, request, step.reply);
        break;
    case PROXY_CUT_BEFORE:
        ok = false;
        break;
    default:
        ok = proxy_pass(client, server, request, len, step.what == PROXY_CUT_AFTER);
        break;
    }
    free(request);
    return ok;
}

static inline void *proxy_run(void *arg)
{
    unit_proxy_t *proxy = arg;
    int client;

    while ((client = accept(proxy->listener, NULL, NULL)) >= 0) {
        struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found = NULL;
        int server = -1;

        if (getaddrinfo(proxy->host, proxy->service, &hints, &found) == 0) {
            server = socket(found->ai_family, SOCK_STREAM, 0);
            if (connect(server, found->ai_addr, found->ai_addrlen) == 0) {
                while (proxy_one(proxy, client, server)) {
                }
            }
            freeaddrinfo(found);
        }
        close(server);
        close(client);
    }
    return NULL;
}

/* Starts it; returns a store that goes through it, on the database that direct_uri names. */
static inline mm_store_t *unit_proxy_start(unit_proxy_t *proxy, const char *direct_uri, const unit_step_t *plan,
                                           size_t n, apr_pool_t *pool)
{
    bson_error_t error;
    mongoc_uri_t *uri = mongoc_uri_new_with_error(direct_uri, &error);
    const mongoc_host_list_t *host = mongoc_uri_get_hosts(uri);
    mm_store_t *store;

    *proxy = (unit_proxy_t){.plan = plan, .n = n};
    snprintf(proxy->host, sizeof(proxy->host), "%s", host->host);
    snprintf(proxy->service, sizeof(proxy->service), "%u", host->port);
    proxy->listener = unit_deaf_port(4, &proxy->port);
    store = unit_store_at(apr_psprintf(pool, "mongodb://127.0.0.1:%d/%s?directConnection=true&retryWrites=false",
                                       proxy->port, mongoc_uri_get_database(uri)),
                          pool);
    mongoc_uri_destroy(uri);
    assert_int_equal(pthread_create(&proxy->thread, NULL, proxy_run, proxy), 0);
    return store;
}

/* After the store's pool is gone. */
static inline void unit_proxy_stop(unit_proxy_t *proxy)
{
    shutdown(proxy->listener, SHUT_RDWR);
    pthread_join(proxy->thread, NULL);
    close(proxy->listener);
}

#endif
