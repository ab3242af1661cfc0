/* Files are seen by way of what holds them. */
#include "unit_rights.h"

static const mm_clowder_rules_t private_server = {.is_public = false};
static const char *const ids[] = {ID("f1"), ID("f2"), ID("f3"), ID("f4"), ID("f5"), ID("f6"), ID("f7"), ID("fe")};

/* f1 is mine; f2 directly in an open dataset; f3 in a folder of one; f4 in a folder of a private one, and directly in
 * an open one; f5 in a dataset of a space of mine; f6 in an open one in the trash; f7 in a folder of nothing. */
static void fill(mm_store_t *store)
{
    static const char *const all[] = {"f2", "f3", "f4", "f5", "f6", "f7"};

    unit_spaces(store);
    unit_insert(store, "uploads", "{'_id':" OID("f1") ",'author':{'_id':" OID(ME) "}}");
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        unit_insert(store, "uploads", apr_psprintf(store->pool, "{'_id':{'$oid':'5c00000000000000000000%s'}}", all[i]));
    }
    unit_insert(store, "datasets",
                "{'_id':" OID("d1") ",'status':'PUBLIC','files':[" OID("f2") ",'x'," OID("f4") "," OID("f4") "]}");
    unit_insert(store, "datasets", "{'_id':" OID("d2") ",'status':'PRIVATE'}");
    unit_insert(store, "datasets",
                "{'_id':" OID("d3") ",'status':'PRIVATE','spaces':[" OID("5a") "],'files':[" OID("f5") "]}");
    unit_insert(
        store, "datasets",
        "{'_id':" OID("d4") ",'status':'DEFAULT','spaces':[" OID("5b") "],'files':[" OID("f6") "],'trash':true}");
    unit_insert(store, "datasets", "{'_id':" OID("d5") ",'status':'DEFAULT','spaces':[" OID("5b") "]}");
    unit_insert(store, "folders", "{'files':[" OID("f3") "],'parentDatasetId':" OID("d5") "}");
    unit_insert(store, "folders", "{'files':[" OID("f4") "],'parentDatasetId':" OID("d2") "}");
    unit_insert(store, "folders", "{'files':[" OID("f7") "],'parentDatasetId':" OID("dd") "}");
    unit_insert(store, "folders", "{'files':[" OID("f7") "]}");
}

static void files_are_seen_by_what_holds_them(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const mm_clowder_rules_t strict = {.strict = true};

    fill(store);
    assert_string_equal(SEES(unit_rights(store, private_server, MM_CLOWDER_ANONYMOUS, 0), "files", ids), "-++--+--");
    assert_string_equal(SEES(unit_rights(store, private_server, MM_CLOWDER_MEMBER, MM_CLOWDER_VIEW_FILE), "files", ids),
                        "++++++--");
    assert_string_equal(
        SEES(unit_rights(store, private_server, MM_CLOWDER_MEMBER, MM_CLOWDER_VIEW_DATASET), "files", ids), "++++-+--");
    assert_string_equal(SEES(unit_rights(store, strict, MM_CLOWDER_MEMBER, MM_CLOWDER_VIEW_FILE), "files", ids),
                        "+++++---");
    assert_string_equal(SEES(unit_rights(store, strict, MM_CLOWDER_ANONYMOUS, 0), "files", ids), "-++-----");
}

/* One by one, so that datasets and spaces come out of what is remembered. */
static void what_is_remembered_gives_the_same(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_clowder_rights_t *rights = unit_rights(store, private_server, MM_CLOWDER_MEMBER, MM_CLOWDER_VIEW_FILE);
    const char *again[] = {"+", "+", "+", "+", "+", "+", "-", "-"};

    fill(store);
    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        assert_string_equal(unit_sees(rights, "files", ids + i, 1), again[i]);
    }
    assert_string_equal(SEES(rights, "files", ids), "++++++--");
}

/* What is forgotten between two questions is read again. */
static void what_is_forgotten_gives_the_same(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_clowder_rights_t *rights = unit_rights(store, private_server, MM_CLOWDER_MEMBER, MM_CLOWDER_VIEW_FILE);

    const mm_clowder_rules_t public_server = {.is_public = true};
    const mm_clowder_rights_t of_public_server = {.rules = &public_server};

    rights->whole = mm_clowder_whole_make(&of_public_server, 0, unit->pool); /* nothing is read whole */
    rights->datasets = mm_clowder_memory_make(0, unit->pool);
    rights->public_spaces = mm_clowder_memory_make(0, unit->pool);
    for (size_t i = 0; i < MM_CLOWDER_KINDS; i++) {
        rights->verdicts[i] = mm_clowder_memory_make(0, unit->pool);
    }
    fill(store);
    for (int i = 0; i < 3; i++) {
        assert_string_equal(SEES(rights, "files", ids), "++++++--");
        assert_string_equal(unit_sees(rights, "files", ids + 2, 3), "+++");
    }
    unit_insert(store, "datasets", "{'_id':" OID("d6") ",'status':'PUBLIC','files':[" OID("fe") "]}");
    assert_string_equal(SEES(rights, "files", ids), "++++++-+");
}

/* More than one query for them. */
static void many_files_at_once(void **state)
{
    enum { N = 300 };
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *names[N];
    char expected[N + 1] = "";
    bson_t doc = BSON_INITIALIZER, files;

    BSON_APPEND_UTF8(&doc, "status", "PUBLIC");
    BSON_APPEND_ARRAY_BEGIN(&doc, "files", &files);
    for (int i = 0; i < N; i++) {
        bson_oid_t oid;

        names[i] = apr_psprintf(unit->pool, "5d00000000000000000%05x", i);
        bson_oid_init_from_string(&oid, names[i]);
        if (i % 3) {
            BSON_APPEND_OID(&files, apr_itoa(unit->pool, i), &oid);
        }
        expected[i] = i % 3 ? '+' : '-';
    }
    bson_append_array_end(&doc, &files);
    unit_insert_doc(store, "datasets", &doc);
    bson_destroy(&doc);
    assert_string_equal(unit_sees(unit_rights(store, private_server, MM_CLOWDER_ANONYMOUS, 0), "files", names, N),
                        expected);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(files_are_seen_by_what_holds_them),
        TEST(what_is_remembered_gives_the_same),
        TEST(what_is_forgotten_gives_the_same),
        TEST(many_files_at_once),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
