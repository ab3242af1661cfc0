/* The passes of a log, into an update and out of a document. */
#include "unit.h"
#include "store/passes_doc.h"

static void reads_a_document_without_spans(void **state)
{
    bson_t *doc = BCON_NEW("offset", BCON_INT64(500));
    mm_passes_t passes = {.n = 0};

    (void)state;
    assert_true(mm_passes_read(&passes, doc));
    assert_int_equal(passes.n, 1);
    assert_int_equal(mm_passes_to(&passes, 0, 0), 500);
    bson_destroy(doc);
}

static void reads_spans_and_believes_nothing_else(void **state)
{
    bson_t *doc = BCON_NEW("offset", "x", "passes", "{", "100-200", BCON_INT64(7), "100-0", BCON_INT32(5), "",
                           BCON_INT64(9), "1", BCON_INT64(9), "1-", BCON_INT64(9), "-1", BCON_INT64(9), "1-2x",
                           BCON_INT64(9), "1-2", "x", "3-4", BCON_INT64(-9), "}");
    mm_passes_t passes = {.n = 0};

    (void)state;
    assert_true(mm_passes_read(&passes, doc));
    assert_int_equal(passes.n, 2);
    assert_int_equal(mm_passes_to(&passes, 100, 200), 7);
    assert_int_equal(mm_passes_to(&passes, 100, 0), 5);
    bson_destroy(doc);
}

static void tells_when_there_are_too_many(void **state)
{
    bson_t doc = BSON_INITIALIZER, child;
    mm_passes_t passes = {.n = 0};

    (void)state;
    BSON_APPEND_DOCUMENT_BEGIN(&doc, "passes", &child);
    for (int i = 1; i <= MM_PASSES_ROOM + 1; i++) {
        char key[32];

        snprintf(key, sizeof(key), "%d-%d", i, i + 1);
        BSON_APPEND_INT64(&child, key, 1);
    }
    bson_append_document_end(&doc, &child);
    assert_false(mm_passes_read(&passes, &doc));
    bson_destroy(&doc);
}

static void writes_one_field_for_each(void **state)
{
    const mm_passes_t passes = {.pass = {{500, 0, 0}, {7, 100, 200}}, .n = 2};
    bson_t max = BSON_INITIALIZER;
    bson_iter_t iter;

    (void)state;
    mm_passes_append(&max, &passes);
    assert_true(bson_iter_init_find(&iter, &max, "offset"));
    assert_int_equal(bson_iter_int64(&iter), 500);
    assert_true(bson_iter_init_find(&iter, &max, "passes.100-200"));
    assert_int_equal(bson_iter_int64(&iter), 7);
    bson_destroy(&max);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_document_without_spans),
        cmocka_unit_test(reads_spans_and_believes_nothing_else),
        cmocka_unit_test(tells_when_there_are_too_many),
        cmocka_unit_test(writes_one_field_for_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
