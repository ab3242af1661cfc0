/* What the disk says of the drainer before us, and what to do when the disk is damaged.
 *
 * Invariant: the sequence number never goes back, and a number that may have reached the database is not given to
 * another batch; so a damaged batch uses up its number. The reader learns positions only from a file that was read
 * whole. One thread, before the first round.
 */
#include "drain/resume.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include "drain/batch.h"

typedef struct position {
    const char *name;
    int64_t to;
} position_t;

/* One of the two files, as far as it could be read. */
typedef struct found {
    const char *dir, *name, *spool_id;
    apr_pool_t *pool;
    apr_array_header_t *positions;
    int64_t seq; /* 0 when not even the first record was readable */
    int64_t deltas;
    mm_window_place_t window;
} found_t;

static apr_status_t on_batch(void *baton, const char *spool_id, int64_t seq, const char *nonce, mm_err_t *err)
{
    found_t *found = baton;

    (void)nonce;
    if (strcmp(spool_id, found->spool_id) != 0) {
        return mm_err_set(
            err, APR_EGENERAL,
            "%s/%s belongs to spool %s, but %s/id says %s. If metricsctl new-id was interrupted, run it "
            "again. If not, put that id back; without it, stop httpd and run metricsctl new-id --spool %s, "
            "which goes on from there under another id",
            found->dir, found->name, spool_id, found->dir, found->spool_id, found->dir);
    }
    found->seq = seq;
    return APR_SUCCESS;
}

static apr_status_t on_segment(void *baton, const char *name, int64_t to, mm_err_t *err)
{
    found_t *found = baton;
    position_t *position = apr_array_push(found->positions);

    (void)err;
    position->name = apr_pstrdup(found->pool, name);
    position->to = to;
    return APR_SUCCESS;
}

static apr_status_t on_delta(void *baton, const mm_delta_t *delta, mm_err_t *err)
{
    found_t *found = baton;

    (void)delta;
    (void)err;
    found->deltas++;
    return APR_SUCCESS;
}

static apr_status_t on_window(void *baton, const mm_window_place_t *place, mm_err_t *err)
{
    (void)err;
    ((found_t *)baton)->window = *place;
    return APR_SUCCESS;
}

static apr_status_t find(found_t *found, const char *name, mm_err_t *err)
{
    mm_batch_reader_t reader = {
        .on_batch = on_batch, .on_segment = on_segment, .on_delta = on_delta, .on_window = on_window, .baton = found};

    found->name = name;
    found->seq = 0;
    found->deltas = 0;
    found->window = (mm_window_place_t){.generation = 0};
    apr_array_clear(found->positions);
    return mm_batch_read(found->dir, name, &reader, found->pool, err);
}

static void restore(const found_t *found, mm_spool_reader_t *reader)
{
    for (int i = 0; i < found->positions->nelts; i++) {
        const position_t *position = &APR_ARRAY_IDX(found->positions, i, position_t);

        mm_spool_reader_restore(reader, position->name, position->to);
    }
}

static apr_status_t refuse(const char *dir, const char *name, const char *why, mm_err_t *err)
{
    return mm_err_set(err, APR_EGENERAL,
                      "%s/%s is damaged (%s), and nothing else says what was counted already. Restore it from a backup "
                      "of this very moment, or begin anew: stop httpd, remove id, batch and checkpoint from the spool, "
                      "start httpd; what is still in the spool may then be counted twice",
                      dir, name, why);
}

/* Gives the damaged batch a second name, under which it stays for whoever wants to look. Its first name stays, too,
 * until the next batch replaces it: a drainer that dies before that must find out again that this number is used up.
 * The second name is made from the file's own time, so finding out again makes no further copy. */
static apr_status_t keep_copy(const found_t *found, const char **copy, mm_err_t *err)
{
    const char *from = apr_pstrcat(found->pool, found->dir, "/", found->name, NULL);
    struct stat info;

    if (stat(from, &info) != 0) {
        return mm_err_set_os(err, errno, "cannot look at %s", from);
    }
    *copy = apr_psprintf(found->pool, "%s.damaged-%" APR_INT64_T_FMT, from, (apr_int64_t)info.st_mtime);
    if (link(from, *copy) != 0 && errno != EEXIST) {
        return mm_err_set_os(err, errno, "cannot keep a copy of %s, which is damaged", from);
    }
    return APR_SUCCESS;
}

/* The batch is damaged, why says how. */
static apr_status_t fall_back(mm_resume_t *resume, found_t *found, const char *why, const mm_log_t *log, mm_err_t *err)
{
    int64_t damaged_seq = found->seq;
    const char *copy = NULL;
    mm_err_t second;
    apr_status_t rv = keep_copy(found, &copy, err);

    if (rv != APR_SUCCESS) {
        return rv;
    }
    rv = find(found, MM_CHECKPOINT_FILE, &second);
    if (rv == APR_EINVAL || APR_STATUS_IS_ENOENT(rv)) {
        return refuse(found->dir, MM_BATCH_FILE, why, err);
    }
    if (rv != APR_SUCCESS) {
        return mm_err_set(err, rv, "%s", second.text);
    }
    resume->seq = damaged_seq > found->seq + 1 ? damaged_seq : found->seq + 1;
    mm_log(log, MM_LOG_ERROR, "MM0201",
           "%s/" MM_BATCH_FILE " is damaged (%s). Its events are read from the spool again; none is lost, but those of "
           "this one batch may be counted twice. Check the disk. A copy is kept as %s",
           found->dir, why, copy);
    return APR_SUCCESS;
}

static apr_status_t from_checkpoint(mm_resume_t *resume, found_t *found, mm_err_t *err)
{
    mm_err_t why;
    apr_status_t rv = find(found, MM_CHECKPOINT_FILE, &why);

    if (rv == APR_SUCCESS) {
        resume->seq = found->seq;
        return rv;
    }
    if (APR_STATUS_IS_ENOENT(rv)) {
        return APR_SUCCESS; /* nothing was ever counted here */
    }
    if (rv == APR_EINVAL) {
        return refuse(found->dir, MM_CHECKPOINT_FILE, why.text, err);
    }
    return mm_err_set(err, rv, "%s", why.text);
}

apr_status_t mm_resume(mm_resume_t *resume, const char *dir, const char *spool_id, mm_spool_reader_t *reader,
                       const mm_log_t *log, apr_pool_t *pool, mm_err_t *err)
{
    found_t found = {.dir = dir, .spool_id = spool_id, .pool = pool};
    mm_err_t why;
    apr_status_t rv;

    memset(resume, 0, sizeof(*resume));
    found.positions = apr_array_make(pool, 16, sizeof(position_t));
    rv = find(&found, MM_BATCH_FILE, &why);
    if (rv == APR_SUCCESS) {
        resume->pending = true;
        resume->deltas = found.deltas;
        resume->seq = found.seq;
    }
    else if (APR_STATUS_IS_ENOENT(rv)) {
        rv = from_checkpoint(resume, &found, err);
    }
    else if (rv == APR_EINVAL) {
        rv = fall_back(resume, &found, why.text, log, err);
    }
    else {
        return mm_err_set(err, rv, "%s", why.text);
    }
    if (rv == APR_SUCCESS) {
        restore(&found, reader);
        resume->window = found.window;
    }
    return rv;
}
