/* Batch files from a disk that lies, as fuzz_frames.h makes them of the input.
 *
 * What is accepted must be whole, hold nothing beyond the limits of events, and read the same when it is written again.
 */
#include "fuzz_frames.h"

#include <sys/mman.h>
#include <unistd.h>
#include "base/text.h"
#include "drain/batch.h"
#include "drain/record.h"

#define INPUT_MAX (256 * 1024)

/* Everything that is read, written again. */
typedef struct copy {
    int fd;
    int64_t batches, segments, deltas, windows;
} copy_t;

static apr_status_t put_doc(copy_t *copy, bson_t *doc)
{
    if (copy->fd >= 0) {
        put_frame(copy->fd, bson_get_data(doc), doc->len);
    }
    bson_destroy(doc);
    return APR_SUCCESS;
}

static apr_status_t on_batch(void *baton, const char *spool_id, int64_t seq, const char *nonce, mm_err_t *err)
{
    copy_t *copy = baton;
    bson_t doc = BSON_INITIALIZER;

    (void)err;
    HOLDS(++copy->batches == 1);
    HOLDS(strlen(spool_id) == MM_SPOOL_ID_LEN && seq > 0);
    HOLDS(strlen(nonce) == MM_BATCH_NONCE_LEN);
    mm_record_batch(&doc, spool_id, seq, nonce);
    return put_doc(copy, &doc);
}

static apr_status_t on_segment(void *baton, const char *name, int64_t to, mm_err_t *err)
{
    copy_t *copy = baton;
    bson_t doc = BSON_INITIALIZER;

    (void)err;
    HOLDS(copy->batches == 1 && copy->deltas == 0);
    HOLDS(name[0] != '\0' && strchr(name, '/') == NULL && to >= 0);
    copy->segments++;
    mm_record_segment(&doc, name, to);
    return put_doc(copy, &doc);
}

static apr_status_t on_log(void *baton, const mm_ledger_t *ledger, mm_err_t *err)
{
    copy_t *copy = baton;
    bson_t doc = BSON_INITIALIZER;

    (void)err;
    HOLDS(copy->batches == 1 && copy->deltas == 0);
    HOLDS(strlen(ledger->id) == MM_LEDGER_ID_LEN && strlen(ledger->name) <= MM_LEDGER_NAME_MAX);
    HOLDS(ledger->head > 0 && ledger->offset >= 0);
    mm_record_log(&doc, ledger);
    return put_doc(copy, &doc);
}

static apr_status_t on_delta(void *baton, const mm_delta_t *delta, mm_err_t *err)
{
    copy_t *copy = baton;
    bson_t doc = BSON_INITIALIZER;

    (void)err;
    HOLDS(copy->batches == 1);
    HOLDS(mm_text_is_type_name(delta->type, strlen(delta->type)));
    HOLDS(delta->id[0] != '\0' && strlen(delta->id) <= MM_EVENT_ID_MAX);
    HOLDS(delta->kind == MM_DELTA_DAY || (delta->kind == MM_DELTA_USER) == (delta->user != NULL));
    HOLDS((delta->kind == MM_DELTA_DAY) == (delta->day_ms != MM_TIME_NONE));
    HOLDS(delta->user == NULL || (delta->user[0] != '\0' && strlen(delta->user) <= MM_EVENT_USER_MAX));
    HOLDS(delta->kind == MM_DELTA_DAY ? delta->day_ms >= 0 : delta->first_seen_ms >= 0);
    copy->deltas++;
    mm_record_delta(&doc, delta);
    return put_doc(copy, &doc);
}

static apr_status_t on_window(void *baton, const mm_window_place_t *place, mm_err_t *err)
{
    copy_t *copy = baton;
    bson_t doc = BSON_INITIALIZER;

    (void)err;
    HOLDS(copy->batches == 1 && ++copy->windows == 1);
    HOLDS(place->generation > 0 && place->to >= 0);
    mm_record_window(&doc, place->generation, place->to);
    return put_doc(copy, &doc);
}

static apr_status_t read_all(int fd, copy_t *copy)
{
    mm_batch_reader_t reader = {.on_batch = on_batch,
                                .on_segment = on_segment,
                                .on_log = on_log,
                                .on_delta = on_delta,
                                .on_window = on_window,
                                .baton = copy};
    mm_err_t err = {.text = ""};
    apr_status_t rv;

    HOLDS(lseek(fd, 0, SEEK_SET) == 0);
    rv = mm_batch_read_fd(fd, "input", &reader, &err);
    HOLDS(rv == APR_SUCCESS || rv == APR_EINVAL || rv == APR_EGENERAL); /* the last: of a newer version */
    HOLDS((rv != APR_SUCCESS) == (err.text[0] != '\0'));
    return rv;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    copy_t copy = {.fd = -1}, again = {.fd = -1};
    bson_t end = BSON_INITIALIZER;
    int in;

    if (len < 1 || len > INPUT_MAX) {
        return 0;
    }
    in = memfd_create("in", 0);
    copy.fd = memfd_create("copy", 0);
    HOLDS(in >= 0 && copy.fd >= 0);
    put_input(in, data, len);
    if (read_all(in, &copy) == APR_SUCCESS) {
        HOLDS(copy.batches == 1);
        mm_record_end(&end, copy.segments, copy.deltas);
        put_frame(copy.fd, bson_get_data(&end), end.len);
        HOLDS(read_all(copy.fd, &again) == APR_SUCCESS);
        HOLDS(again.segments == copy.segments && again.deltas == copy.deltas);
    }
    bson_destroy(&end);
    close(in);
    close(copy.fd);
    return 0;
}
