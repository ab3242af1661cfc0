/* Text and BSON values, both ways, and paths through documents that are not ours. */
#include "unit_store.h"
#include "store/value.h"

static bson_t *parse(const char *json)
{
    char *text = strdup(json), *c;
    bson_error_t error = {0};
    bson_t *doc;

    for (c = text; *c; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    doc = bson_new_from_json((const uint8_t *)text, -1, &error);
    if (!doc) {
        fail_msg("%s: %s", json, error.message);
    }
    free(text);
    return doc;
}

static void test_text_is_string_or_binary(void **state)
{
    bson_t doc = BSON_INITIALIZER;
    bson_iter_t iter;

    (void)state;
    mm_value_append_text(&doc, "plain", "$gt");
    mm_value_append_text(&doc, "accent", "\xc3\xa9");
    mm_value_append_text(&doc, "broken", "\xc3");
    mm_value_append_text(&doc, "empty", "");
    assert_true(bson_iter_init_find(&iter, &doc, "plain") && BSON_ITER_HOLDS_UTF8(&iter));
    assert_true(bson_iter_init_find(&iter, &doc, "accent") && BSON_ITER_HOLDS_UTF8(&iter));
    assert_true(bson_iter_init_find(&iter, &doc, "broken") && BSON_ITER_HOLDS_BINARY(&iter));
    assert_true(bson_iter_init_find(&iter, &doc, "empty") && BSON_ITER_HOLDS_UTF8(&iter));
    bson_destroy(&doc);
}

static void check_candidates(const char *id, const char *json)
{
    bson_t array = BSON_INITIALIZER, *wanted = parse(json);

    mm_value_append_candidates(&array, &id, 1);
    if (!bson_equal(&array, wanted)) {
        fail_msg("%s: %s", id, bson_as_canonical_extended_json(&array, NULL));
    }
    bson_destroy(wanted);
    bson_destroy(&array);
}

static void test_candidates(void **state)
{
    (void)state;
    check_candidates("abc", "{'0': 'abc'}");
    check_candidates("0123456789abcdef01234567",
                     "{'0': '0123456789abcdef01234567', '1': {'$oid': '0123456789abcdef01234567'}}");
    check_candidates("0123456789ABCDEF01234567",
                     "{'0': '0123456789ABCDEF01234567', '1': {'$oid': '0123456789abcdef01234567'}}");
    check_candidates("42", "{'0': '42', '1': {'$numberLong': '42'}}");
    check_candidates("-42", "{'0': '-42', '1': {'$numberLong': '-42'}}");
    check_candidates("042", "{'0': '042'}");
    check_candidates("+42", "{'0': '+42'}");
    check_candidates("-0", "{'0': '-0'}");
    check_candidates("-", "{'0': '-'}");
    check_candidates(" 42", "{'0': ' 42'}");
    check_candidates("9223372036854775807",
                     "{'0': '9223372036854775807', '1': {'$numberLong': '9223372036854775807'}}");
    check_candidates("9223372036854775808", "{'0': '9223372036854775808'}");
    check_candidates("", "{'0': ''}");
    /* 24 digits are an ObjectId, but no integer */
    check_candidates("111111111111111111111111",
                     "{'0': '111111111111111111111111', '1': {'$oid': '111111111111111111111111'}}");
}

static void test_candidates_are_in_order(void **state)
{
    static const char *const ids[] = {"0123456789abcdef01234567", "42", "7", "abcdefabcdefabcdefabcdef"};
    bson_t array = BSON_INITIALIZER,
           *wanted = parse("{'0': '0123456789abcdef01234567', '1': '42', '2': '7', '3': 'abcdefabcdefabcdefabcdef', "
                           "'4': {'$oid': '0123456789abcdef01234567'}, '5': {'$oid': 'abcdefabcdefabcdefabcdef'}, "
                           "'6': {'$numberLong': '42'}, '7': {'$numberLong': '7'}}");

    (void)state;
    mm_value_append_candidates(&array, ids, 4);
    assert_true(bson_equal(&array, wanted));
    bson_destroy(wanted);
    bson_destroy(&array);
}

static void test_forms(void **state)
{
    static const char *const ids[] = {"a\xFF", "0123456789abcdef01234567", "42"};
    static const struct {
        unsigned forms;
        size_t n;
        const char *wanted;
    } cases[] = {
        {0, 1, "{'0': {'$binary': {'base64': 'Yf8=', 'subType': '00'}}}"},
        {MM_FORM_STRING, 3,
         "{'0': {'$binary': {'base64': 'Yf8=', 'subType': '00'}}, '1': '0123456789abcdef01234567', '2': '42'}"},
        {MM_FORM_OBJECT_ID, 2,
         "{'0': {'$binary': {'base64': 'Yf8=', 'subType': '00'}}, '1': {'$oid': '0123456789abcdef01234567'}}"},
        {MM_FORM_NUMBER, 2, "{'0': {'$binary': {'base64': 'Yf8=', 'subType': '00'}}, '1': {'$numberLong': '42'}}"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bson_t array = BSON_INITIALIZER, *wanted = parse(cases[i].wanted);

        assert_int_equal(mm_value_append_forms(&array, ids, 3, cases[i].forms), cases[i].n);
        assert_true(bson_equal(&array, wanted));
        bson_destroy(wanted);
        bson_destroy(&array);
    }
    assert_int_equal(mm_value_forms(ids, 3), MM_FORMS_ALL);
    assert_int_equal(mm_value_forms(ids, 2), MM_FORM_STRING | MM_FORM_OBJECT_ID);
    assert_int_equal(mm_value_forms(ids, 1), 0);
    assert_int_equal(mm_value_forms(ids + 2, 1), MM_FORM_STRING | MM_FORM_NUMBER);
}

/* The id of {'v': VALUE}; NULL when it has none. */
static const char *id_of(const char *json, apr_pool_t *pool)
{
    char buf[MM_VALUE_ID_SIZE];
    bson_t *doc = parse(json);
    bson_iter_t iter;
    const char *text = NULL;

    assert_true(bson_iter_init_find(&iter, doc, "v"));
    if (mm_value_id(&iter, buf)) {
        text = apr_pstrdup(pool, buf);
    }
    bson_destroy(doc);
    return text;
}

static void test_ids(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;
    const char *none[] = {"{'v': true}",
                          "{'v': null}",
                          "{'v': 1.5}",
                          "{'v': {'$numberDouble': 'NaN'}}",
                          "{'v': {'$numberDouble': 'Infinity'}}",
                          "{'v': 1e300}",
                          "{'v': []}",
                          "{'v': {}}",
                          "{'v': {'x': 'y'}}",
                          "{'v': {'_id': {'_id': 'deeper'}}}",
                          "{'v': {'_id': []}}",
                          "{'v': 'a\\u0000b'}",
                          "{'v': {'$binary': {'base64': 'AAA=', 'subType': '00'}}}",
                          "{'v': {'$binary': {'base64': '//4=', 'subType': '05'}}}",
                          "{'v': {'$date': '2020-01-01T00:00:00Z'}}",
                          "{'v': {'$regularExpression': {'pattern': 'a', 'options': ''}}}"};
    size_t i;

    assert_string_equal(id_of("{'v': 'text'}", pool), "text");
    assert_string_equal(id_of("{'v': ''}", pool), "");
    assert_string_equal(id_of("{'v': {'$oid': '0123456789abcdef01234567'}}", pool), "0123456789abcdef01234567");
    assert_string_equal(id_of("{'v': 5}", pool), "5");
    assert_string_equal(id_of("{'v': {'$numberLong': '-9223372036854775808'}}", pool), "-9223372036854775808");
    assert_string_equal(id_of("{'v': 5.0}", pool), "5");
    assert_string_equal(id_of("{'v': {'$binary': {'base64': '//4=', 'subType': '00'}}}", pool), "\xff\xfe");
    assert_string_equal(id_of("{'v': {'_typeHint': 'models.TypedID', '_id': 'x'}}", pool), "x");
    /* a DBRef that libbson's JSON would read as one */
    assert_string_equal(id_of("{'v': {'$ref': 'datasets', '$id': 'x'}}", pool), "x");
    for (i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        if (id_of(none[i], pool)) {
            fail_msg("%s has an id", none[i]);
        }
    }
}

static void test_id_has_a_maximum(void **state)
{
    char *text = malloc(MM_STORE_TEXT_MAX + 2), buf[MM_VALUE_ID_SIZE];
    bson_t doc = BSON_INITIALIZER;
    bson_iter_t iter;

    (void)state;
    memset(text, 'x', MM_STORE_TEXT_MAX + 1);
    bson_append_utf8(&doc, "max", -1, text, MM_STORE_TEXT_MAX);
    bson_append_utf8(&doc, "more", -1, text, MM_STORE_TEXT_MAX + 1);
    assert_true(bson_iter_init_find(&iter, &doc, "max") && mm_value_id(&iter, buf));
    assert_int_equal(strlen(buf), MM_STORE_TEXT_MAX);
    assert_true(bson_iter_init_find(&iter, &doc, "more") && !mm_value_id(&iter, buf));
    bson_destroy(&doc);
    free(text);
}

static const char *shown(const char *json, size_t max, apr_pool_t *pool)
{
    bson_t *doc = parse(json);
    bson_iter_t iter;
    const char *text;

    assert_true(bson_iter_init_find(&iter, doc, "v"));
    text = mm_value_show(&iter, max, pool);
    bson_destroy(doc);
    return text;
}

static void test_show(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;

    assert_string_equal(shown("{'v': 'a name'}", 99, pool), "a name");
    assert_string_equal(shown("{'v': 'cut\\u0000here'}", 99, pool), "cut");
    assert_string_equal(shown("{'v': 7}", 99, pool), "7");
    assert_string_equal(shown("{'v': -7.0}", 99, pool), "-7");
    assert_string_equal(shown("{'v': 2.5}", 99, pool), "2.5");
    assert_string_equal(shown("{'v': true}", 99, pool), "true");
    assert_string_equal(shown("{'v': {'$numberDecimal': '1.10'}}", 99, pool), "1.10");
    assert_string_equal(shown("{'v': {'$oid': '0123456789abcdef01234567'}}", 99, pool), "0123456789abcdef01234567");
    assert_string_equal(shown("{'v': {'$date': '2020-02-29T23:59:59.999Z'}}", 99, pool), "2020-02-29T23:59:59Z");
    assert_string_equal(shown("{'v': {'$date': {'$numberLong': '-1'}}}", 99, pool), "1969-12-31T23:59:59Z");
    assert_string_equal(shown("{'v': {'$symbol': 'sym'}}", 99, pool), "sym");
    assert_null(shown("{'v': {'$date': {'$numberLong': '9223372036854775807'}}}", 99, pool));
    assert_null(shown("{'v': {'$date': {'$numberLong': '-9223372036854775808'}}}", 99, pool));
    assert_null(shown("{'v': {'$numberDouble': 'NaN'}}", 99, pool));
    assert_null(shown("{'v': []}", 99, pool));
    assert_null(shown("{'v': {}}", 99, pool));
    assert_null(shown("{'v': null}", 99, pool));
}

/* An array may hold a million of them, and nobody wants a million copies. */
static void test_nothing_is_not_copied(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;
    bson_t *doc = parse("{'a': '', 'b': '\\u0000x'}");
    const char *shown[2];
    bson_iter_t iter;

    assert_true(bson_iter_init_find(&iter, doc, "a"));
    shown[0] = mm_value_show(&iter, 10, pool);
    assert_string_equal(shown[0], "");
    assert_ptr_equal(mm_value_show(&iter, 10, pool), shown[0]);
    assert_true(bson_iter_init_find(&iter, doc, "b"));
    shown[1] = mm_value_show(&iter, 10, pool);
    assert_string_equal(shown[1], "");
    assert_ptr_equal(shown[1], shown[0]);
    bson_destroy(doc);
}

static void test_show_cuts_at_a_character(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;

    assert_string_equal(shown("{'v': 'abcdef'}", 6, pool), "abcdef");
    assert_string_equal(shown("{'v': 'abcdef'}", 5, pool), "abcde");
    assert_string_equal(shown("{'v': 'ab\xc3\xa9'}", 4, pool), "ab\xc3\xa9");
    assert_string_equal(shown("{'v': 'ab\xc3\xa9'}", 3, pool), "ab");
    assert_string_equal(shown("{'v': '\xf0\x9f\x98\x80'}", 3, pool), "");
    assert_string_equal(shown("{'v': 'a\xf0\x9f\x98\x80z'}", 4, pool), "a");
    assert_string_equal(shown("{'v': 'abc'}", 0, pool), "");
}

static void test_show_keeps_bytes_that_are_no_utf8(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;
    bson_t doc = BSON_INITIALIZER;
    bson_iter_t iter;

    /* as a driver that does not check would store it */
    bson_append_utf8(&doc, "v", -1, "a\xff\x80\x80\x80\x80\x80", 7);
    assert_true(bson_iter_init_find(&iter, &doc, "v"));
    assert_string_equal(mm_value_show(&iter, 99, pool), "a\xff\x80\x80\x80\x80\x80");
    assert_string_equal(mm_value_show(&iter, 6, pool), "a\xff\x80\x80\x80\x80");
    bson_destroy(&doc);
}

static void test_show_field(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;
    bson_t *doc = parse("{'host': 'a.example', 'empty': '', 'list': ['x']}");
    char *lengthy = apr_psprintf(pool, "%0*d", MM_VALUE_FIELD_MAX + 1, 0);

    BSON_APPEND_UTF8(doc, "lengthy", lengthy);
    assert_string_equal(mm_value_show_field(doc, "host", pool), "a.example");
    assert_string_equal(mm_value_show_field(doc, "empty", pool), "?");
    assert_string_equal(mm_value_show_field(doc, "list", pool), "?");
    assert_string_equal(mm_value_show_field(doc, "none", pool), "?");
    assert_int_equal(strlen(mm_value_show_field(doc, "lengthy", pool)), MM_VALUE_FIELD_MAX);
    bson_destroy(doc);
}

static void test_count(void **state)
{
    static const struct {
        const char *json;
        int64_t count;
    } cases[] = {{"{'v': 5}", 5},
                 {"{'v': {'$numberLong': '9223372036854775807'}}", INT64_MAX},
                 {"{'v': 5.0}", 5},
                 {"{'v': 5.5}", 0},
                 {"{'v': -5}", 0},
                 {"{'v': '5'}", 0},
                 {"{'v': true}", 0},
                 {"{'v': [5]}", 0},
                 {"{'v': {'$numberDouble': 'Infinity'}}", 0}};
    size_t i;

    (void)state;
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bson_t *doc = parse(cases[i].json);
        bson_iter_t iter;

        assert_true(bson_iter_init_find(&iter, doc, "v"));
        assert_int_equal(mm_value_count(&iter), cases[i].count);
        bson_destroy(doc);
    }
}

/* --- paths -----------------------------------------------------------------------------------------------------------
 */

typedef struct walked {
    apr_pool_t *pool;
    const char *text;
    int left;
} walked_t;

static bool note_value(void *baton, const bson_iter_t *value)
{
    walked_t *walked = baton;
    const char *text = mm_value_show(value, 99, walked->pool);

    walked->text = apr_pstrcat(walked->pool, walked->text, text ? text : "?", " ", NULL);
    return --walked->left > 0;
}

static const char *walk(const char *json, const char *path, int left, apr_pool_t *pool)
{
    walked_t walked = {pool, "", left};
    bson_t *doc = parse(json);

    mm_value_walk(doc, path, note_value, &walked);
    bson_destroy(doc);
    return walked.text;
}

static void test_walk(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;
    const char *deep = "{'a': {'b': [{'c': 1}, {'c': [2, 3]}, 9, [{'c': 8}], {'x': 0}]}, 'ab': 4, 'b': 5}";

    assert_string_equal(walk(deep, "a.b.c", 99, pool), "1 2 3 ");
    assert_string_equal(walk(deep, "a.b.c", 2, pool), "1 2 ");
    assert_string_equal(walk(deep, "ab", 99, pool), "4 ");
    assert_string_equal(walk(deep, "b", 99, pool), "5 ");
    assert_string_equal(walk(deep, "a", 99, pool), "? ");
    assert_string_equal(walk(deep, "a.b", 99, pool), "? ? 9 ? ? ");
    assert_string_equal(walk(deep, "a.b.c.d", 99, pool), "");
    assert_string_equal(walk(deep, "ab.c", 99, pool), "");
    assert_string_equal(walk(deep, "nothing", 99, pool), "");
    assert_string_equal(walk("{'a': []}", "a", 99, pool), "");
    assert_string_equal(walk("{}", "a", 99, pool), "");
    assert_string_equal(walk("{'a': [[1], 2]}", "a", 99, pool), "? 2 ");
}

static void test_walk_survives_depth_and_damage(void **state)
{
    apr_pool_t *pool = ((unit_t *)*state)->pool;
    bson_t *doc = parse("{'a': {'b': {'c': 'text'}}}");
    walked_t walked = {pool, "", 99};
    size_t i, len = doc->len;
    uint8_t *bytes = malloc(len);

    for (i = 4; i < len; i++) {
        bson_t damaged;

        memcpy(bytes, bson_get_data(doc), len);
        bytes[i] = 0xff;
        if (bson_init_static(&damaged, bytes, len)) {
            mm_value_walk(&damaged, "a.b.c", note_value, &walked);
        }
    }
    free(bytes);
    bson_destroy(doc);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_text_is_string_or_binary),
        TEST(test_candidates),
        TEST(test_candidates_are_in_order),
        TEST(test_forms),
        TEST(test_ids),
        TEST(test_id_has_a_maximum),
        TEST(test_show),
        TEST(test_nothing_is_not_copied),
        TEST(test_show_cuts_at_a_character),
        TEST(test_show_keeps_bytes_that_are_no_utf8),
        TEST(test_show_field),
        TEST(test_count),
        TEST(test_walk),
        TEST(test_walk_survives_depth_and_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
