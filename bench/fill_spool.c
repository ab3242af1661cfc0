/* fill_spool DIR EVENTS RESOURCES USERS SEED: appends that many events to a spool, as the children of an httpd would
 * have done while the database was away. Which resource and which user is drawn with a seeded generator, so that a run
 * can be repeated; half of the visitors are nobody in particular. Prints what was appended, in events per second. For
 * backlog.py. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <apr_general.h>

#include "event/event.h"
#include "spool/frame.h"
#include "spool/spool.h"
#include "spool/spool_writer.h"

static uint64_t state;

/* xorshift64*, by Vigna. */
static uint64_t drawn(uint64_t below)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return (state * UINT64_C(2685821657736338717)) % below;
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static apr_status_t append(mm_spool_writer_t *writer, int64_t time_us, uint64_t resources, uint64_t users,
                           mm_err_t *err)
{
    static const char *const types[] = {"datasets", "collections", "files"};
    uint8_t buf[MM_FRAME_HEADER + 2 + MM_EVENT_ENCODED_MAX];
    char id[32], user[32];
    mm_event_t event = {.source = MM_SOURCE_REQUEST, .method = MM_METHOD_GET, .status = 200, .time_us = time_us};

    snprintf(id, sizeof(id), "%024" PRIx64, drawn(resources));
    snprintf(user, sizeof(user), "user%" PRIu64, drawn(users));
    event.action = drawn(4) == 0 ? MM_ACTION_DOWNLOAD : MM_ACTION_VIEW;
    event.type = mm_bytes_of(types[drawn(3)]);
    event.id = mm_bytes_of(id);
    event.user = mm_bytes_of(drawn(2) ? user : NULL);
    event.range_start = MM_RANGE_NONE;
    event.bytes_out = 30000;
    event.address = mm_bytes_of("2001:db8::1");
    event.agent = mm_bytes_of("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0");
    return mm_spool_append(writer, buf, mm_event_pack(&event, buf + MM_FRAME_HEADER), err);
}

int main(int argc, char **argv)
{
    mm_spool_writer_t *writer;
    apr_pool_t *pool;
    mm_err_t err = {0};
    double began;

    if (argc != 6 || apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        fprintf(stderr, "usage: fill_spool DIR EVENTS RESOURCES USERS SEED\n");
        return 2;
    }
    int64_t events = strtoll(argv[2], NULL, 10);
    uint64_t resources = strtoull(argv[3], NULL, 10), users = strtoull(argv[4], NULL, 10);
    state = strtoull(argv[5], NULL, 10) + 1;
    apr_status_t rv = mm_spool_prepare(argv[1], (uid_t)-1, (gid_t)-1, pool, &err);
    if (rv == APR_SUCCESS) {
        rv = mm_spool_writer_create(&writer, argv[1], MM_SPOOL_SEGMENT_MAX, MM_SYNC_NONE, pool, &err);
    }
    began = seconds();
    for (int64_t n = 0; rv == APR_SUCCESS && n < events; n++) {
        rv = append(writer, INT64_C(1750000000000000) + n, resources, users, &err);
    }
    if (rv != APR_SUCCESS) {
        fprintf(stderr, "fill_spool: %s\n", err.text);
        return 1;
    }
    printf("%.0f\n", (double)events / (seconds() - began));
    mm_spool_writer_close(writer);
    return 0;
}
