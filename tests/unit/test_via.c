/* From keys to ids through the application's documents: share links, folders, and whatever else is in there. */
#include "unit_store.h"
#include "store/via.h"

#define LINK   "0123456789abcdef00000001"
#define FILE_1 "0123456789abcdef0000000a"
#define FILE_2 "0123456789abcdef0000000b"

typedef struct pairs {
    apr_pool_t *pool;
    const char *text; /* "key=id " in the order in which they came */
    int left;
} pairs_t;

static bool collect(void *baton, size_t key, const char *id)
{
    pairs_t *pairs = baton;

    pairs->text = apr_psprintf(pairs->pool, "%s%d=%.64s ", pairs->text, (int)key, id);
    return --pairs->left > 0;
}

static const char *look_up(unit_t *unit, mm_store_t *store, const char *words, const char *const *keys, size_t n,
                           int at_most)
{
    pairs_t pairs = {unit->pool, "", at_most};
    mm_via_t via;
    mm_err_t err;

    if (mm_via_parse(&via, words, unit->pool, &err) != APR_SUCCESS ||
        mm_via_lookup(store, &via, keys, n, collect, &pairs, unit->pool, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return pairs.text;
}

static void a_link_leads_to_its_file(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *keys[] = {"0123456789abcdef00000009", LINK};

    unit_insert(store, "downloads.links", "{'_id':{'$oid':'" LINK "'},'fileId':{'$oid':'" FILE_1 "'}}");
    assert_string_equal(look_up(unit, store, "downloads.links:_id:fileId", keys, 2, 9), "1=" FILE_1 " ");
    assert_string_equal(look_up(unit, store, "nothing:_id:fileId", keys, 2, 9), "");
}

static void a_folder_leads_to_all_its_files(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *keys[] = {LINK};

    unit_insert(store, "folders",
                "{'_id':{'$oid':'" LINK "'},'files':[{'$oid':'" FILE_1 "'},{'$oid':'" FILE_2 "'},{'a':1},null]}");
    assert_string_equal(look_up(unit, store, "folders:_id:files", keys, 1, 9), "0=" FILE_1 " 0=" FILE_2 " ");
    assert_string_equal(look_up(unit, store, "folders:_id:files", keys, 1, 1), "0=" FILE_1 " ");
}

static void odd_documents_lead_nowhere(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *keys[] = {"a", "b", "c"};

    unit_insert(store, "odd", "{'k':['a','c'],'i':'1'}");
    unit_insert(store, "odd", "{'k':'b'}");
    unit_insert(store, "odd", "{'k':'b','i':{'x':1}}");
    unit_insert(store, "odd", "{'k':'b','i':''}");
    assert_string_equal(look_up(unit, store, "odd:k:i", keys, 3, 9), "0=1 2=1 ");
}

static void a_database_that_is_away_is_told(void **state)
{
    unit_t *unit = *state;
    const char *keys[] = {"a"};
    pairs_t pairs = {unit->pool, "", 9};
    mm_via_t via;
    mm_err_t err;
    int port, fd = unit_deaf_port(0, &port);
    mm_store_t *store = unit_store_at(apr_psprintf(unit->pool, "mongodb://127.0.0.1:%d/x", port), unit->pool);

    assert_int_equal(mm_via_parse(&via, "a:b:c", unit->pool, &err), APR_SUCCESS);
    assert_int_equal(mm_via_lookup(store, &via, keys, 1, collect, &pairs, unit->pool, &err), MM_STORE_AWAY);
    close(fd);
}

static void what_cannot_be_written_is_told(void **state)
{
    static const char *const wrong[] = {
        "", "a", "a:b", "a:b:c:d", "a:$b:c", "a:b.$c:d", "a$:b:c", "system.users:a:b", "a:b:c d"};
    unit_t *unit = *state;
    mm_via_t via;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        mm_err_t err = {0};

        assert_int_equal(mm_via_parse(&via, wrong[i], unit->pool, &err), APR_EINVAL);
        assert_true(err.text[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_link_leads_to_its_file, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(a_folder_leads_to_all_its_files, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(odd_documents_lead_nowhere, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(a_database_that_is_away_is_told, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_is_told, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
