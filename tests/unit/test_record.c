/* Records: what was written is read, and nothing else is. */
#include "drain_unit.h"
#include "drain/record.h"

#define SPOOL "0123456789abcdef01234567"
#define NONCE "76543210fedcba9876543210"

static const mm_delta_t whole = {.kind = MM_DELTA_USER,
                                 .type = "files",
                                 .id = "f\xc3\xbc",
                                 .user = "u\xff",
                                 .views = 5,
                                 .downloads = 2,
                                 .machine_views = 5,
                                 .machine_downloads = 1,
                                 .last_viewed_ms = NOON_MS,
                                 .last_downloaded_ms = 0,
                                 .first_seen_ms = 0};

static apr_status_t decode(mm_record_t *record, const bson_t *doc)
{
    mm_err_t err = {.text = ""};
    apr_status_t rv = mm_record_decode(record, bson_get_data(doc), doc->len, &err);

    assert_true(rv == APR_SUCCESS || rv == APR_EINVAL || rv == APR_EGENERAL);
    assert_int_equal(rv != APR_SUCCESS, err.text[0] != '\0');
    return rv;
}

/* Takes doc apart and puts it away. */
static apr_status_t decode_once(bson_t *doc)
{
    mm_record_t record;
    apr_status_t rv = decode(&record, doc);

    bson_destroy(doc);
    return rv;
}

static void reads_back_a_batch(void **state)
{
    bson_t doc = BSON_INITIALIZER;
    mm_record_t record;

    (void)state;
    mm_record_batch(&doc, SPOOL, INT64_MAX, NONCE);
    assert_int_equal(decode(&record, &doc), APR_SUCCESS);
    assert_int_equal(record.kind, MM_RECORD_BATCH);
    assert_int_equal(record.version, MM_RECORD_VERSION);
    assert_string_equal(record.spool, SPOOL);
    assert_true(record.seq == INT64_MAX);
    assert_string_equal(record.nonce, NONCE);
    bson_destroy(&doc);
}

static void reads_back_a_segment_and_an_end(void **state)
{
    bson_t doc = BSON_INITIALIZER;
    mm_record_t record;

    (void)state;
    mm_record_segment(&doc, "1-2-3-4.seg", 77);
    assert_int_equal(decode(&record, &doc), APR_SUCCESS);
    assert_int_equal(record.kind, MM_RECORD_SEGMENT);
    assert_string_equal(record.name, "1-2-3-4.seg");
    assert_int_equal(record.to, 77);
    bson_reinit(&doc);
    mm_record_end(&doc, 3, 4);
    assert_int_equal(decode(&record, &doc), APR_SUCCESS);
    assert_int_equal(record.kind, MM_RECORD_END);
    assert_int_equal(record.segments, 3);
    assert_int_equal(record.deltas, 4);
    bson_destroy(&doc);
}

static void reads_back_a_log(void **state)
{
    mm_ledger_t ledger = {.id = "1111111111111111111111111111111111111111",
                          .name = "access\xff.log",
                          .head = 1,
                          .offset = 2,
                          .since_ms = 8,
                          .until_ms = 9,
                          .lines = 3,
                          .bad = 4,
                          .uses = 5,
                          .first_ms = MM_TIME_NONE,
                          .last_ms = 7,
                          .done = true};
    bson_t doc = BSON_INITIALIZER;
    mm_record_t record;

    (void)state;
    mm_record_log(&doc, &ledger);
    assert_int_equal(decode(&record, &doc), APR_SUCCESS);
    assert_int_equal(record.kind, MM_RECORD_LOG);
    assert_string_equal(record.ledger.id, ledger.id);
    assert_string_equal(record.ledger.name, ledger.name);
    assert_int_equal(record.ledger.head, 1);
    assert_int_equal(record.ledger.offset, 2);
    assert_int_equal(record.ledger.since_ms, 8);
    assert_int_equal(record.ledger.until_ms, 9);
    assert_int_equal(record.ledger.lines, 3);
    assert_int_equal(record.ledger.bad, 4);
    assert_int_equal(record.ledger.uses, 5);
    assert_true(record.ledger.first_ms == MM_TIME_NONE);
    assert_int_equal(record.ledger.last_ms, 7);
    assert_true(record.ledger.done);
    bson_reinit(&doc);
    ledger.id[0] = 'g';
    mm_record_log(&doc, &ledger);
    assert_int_equal(decode(&record, &doc), APR_EINVAL);
    bson_destroy(&doc);
}

static void reads_back_a_delta(void **state)
{
    bson_t doc = BSON_INITIALIZER;
    mm_record_t record;
    bson_iter_t iter;

    (void)state;
    mm_record_delta(&doc, &whole);
    assert_true(bson_iter_init_find(&iter, &doc, "id") && BSON_ITER_HOLDS_UTF8(&iter));
    assert_true(bson_iter_init_find(&iter, &doc, "user") && BSON_ITER_HOLDS_BINARY(&iter));
    assert_int_equal(decode(&record, &doc), APR_SUCCESS);
    assert_int_equal(record.kind, MM_RECORD_DELTA);
    assert_int_equal(record.delta.kind, MM_DELTA_USER);
    assert_string_equal(record.delta.type, whole.type);
    assert_string_equal(record.delta.id, whole.id);
    assert_string_equal(record.delta.user, whole.user);
    assert_int_equal(record.delta.views, 5);
    assert_int_equal(record.delta.downloads, 2);
    assert_int_equal(record.delta.machine_views, 5);
    assert_int_equal(record.delta.machine_downloads, 1);
    assert_int_equal(record.delta.last_viewed_ms, NOON_MS);
    assert_int_equal(record.delta.last_downloaded_ms, 0);
    assert_int_equal(record.delta.first_seen_ms, 0);
    bson_destroy(&doc);
}

static void reads_back_the_longest_delta(void **state)
{
    char id[MM_EVENT_ID_MAX + 1], user[MM_EVENT_USER_MAX + 1];
    mm_delta_t delta = whole;
    bson_t doc = BSON_INITIALIZER;
    mm_record_t record;

    (void)state;
    memset(id, 0xfe, sizeof(id));
    memset(user, 'u', sizeof(user));
    id[MM_EVENT_ID_MAX] = user[MM_EVENT_USER_MAX] = '\0';
    delta.type = "abcdefghijklmnopqrstuvwxyz_01234";
    delta.id = id;
    delta.user = user;
    mm_record_delta(&doc, &delta);
    assert_true(doc.len <= MM_RECORD_MAX);
    assert_int_equal(decode(&record, &doc), APR_SUCCESS);
    assert_string_equal(record.delta.id, id);
    assert_string_equal(record.delta.user, user);
    bson_destroy(&doc);
}

static void a_resource_has_no_user(void **state)
{
    mm_delta_t delta = whole;
    bson_t doc = BSON_INITIALIZER;
    mm_record_t record;

    (void)state;
    delta.kind = MM_DELTA_RESOURCE;
    delta.user = NULL;
    delta.downloads = delta.machine_downloads = 0;
    delta.last_downloaded_ms = MM_TIME_NONE;
    mm_record_delta(&doc, &delta);
    assert_int_equal(decode(&record, &doc), APR_SUCCESS);
    assert_null(record.delta.user);
    assert_int_equal(record.delta.last_downloaded_ms, MM_TIME_NONE);
    bson_destroy(&doc);
}

static apr_status_t decode_delta(const mm_delta_t *delta)
{
    bson_t doc = BSON_INITIALIZER;

    mm_record_delta(&doc, delta);
    return decode_once(&doc);
}

#define refused(change)                                                                                                \
    do {                                                                                                               \
        mm_delta_t delta = whole;                                                                                      \
        change;                                                                                                        \
        assert_int_equal(decode_delta(&delta), APR_EINVAL);                                                            \
    } while (0)

static void refuses_deltas_that_cannot_be(void **state)
{
    char longest[MM_EVENT_ID_MAX + 2];

    (void)state;
    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    assert_int_equal(decode_delta(&whole), APR_SUCCESS);
    refused(delta.kind = (mm_delta_kind_t)0);
    refused(delta.kind = (mm_delta_kind_t)4);
    refused(delta.kind = MM_DELTA_RESOURCE);
    refused(delta.user = NULL);
    refused(delta.user = "");
    refused(delta.id = "");
    refused(delta.id = longest);
    refused(delta.type = "");
    refused(delta.type = "Files");
    refused(delta.type = "$cmd");
    refused(delta.last_viewed_ms = delta.last_downloaded_ms = MM_TIME_NONE);
    refused(delta.last_viewed_ms = -1);
    refused(delta.first_seen_ms = MM_TIME_NONE);
    refused(delta.kind = MM_DELTA_DAY; delta.day_ms = 0); /* with times */
#define a_day                                                                                                          \
    delta.kind = MM_DELTA_DAY;                                                                                         \
    delta.last_viewed_ms = delta.last_downloaded_ms = delta.first_seen_ms = MM_TIME_NONE
    refused(a_day; delta.day_ms = MM_TIME_NONE);
    refused(a_day; delta.day_ms = 86400001);
    refused(a_day; delta.day_ms = -86400000);
}

static void reads_back_a_day_and_what_was_taken_back(void **state)
{
    mm_delta_t delta = {.kind = MM_DELTA_DAY,
                        .type = "files",
                        .id = "f",
                        .day_ms = 86400000,
                        .views = -1,
                        .machine_views = -2,
                        .unique_views = -3,
                        .unique_downloads = 4,
                        .unique_investigations = 5,
                        .machine_unique_views = 6,
                        .machine_unique_downloads = 7,
                        .machine_unique_investigations = 8,
                        .last_viewed_ms = MM_TIME_NONE,
                        .last_downloaded_ms = MM_TIME_NONE,
                        .first_seen_ms = MM_TIME_NONE};
    bson_t doc = BSON_INITIALIZER;
    mm_record_t record;

    (void)state;
    mm_record_delta(&doc, &delta);
    assert_int_equal(decode(&record, &doc), APR_SUCCESS);
    delta.type = record.delta.type;
    delta.id = record.delta.id;
    assert_memory_equal(&record.delta, &delta, sizeof(delta));
    delta.user = "u";
    assert_int_equal(decode_delta(&delta), APR_SUCCESS);
    bson_destroy(&doc);
}

/* As the version before wrote it: no day, nothing unique. */
static void reads_an_older_delta(void **state)
{
    bson_t *doc = BCON_NEW("k", "delta", "kind", BCON_INT32(1), "type", "files", "id", "f", "views", BCON_INT64(2),
                           "downloads", BCON_INT64(0), "machine_views", BCON_INT64(1), "machine_downloads",
                           BCON_INT64(0), "last_viewed", BCON_DATE_TIME(7), "first_seen", BCON_DATE_TIME(5));
    mm_record_t record;

    (void)state;
    assert_int_equal(decode(&record, doc), APR_SUCCESS);
    assert_int_equal(record.delta.views, 2);
    assert_int_equal(record.delta.unique_views, 0);
    assert_true(record.delta.day_ms == MM_TIME_NONE);
    bson_destroy(doc);
}

static void refuses_other_headers(void **state)
{
    (void)state;
    static const struct {
        const char *spool, *nonce;
        int version, seq;
        apr_status_t expected;
    } headers[] = {
        {SPOOL, NONCE, 1, 1, APR_SUCCESS},
        {SPOOL, NONCE, 2, 1, APR_SUCCESS},
        {SPOOL, NONCE, 3, 1, APR_EGENERAL},
        {SPOOL, NONCE, 0, 1, APR_EINVAL},
        {SPOOL, NONCE, 1, 0, APR_EINVAL},
        {"0123", NONCE, 1, 1, APR_EINVAL},
        {"0123456789ABCDEF01234567", NONCE, 1, 1, APR_EINVAL},
        {SPOOL, "76543210fedcba987654321", 1, 1, APR_EINVAL},
        {SPOOL, "76543210fedcba987654321g", 1, 1, APR_EINVAL},
    };
    bson_t *doc;

    for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
        doc = BCON_NEW("k", "batch", "v", BCON_INT32(headers[i].version), "spool", BCON_UTF8(headers[i].spool), "seq",
                       BCON_INT64(headers[i].seq), "nonce", BCON_UTF8(headers[i].nonce));
        assert_int_equal(decode_once(doc), headers[i].expected);
    }
    doc = BCON_NEW("k", "batch", "v", BCON_INT32(3), "what", "nobody knows");
    assert_int_equal(decode_once(doc), APR_EGENERAL);
    doc = BCON_NEW("k", "batch", "v", BCON_INT32(1), "spool", SPOOL, "seq", BCON_INT64(1));
    assert_int_equal(decode_once(doc), APR_EINVAL); /* no nonce */
    doc = BCON_NEW("k", "segment", "name", "../x", "to", BCON_INT64(1));
    assert_int_equal(decode_once(doc), APR_EINVAL);
    doc = BCON_NEW("k", "segment", "name", "x", "to", BCON_INT64(-1));
    assert_int_equal(decode_once(doc), APR_EINVAL);
}

static void refuses_other_shapes(void **state)
{
    (void)state;
    assert_int_equal(decode_once(BCON_NEW("k", "start")), APR_EINVAL);
    assert_int_equal(decode_once(BCON_NEW("segments", BCON_INT64(0), "deltas", BCON_INT64(0), "k", "end")), APR_EINVAL);
    assert_int_equal(decode_once(BCON_NEW("k", BCON_INT32(1))), APR_EINVAL);
    assert_int_equal(decode_once(bson_new()), APR_EINVAL);
    /* a field missing, twice, unknown, of another kind, of another type */
    assert_int_equal(decode_once(BCON_NEW("k", "end", "deltas", BCON_INT64(0))), APR_EINVAL);
    bson_t *doc = BCON_NEW("k", "end", "deltas", BCON_INT64(0), "segments", BCON_INT64(0), "deltas", BCON_INT64(0));
    assert_int_equal(decode_once(doc), APR_EINVAL);
    doc = BCON_NEW("k", "end", "deltas", BCON_INT64(0), "segments", BCON_INT64(0), "more", BCON_INT64(0));
    assert_int_equal(decode_once(doc), APR_EINVAL);
    doc = BCON_NEW("k", "end", "deltas", BCON_INT64(0), "segments", BCON_INT64(0), "to", BCON_INT64(0));
    assert_int_equal(decode_once(doc), APR_EINVAL);
    doc = BCON_NEW("k", "end", "deltas", BCON_INT64(0), "segments", BCON_INT32(0));
    assert_int_equal(decode_once(doc), APR_EINVAL);
    doc = BCON_NEW("k", "end", "deltas", BCON_INT64(0), "segments", BCON_INT64(0));
    assert_int_equal(decode_once(doc), APR_SUCCESS);
}

static void refuses_bytes_that_are_no_document(void **state)
{
    bson_t doc = BSON_INITIALIZER;
    mm_record_t record;
    uint8_t copy[MM_RECORD_MAX + 1];

    (void)state;
    mm_record_delta(&doc, &whole);
    memcpy(copy, bson_get_data(&doc), doc.len);
    for (size_t len = 0; len < doc.len; len++) {
        assert_int_equal(mm_record_decode(&record, copy, len, NULL), APR_EINVAL);
    }
    assert_int_equal(mm_record_decode(&record, copy, doc.len + 1, NULL), APR_EINVAL);
    for (size_t i = 0; i < doc.len; i++) { /* whatever comes of it, it must be an answer */
        for (int bit = 0; bit < 8; bit++) {
            copy[i] ^= (uint8_t)(1 << bit);
            mm_record_decode(&record, copy, doc.len, NULL);
            copy[i] ^= (uint8_t)(1 << bit);
        }
    }
    assert_int_equal(mm_record_decode(&record, copy, doc.len, NULL), APR_SUCCESS);
    bson_destroy(&doc);
}

static void refuses_a_nul_within(void **state)
{
    bson_t doc = BSON_INITIALIZER;

    (void)state;
    BSON_APPEND_UTF8(&doc, "k", "segment");
    bson_append_utf8(&doc, "name", -1, "a\0b", 3);
    BSON_APPEND_INT64(&doc, "to", 1);
    assert_int_equal(decode_once(&doc), APR_EINVAL);
    for (uint32_t len = 1; len <= 3; len++) {
        bson_t *delta = BCON_NEW("k", "delta", "kind", BCON_INT32(MM_DELTA_RESOURCE), "type", "files", "id",
                                 BCON_BIN(BSON_SUBTYPE_BINARY, (const uint8_t *)"a\0b", len), "views", BCON_INT64(1),
                                 "downloads", BCON_INT64(0), "machine_views", BCON_INT64(0), "machine_downloads",
                                 BCON_INT64(0), "last_viewed", BCON_DATE_TIME(1), "first_seen", BCON_DATE_TIME(1));

        assert_int_equal(decode_once(delta), len == 1 ? APR_SUCCESS : APR_EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_back_a_batch),
        cmocka_unit_test(reads_back_a_segment_and_an_end),
        cmocka_unit_test(reads_back_a_delta),
        cmocka_unit_test(reads_back_a_log),
        cmocka_unit_test(reads_back_the_longest_delta),
        cmocka_unit_test(a_resource_has_no_user),
        cmocka_unit_test(refuses_deltas_that_cannot_be),
        cmocka_unit_test(reads_back_a_day_and_what_was_taken_back),
        cmocka_unit_test(reads_an_older_delta),
        cmocka_unit_test(refuses_other_headers),
        cmocka_unit_test(refuses_other_shapes),
        cmocka_unit_test(refuses_bytes_that_are_no_document),
        cmocka_unit_test(refuses_a_nul_within),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
