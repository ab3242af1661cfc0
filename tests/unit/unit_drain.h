/* What the tests of the drainer share: one with its spool, its database and its log. */
#ifndef UNIT_DRAIN_H
#define UNIT_DRAIN_H

#include "drain_unit.h"
#include "drain/drain.h"
#include "store/store.h"

#define TIMES "serverSelectionTimeoutMS=1000&connectTimeoutMS=1000"

static const char *const types[] = {"datasets", "files"};
static volatile sig_atomic_t stop;

typedef struct setting {
    const unit_t *unit;
    char *dir;
    const char *uri;
    mm_spool_writer_t *writer;
    mm_drain_options_t options;
    test_log_t *log;
    mm_drain_t *drain;
    apr_pool_t *drain_pool;
    mm_err_t err;
} setting_t;

/* Without libmongoc, which a process that forks drainers must not begin. */
static inline setting_t begin_here(const unit_t *unit)
{
    setting_t s = {.unit = unit, .dir = spool_make(unit), .uri = unit_mongo_uri(unit->pool)};

    stop = 0;
    s.writer = writer_make(s.dir, MM_SPOOL_SEGMENT_MAX, unit->pool);
    s.log = apr_palloc(unit->pool, sizeof(*s.log));
    test_log_init(s.log);
    s.options = (mm_drain_options_t){.spool_dir = s.dir,
                                     .mongo_uri = s.uri,
                                     .prefix = MM_STORE_PREFIX_DEFAULT,
                                     .types = types,
                                     .n_types = 2,
                                     .interval_us = 1000,
                                     .once = 1,
                                     .stop = &stop};
    return s;
}

static inline setting_t begin(const unit_t *unit)
{
    mm_store_init();
    return begin_here(unit);
}

static inline apr_status_t open_drain(setting_t *s)
{
    apr_pool_create(&s->drain_pool, s->unit->pool);
    s->err.text[0] = '\0';
    return mm_drain_create(&s->drain, &s->options, &s->log->log, s->drain_pool, &s->err);
}

static inline void close_drain(setting_t *s)
{
    apr_pool_destroy(s->drain_pool);
    s->drain = NULL;
}

static inline int step(setting_t *s)
{
    int worked = -1;

    if (mm_drain_step(s->drain, &worked, &s->err) != APR_SUCCESS) {
        fail_msg("%s", s->err.text);
    }
    return worked;
}

/* A drainer from its beginning until nothing is left. */
static inline void drain_all(setting_t *s)
{
    if (open_drain(s) != APR_SUCCESS || mm_drain_run(s->drain, &s->err) != APR_SUCCESS) {
        fail_msg("%s", s->err.text);
    }
    close_drain(s);
}

static inline int64_t views(const setting_t *s)
{
    return db_sum(s->uri, "metrics_datasets", NULL, "views");
}

static inline int segments(const setting_t *s)
{
    return count_files(s->dir, MM_SPOOL_SUFFIX, s->unit->pool);
}

/* As if the process that writes had ended: its segments can go when they are read. */
static inline void end_writer(setting_t *s, apr_pool_t **pool)
{
    if (*pool != NULL) {
        mm_spool_writer_close(s->writer);
        apr_pool_destroy(*pool);
    }
    apr_pool_create(pool, s->unit->pool);
    s->writer = writer_make(s->dir, MM_SPOOL_SEGMENT_MAX, *pool);
}

#endif
