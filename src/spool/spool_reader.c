/* Reading the spool in rounds, in bounded memory.
 *
 * Invariants: what mm_spool_reader_positions says is what was read (spool_frames.c moves a segment's offset); it moves
 * back only to a mark, or before the one frame that is held. A segment goes when it was read to an end that is
 * believed, and not before what was read is remembered. One thread.
 *
 * Descriptors: the directory and one segment.
 */
#include "spool/spool_reader.h"

#include <errno.h>
#include <unistd.h>

#include <apr_strings.h>

#include "spool/spool_frames.h"
#include "spool/spool_list.h"
#include "spool/spool_stale.h"
#include "spool/spool_waiting.h"
#include "spool/spool_wipe.h"

struct mm_spool_reader {
    const char *dir;
    mm_spool_list_t list;
    DIR *handle;
    size_t next;        /* segment to open next */
    mm_err_t failure;   /* first of this round; its status is 0 when there was none */
    bool out_of_memory; /* while restoring */
    bool released;      /* segments, since the round began */
    mm_frames_t frames; /* of the segment being read */
};

/* --- life --------------------------------------------------------------------------------------------------------- */

static apr_status_t destroy(void *data)
{
    mm_spool_reader_t *reader = data;

    if (reader->handle != NULL) {
        closedir(reader->handle);
    }
    mm_spool_list_free(&reader->list);
    mm_frames_free(&reader->frames);
    return APR_SUCCESS;
}

apr_status_t mm_spool_reader_create(mm_spool_reader_t **reader, const char *dir, const mm_log_t *log, apr_pool_t *pool,
                                    mm_err_t *err)
{
    mm_spool_reader_t *r = apr_pcalloc(pool, sizeof(*r));

    r->dir = apr_pstrdup(pool, dir);
    if (mm_frames_init(&r->frames, r->dir, log) != APR_SUCCESS) {
        return mm_err_set_os(err, APR_ENOMEM, "no memory to read the spool directory %s", dir);
    }
    apr_pool_cleanup_register(pool, r, destroy, apr_pool_cleanup_null);
    *reader = r;
    return APR_SUCCESS;
}

void mm_spool_reader_restore(mm_spool_reader_t *reader, const char *name, int64_t offset)
{
    if (mm_spool_list_set(&reader->list, name, offset) != APR_SUCCESS) {
        reader->out_of_memory = true;
    }
}

/* --- rounds ------------------------------------------------------------------------------------------------------- */

apr_status_t mm_spool_reader_begin(mm_spool_reader_t *reader, mm_err_t *err)
{
    if (reader->out_of_memory) {
        return mm_err_set_os(err, APR_ENOMEM, "the positions in the spool directory %s are not known", reader->dir);
    }
    mm_frames_close(&reader->frames);
    if (reader->handle != NULL) {
        closedir(reader->handle);
    }
    reader->next = 0;
    reader->released = false;
    reader->failure.status = APR_SUCCESS;
    /* By name, each time: the directory may have been removed and made again. */
    reader->handle = opendir(reader->dir);
    if (reader->handle == NULL) {
        reader->next = reader->list.n;
        return mm_err_set_os(err, errno, "the spool directory %s cannot be opened", reader->dir);
    }
    return mm_spool_list_scan(&reader->list, reader->handle, err);
}

/* Puts off what went wrong with one segment until the others have been read. */
static void remember(mm_spool_reader_t *reader, apr_status_t status, const mm_err_t *err)
{
    if (status != APR_EOF && status != APR_ENOENT && reader->failure.status == APR_SUCCESS) {
        reader->failure = *err;
        reader->failure.status = status;
    }
}

apr_status_t mm_spool_reader_next(mm_spool_reader_t *reader, const uint8_t **payload, size_t *len, mm_err_t *err)
{
    mm_err_t why;
    apr_status_t status;

    for (;;) {
        if (reader->frames.segment != NULL) {
            status = mm_frames_next(&reader->frames, payload, len, &why);
            if (status == APR_SUCCESS) {
                return status;
            }
            remember(reader, status, &why);
            mm_frames_close(&reader->frames);
        }
        while (reader->next < reader->list.n && reader->list.items[reader->next].finished) {
            reader->next++;
        }
        if (reader->next >= reader->list.n) {
            break;
        }
        status = mm_frames_open(&reader->frames, dirfd(reader->handle), &reader->list.items[reader->next++], &why);
        remember(reader, status, &why);
    }
    if (reader->failure.status != APR_SUCCESS) {
        return mm_err_set(err, reader->failure.status, "%s", reader->failure.text);
    }
    return APR_EOF;
}

/* --- what becomes of a frame ---------------------------------------------------------------------------------------
 */

const char *mm_spool_reader_segment(const mm_spool_reader_t *reader)
{
    return reader->frames.segment->name;
}

void mm_spool_reader_hold(mm_spool_reader_t *reader)
{
    mm_frames_hold(&reader->frames);
}

apr_status_t mm_spool_reader_set_aside(mm_spool_reader_t *reader, mm_err_t *err)
{
    return mm_frames_set_aside(&reader->frames, err);
}

void mm_spool_reader_mark(mm_spool_reader_t *reader)
{
    mm_spool_list_mark(&reader->list);
}

void mm_spool_reader_back(mm_spool_reader_t *reader)
{
    mm_frames_close(&reader->frames);
    mm_spool_list_back(&reader->list);
    reader->next = reader->list.n;
}

void mm_spool_reader_positions(const mm_spool_reader_t *reader,
                               void (*fn)(void *baton, const char *name, int64_t offset), void *baton)
{
    size_t i;

    for (i = 0; i < reader->list.n; i++) {
        const mm_segment_t *segment = &reader->list.items[i];

        if (segment->offset > 0 && !segment->removed) {
            fn(baton, segment->name, segment->offset);
        }
    }
}

/* --- clearing away ------------------------------------------------------------------------------------------------ */

/* Up to the mark only: what was read since may have to be read again by a drainer that starts from the last batch. */
static apr_status_t wipe(mm_spool_reader_t *reader, mm_segment_t *segment, mm_err_t *err)
{
    apr_status_t status;

    if (segment->marked <= segment->wiped) {
        return APR_SUCCESS;
    }
    status = mm_spool_wipe(dirfd(reader->handle), segment->name, segment->seed, segment->wiped, segment->marked);
    if (status != APR_SUCCESS) {
        return mm_err_set_os(err, status, "what is counted cannot be wiped from the spool segment %s/%s", reader->dir,
                             segment->name);
    }
    segment->wiped = segment->marked;
    return APR_SUCCESS;
}

apr_status_t mm_spool_reader_release(mm_spool_reader_t *reader, mm_err_t *err)
{
    apr_status_t status = APR_SUCCESS;
    bool removed = false;
    size_t i;

    if (reader->handle == NULL) {
        return APR_SUCCESS;
    }
    for (i = 0; i < reader->list.n; i++) {
        mm_segment_t *segment = &reader->list.items[i];

        if (segment->removed) {
            continue;
        }
        if (!segment->finished) {
            apr_status_t wiped = wipe(reader, segment, status == APR_SUCCESS ? err : NULL);

            status = status == APR_SUCCESS ? wiped : status;
            continue;
        }
        if (unlinkat(dirfd(reader->handle), segment->name, 0) != 0 && errno != ENOENT) {
            status = mm_err_set_os(err, errno, "the spool segment %s/%s cannot be removed", reader->dir, segment->name);
            continue;
        }
        segment->removed = removed = reader->released = true;
    }
    if (reader->list.has_new) {
        mm_spool_remove_stale(reader->handle);
        reader->list.has_new = false;
    }
    /* Positions of removed segments are forgotten from now on. Were the removal lost in a power failure, and their
     * absence from the next batch file not, they would be read again from the beginning. */
    if (removed && fsync(dirfd(reader->handle)) != 0 && status == APR_SUCCESS) {
        status = mm_err_set_os(err, errno, "the spool directory %s cannot be flushed to the disk", reader->dir);
    }
    return status;
}

int64_t mm_spool_reader_waiting(const mm_spool_reader_t *reader)
{
    return reader->handle != NULL ? mm_spool_waiting(&reader->list, dirfd(reader->handle)) : 0;
}

bool mm_spool_reader_more(const mm_spool_reader_t *reader)
{
    return reader->list.incomplete && reader->released;
}
