/* What the driver's reply says of each refused update. */
#include "unit_store.h"

static bson_t *from_json(const char *json)
{
    char *text = strdup(json), *c;
    bson_t *doc;

    for (c = text; *c; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    doc = bson_new_from_json((const uint8_t *)text, -1, NULL);
    free(text);
    assert_non_null(doc);
    return doc;
}

static mm_duplicate_t duplicate(const char *error)
{
    char json[1024];
    bson_t *reply;
    bson_iter_t elements;
    mm_write_error_t found;

    snprintf(json, sizeof(json), "{'writeErrors': [%s]}", error);
    reply = from_json(json);
    assert_true(mm_reply_array(reply, "writeErrors", &elements));
    assert_true(mm_reply_next_error(&elements, &found));
    bson_destroy(reply);
    return found.duplicate;
}

static void test_which_index_refuses(void **state)
{
    (void)state;
    assert_int_equal(duplicate("{'keyPattern': {'_id': 1}}"), MM_DUPLICATE_ID);
    assert_int_equal(duplicate("{'keyPattern': {'user': 1}}"), MM_DUPLICATE_OTHER);
    assert_int_equal(duplicate("{'keyPattern': {'_id': 1, 'user': 1}}"), MM_DUPLICATE_OTHER);
    /* what is told in fields counts more than what is told in words */
    assert_int_equal(duplicate("{'errmsg': 'E11000 collection: d.c index: _id_ dup', 'keyPattern': {'user': 1}}"),
                     MM_DUPLICATE_OTHER);
    assert_int_equal(duplicate("{'keyPattern': {'user': 1}, 'errmsg': 'E11000 collection: d.c index: _id_ dup'}"),
                     MM_DUPLICATE_OTHER);
}

static void test_which_index_refuses_in_words(void **state)
{
    (void)state;
    assert_int_equal(
        duplicate("{'errmsg': 'E11000 duplicate key error collection: d.c index: _id_ dup key: { _id: 1 }'}"),
        MM_DUPLICATE_ID);
    assert_int_equal(duplicate("{'errmsg': 'E11000 duplicate key error index: d.c.$_id_ dup key: { : 1 }'}"),
                     MM_DUPLICATE_ID);
    assert_int_equal(
        duplicate("{'errmsg': 'E11000 duplicate key error collection: d.c index: user_1 dup key: { : 1 }'}"),
        MM_DUPLICATE_OTHER);
    assert_int_equal(duplicate("{'errmsg': 'E11000 duplicate key error index: d.c.$my_id_ dup key: { : 1 }'}"),
                     MM_DUPLICATE_OTHER);
    /* the key is a visitor's */
    assert_int_equal(duplicate("{'errmsg': 'E11000 duplicate key error collection: d.c index: user_1 dup key: { : \\\" "
                               "index: _id_ \\\" }'}"),
                     MM_DUPLICATE_OTHER);
    assert_int_equal(duplicate("{'errmsg': 'E11000 duplicate key'}"), MM_DUPLICATE_UNTOLD);
    assert_int_equal(duplicate("{'errmsg': 'E11000 index: '}"), MM_DUPLICATE_OTHER);
    assert_int_equal(duplicate("{'keyPattern': {}}"), MM_DUPLICATE_UNTOLD);
    assert_int_equal(duplicate("{}"), MM_DUPLICATE_UNTOLD);
}

static void test_odd_replies(void **state)
{
    bson_t *reply =
        from_json("{'n': 'many', 'writeErrors': [7, 'x', {'index': 'y', 'code': 1.0, 'errmsg': 3}], 'w': 5}");
    bson_iter_t elements;
    mm_write_error_t found;

    (void)state;
    assert_int_equal(mm_reply_int(reply, "n"), 0);
    assert_int_equal(mm_reply_int(reply, "w"), 5);
    assert_int_equal(mm_reply_int(reply, "none"), 0);
    assert_false(mm_reply_array(reply, "w", &elements));
    assert_false(mm_reply_array(reply, "none", &elements));
    assert_true(mm_reply_array(reply, "writeErrors", &elements));
    assert_true(mm_reply_next_error(&elements, &found));
    assert_int_equal(found.index, -1);
    assert_int_equal(found.code, 1);
    assert_string_equal(found.text, "no reason given");
    assert_false(mm_reply_next_error(&elements, &found));
    bson_destroy(reply);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_which_index_refuses),
        cmocka_unit_test(test_which_index_refuses_in_words),
        cmocka_unit_test(test_odd_replies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
