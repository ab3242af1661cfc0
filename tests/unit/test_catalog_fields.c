/* What one document says of a resource. */
#include "unit_store.h"
#include "store/catalog_private.h"

#define ALL (MM_CATALOG_OWNER | MM_CATALOG_CREATED | MM_CATALOG_SIZE | MM_CATALOG_STATUS | MM_CATALOG_LOCATION)

static const mm_catalog_t *catalog(apr_pool_t *pool)
{
    mm_catalog_t *parsed = NULL;
    mm_err_t err = {0};

    if (mm_catalog_parse(&parsed, "datasets", "things name=n owner=o._id created=c size=s status=st location=l", pool,
                         &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return parsed;
}

static mm_entry_t read_json(const char *json, unsigned wants, apr_pool_t *pool)
{
    mm_entry_t entry = mm_catalog_nothing;
    char *text = apr_pstrdup(pool, json);
    bson_error_t error;

    for (char *c = text; *c; c++) {
        *c = *c == '\'' ? '"' : *c;
    }
    bson_t *doc = bson_new_from_json((const uint8_t *)text, -1, &error);
    if (!doc) {
        fail_msg("%s: %s", json, error.message);
    }
    mm_catalog_read_fields(&entry, doc, catalog(pool), wants, pool);
    bson_destroy(doc);
    return entry;
}

static void assert_entry(const mm_entry_t *entry, const char *texts, int64_t created_ms, int64_t size, apr_pool_t *pool)
{
    assert_string_equal(
        apr_pstrcat(pool, entry->name, "|", entry->owner, "|", entry->status, "|", entry->location, NULL), texts);
    assert_int_equal(entry->created_ms, created_ms);
    assert_int_equal(entry->size, size);
}

static void test_as_configured(void **state)
{
    unit_t *unit = *state;
    const char *json = "{'n': 'N', 'o': {'_id': {'$oid': 'aaaaaaaaaaaaaaaaaaaaaaa1'}}, 'c': {'$date': 5000}, "
                       "'s': {'$numberLong': '1099511627776'}, 'st': 'open', 'l': '/a'}";
    mm_entry_t entry = read_json(json, ALL, unit->pool);

    assert_entry(&entry, "N|aaaaaaaaaaaaaaaaaaaaaaa1|open|/a", 5000, INT64_C(1099511627776), unit->pool);
    entry = read_json(json, 0, unit->pool);
    assert_entry(&entry, "N|||", MM_TIME_NONE, MM_CATALOG_NO_SIZE, unit->pool);
}

static void test_whatever_a_document_holds(void **state)
{
    static const struct {
        const char *json;
        bool has_wrong_type;
    } odd[] = {
        {"{}", false},
        {"{'n': null, 'o': null, 'c': null, 's': null, 'st': null, 'l': null}", false},
        {"{'n': '', 'o': {'_id': ''}, 'c': [], 's': [], 'st': [], 'l': [null]}", false},
        {"{'n': {'x': 1}}", true},
        {"{'n': [[], {'$binary': {'base64': '', 'subType': '00'}}]}", true},
        {"{'o': {'_id': {'x': 1}}}", true},
        {"{'c': 'now'}", true},
        {"{'s': 'big'}", true},
        {"{'st': [[]]}", true},
        {"{'l': [{}]}", true},
        {"{'n': {'x': 1}, 'o': 5, 'c': 'now', 's': 'big', 'st': [], 'l': {}}", true},
        {"{'n': '', 'o': {'_id': ''}, 'c': 5, 's': {'$date': 5}, 'st': '', 'l': ''}", true},
    };
    unit_t *unit = *state;

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        mm_entry_t entry = read_json(odd[i].json, ALL, unit->pool);
        assert_entry(&entry, "|||", MM_TIME_NONE, MM_CATALOG_NO_SIZE, unit->pool);
        assert_int_equal(entry.troubles, odd[i].has_wrong_type ? 1u << MM_TROUBLE_TYPE : 0);
    }
    mm_entry_t entry = read_json("{'s': -5}", ALL, unit->pool);
    assert_int_equal(entry.size, 0);
    entry = read_json("{'s': 12.0}", ALL, unit->pool);
    assert_int_equal(entry.size, 12);
}

static void test_several_documents(void **state)
{
    unit_t *unit = *state;
    mm_entry_t entry = read_json("{'n': 'first', 's': 1}", ALL, unit->pool);
    mm_entry_t other = read_json(
        "{'n': 'second', 's': 2, 'st': 'open', 'c': {'$date': 1}, 'l': 'x', 'o': {'_id': 'ann'}}", ALL, unit->pool);

    mm_catalog_fill(&entry, &other);
    assert_entry(&entry, "first||open|x", 1, 1, unit->pool);
}

/* One who may choose the id of a document must not become the owner of what another one tells of. */
static void test_owner_that_all_documents_name(void **state)
{
    static const struct {
        const char *documents[3], *owner;
    } cases[] = {{{"{'o': {'_id': 'ann'}}", "{'o': {'_id': 'ann'}}", "{'o': {'_id': 'ann'}}"}, "ann"},
                 {{"{'o': {'_id': 'ann'}}", "{'o': {'_id': 'bob'}}", "{'o': {'_id': 'bob'}}"}, ""},
                 {{"{'o': {'_id': 'ann'}}", "{'n': 'x'}", "{'o': {'_id': 'ann'}}"}, ""},
                 {{"{'n': 'x'}", "{'o': {'_id': 'bob'}}", "{'o': {'_id': 'bob'}}"}, ""}};
    unit_t *unit = *state;

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mm_entry_t entry = mm_catalog_nothing;

        entry.troubles = 1u << MM_TROUBLE_MISSING;
        for (size_t j = 0; j < 3; j++) {
            mm_entry_t from = read_json(cases[i].documents[j], ALL, unit->pool);

            mm_catalog_fill(&entry, &from);
            entry.troubles = 0;
        }
        assert_string_equal(entry.owner, cases[i].owner);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_as_configured),
        TEST(test_whatever_a_document_holds),
        TEST(test_several_documents),
        TEST(test_owner_that_all_documents_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
