/* Streaming into httpd's output filters. One thread, one request. */
#include "serve/stream.h"

#include <poll.h>
#include <sys/socket.h>

#include "apr_buckets.h"
#include "apr_portable.h"
#include "http_core.h"
#include "http_protocol.h"
#include "util_filter.h"

#define PASS_BYTES 65536
#define PASS_US    APR_USEC_PER_SEC

struct mm_stream {
    request_rec *r;
    apr_bucket_brigade *brigade;
    size_t pending;
    apr_time_t passed; /* when something was passed on last */
    int started;
};

mm_stream_t *mm_stream_create(request_rec *r)
{
    mm_stream_t *stream = apr_pcalloc(r->pool, sizeof(*stream));
    stream->r = r;
    stream->brigade = apr_brigade_create(r->pool, r->connection->bucket_alloc);
    stream->passed = apr_time_now();
    return stream;
}

static apr_status_t pass(mm_stream_t *stream)
{
    request_rec *r = stream->r;
    stream->started = 1;
    apr_status_t rv = ap_pass_brigade(r->output_filters, stream->brigade);
    apr_brigade_cleanup(stream->brigade);
    stream->pending = 0;
    stream->passed = apr_time_now();
    return rv == APR_SUCCESS && r->connection->aborted ? APR_ECONNABORTED : rv;
}

#ifndef POLLRDHUP
#define POLLRDHUP 0 /* then only a connection that is gone altogether is noticed */
#endif

/* On HTTP/2 the connection's own thread reads, and marks a stream that was reset. */
static int is_gone(conn_rec *c)
{
    struct pollfd line = {.events = POLLRDHUP};
    apr_os_sock_t fd;
    if (c->aborted || c->master) {
        return c->aborted || c->master->aborted;
    }
    if (apr_os_sock_get(&fd, ap_get_conn_socket(c)) != APR_SUCCESS) {
        return 0;
    }
    line.fd = fd;
    return poll(&line, 1, 0) > 0 && (line.revents & (POLLRDHUP | POLLHUP | POLLERR));
}

static apr_status_t look_around(conn_rec *c)
{
    if (!is_gone(c)) {
        return APR_SUCCESS;
    }
    c->aborted = 1;
    return APR_ECONNABORTED;
}

apr_status_t mm_stream_write(void *baton, const char *data, size_t len)
{
    mm_stream_t *stream = baton;
    apr_status_t rv =
        len > 0 ? apr_brigade_write(stream->brigade, NULL, NULL, data, len) : look_around(stream->r->connection);
    if (rv != APR_SUCCESS || (len == 0 && stream->pending == 0)) {
        return rv;
    }
    stream->pending += len;
    if (stream->pending < PASS_BYTES && apr_time_now() - stream->passed < PASS_US) {
        return APR_SUCCESS;
    }
    APR_BRIGADE_INSERT_TAIL(stream->brigade, apr_bucket_flush_create(stream->brigade->bucket_alloc));
    return pass(stream);
}

int mm_stream_started(const mm_stream_t *stream)
{
    return stream->started;
}

int mm_stream_end(mm_stream_t *stream)
{
    APR_BRIGADE_INSERT_TAIL(stream->brigade, apr_bucket_eos_create(stream->brigade->bucket_alloc));
    pass(stream);
    return OK;
}

/* HTTP/1.0 ends a body by closing the connection: only a reset tells that the end is not the end. */
static void reset_connection(conn_rec *c)
{
    apr_os_sock_t fd;
    struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (!c->master && apr_os_sock_get(&fd, ap_get_conn_socket(c)) == APR_SUCCESS) {
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    }
    c->aborted = 1;
    c->keepalive = AP_CONN_CLOSE;
}

int mm_stream_break(mm_stream_t *stream)
{
    request_rec *r = stream->r;
    apr_bucket_alloc_t *alloc = stream->brigade->bucket_alloc;
    /* What is pending was never whole: it must not go out behind the decision to break. */
    apr_brigade_cleanup(stream->brigade);
    APR_BRIGADE_INSERT_TAIL(stream->brigade, ap_bucket_error_create(HTTP_BAD_GATEWAY, NULL, r->pool, alloc));
    APR_BRIGADE_INSERT_TAIL(stream->brigade, apr_bucket_eos_create(alloc));
    pass(stream);
    if (r->proto_num < HTTP_VERSION(1, 1)) {
        reset_connection(r->connection);
    }
    return OK;
}
