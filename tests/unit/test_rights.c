/* From ids and Clowder's documents to verdicts: datasets, collections, spaces and people. */
#include "unit_rights.h"

static const mm_clowder_rules_t private_server = {.people = MM_CLOWDER_PEOPLE_API};

static void datasets_are_seen_by_owner_role_and_status(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *const ids[] = {ID("d1"), ID("d2"), ID("d3"), ID("d4"), ID("d5"), ID("d6"), ID("de"), "x", ID("d3")};

    unit_spaces(store);
    unit_insert(store, "datasets", "{'_id':" OID("d1") ",'author':{'_id':" OID(ME) "},'trash':true}");
    unit_insert(store, "datasets", "{'_id':" OID("d2") ",'status':'PUBLIC'}");
    unit_insert(store, "datasets",
                "{'_id':" OID("d3") ",'author':{'_id':" OID(OTHER) "},'status':'DEFAULT','spaces':[" OID("5f") "," OID(
                    "5b") "]}");
    unit_insert(store, "datasets", "{'_id':" OID("d4") ",'status':'PRIVATE','spaces':['x',3," OID("5a") "]}");
    unit_insert(store, "datasets", "{'_id':" OID("d5") ",'status':'PRIVATE','spaces':[" OID("5b") "]}");
    unit_insert(store, "datasets", "{'_id':" OID("d6") ",'author':{'_id':'" ID(ME) "'},'spaces':3,'status':4}");

    assert_string_equal(
        SEES(unit_rights(store, private_server, MM_CLOWDER_MEMBER, MM_CLOWDER_VIEW_DATASET), "datasets", ids),
        "++++----+");
    assert_string_equal(
        SEES(unit_rights(store, private_server, MM_CLOWDER_MEMBER, MM_CLOWDER_VIEW_FILE), "datasets", ids),
        "+++-----+");
    assert_string_equal(SEES(unit_rights(store, private_server, MM_CLOWDER_ANONYMOUS, 0), "datasets", ids),
                        "-++-----+");
    assert_string_equal(SEES(unit_rights(store, private_server, MM_CLOWDER_SUPER, 0), "datasets", ids), "+++++++-+");
    assert_string_equal(SEES(unit_rights(store, private_server, MM_CLOWDER_SUPER, 0), "sensors", ids), "---------");
}

static void an_answer_holds_for_the_report(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *const first[] = {ID("d2"), ID("d3")}, *const second[] = {"5C00000000000000000000D2", ID("d4"),
                                                                         ID("d3")};
    mm_clowder_rights_t *rights = unit_rights(store, private_server, MM_CLOWDER_ANONYMOUS, 0);

    unit_insert(store, "datasets", "{'_id':" OID("d2") ",'status':'PUBLIC'}");
    assert_string_equal(SEES(rights, "datasets", first), "+-");
    unit_insert(store, "datasets", "{'_id':" OID("d3") ",'status':'PUBLIC'}");
    unit_insert(store, "datasets", "{'_id':" OID("d4") ",'status':'PUBLIC'}");
    assert_string_equal(SEES(rights, "datasets", second), "++-");
}

static void collections_are_seen_by_owner_role_and_space(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *const ids[] = {ID("c1"), ID("c2"), ID("c3"), ID("c4"), ID("ce")};

    unit_spaces(store);
    unit_insert(store, "collections", "{'_id':" OID("c1") ",'author':{'_id':" OID(ME) "}}");
    unit_insert(store, "collections", "{'_id':" OID("c2") ",'spaces':[" OID("5b") "],'trash':false}");
    unit_insert(store, "collections", "{'_id':" OID("c3") ",'spaces':[" OID("5a") "]}");
    unit_insert(store, "collections", "{'_id':" OID("c4") ",'spaces':[" OID("5a") "," OID("5b") "],'trash':true}");

    assert_string_equal(
        SEES(unit_rights(store, private_server, MM_CLOWDER_MEMBER, MM_CLOWDER_VIEW_COLLECTION), "collections", ids),
        "+++--");
    assert_string_equal(SEES(unit_rights(store, private_server, MM_CLOWDER_ANONYMOUS, 0), "collections", ids), "-+-+-");
}

static void spaces_are_seen_by_creator_role_and_what_they_hold(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *const ids[] = {ID("5a"), ID("5b"), ID("5c"), ID("5f")};

    unit_spaces(store);
    unit_insert(store, "datasets", "{'_id':" OID("d1") ",'status':'PUBLIC','spaces':[" OID("5c") "," OID("5f") "]}");
    assert_string_equal(
        SEES(unit_rights(store, private_server, MM_CLOWDER_MEMBER, MM_CLOWDER_VIEW_SPACE), "spaces", ids), "+++-");
    assert_string_equal(SEES(unit_rights(store, private_server, MM_CLOWDER_MEMBER, 0), "spaces", ids), "-++-");
    assert_string_equal(SEES(unit_rights(store, private_server, MM_CLOWDER_ANONYMOUS, 0), "spaces", ids), "-++-");
}

static void people_are_seen_by_their_own_roles(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *const ids[] = {ID(ME), ID(OTHER), ID("03"), ID("0e"), "ada@example.org", ID(ME)};

    unit_insert(store, "social.users", "{'_id':" OID(ME) "}");
    unit_insert(store, "social.users",
                "{'_id':" OID(OTHER) ",'spaceandrole':[3,{'role':{'permissions':['x','ViewUser']}}]}");
    unit_insert(store, "social.users", "{'_id':" OID("03") ",'spaceandrole':[{'role':{'permissions':['ViewFile']}}]}");
    assert_string_equal(SEES(unit_rights(store, private_server, MM_CLOWDER_MEMBER, 0), "users", ids), "++---+");
    assert_string_equal(SEES(unit_rights(store, private_server, MM_CLOWDER_ANONYMOUS, 0), "users", ids), "------");
    const mm_clowder_rules_t pages = {.people = MM_CLOWDER_PEOPLE_PAGE};
    assert_string_equal(SEES(unit_rights(store, pages, MM_CLOWDER_MEMBER, 0), "users", ids), "+++--+");
}

static void a_database_that_is_away_is_no_answer(void **state)
{
    unit_t *unit = *state;
    int port, fd = unit_deaf_port(0, &port);
    mm_store_t *store = unit_store_at(apr_psprintf(unit->pool, "mongodb://127.0.0.1:%d/x", port), unit->pool);
    mm_clowder_rights_t *rights = unit_rights(store, private_server, MM_CLOWDER_MEMBER, ~0u);
    static const char *const types[] = {"datasets", "collections", "spaces", "files"};
    const char *const ids[] = {ID("d1")};
    unsigned char verdict = 0;
    mm_err_t err;

    for (size_t i = 0; i < 4; i++) {
        assert_int_not_equal(mm_clowder_rights_resources(rights, types[i], ids, 1, &verdict, unit->pool, &err),
                             APR_SUCCESS);
    }
    assert_int_not_equal(mm_clowder_rights_people(rights, ids, 1, &verdict, unit->pool, &err), APR_SUCCESS);
    assert_int_equal(verdict, 0);
    close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(datasets_are_seen_by_owner_role_and_status),   TEST(an_answer_holds_for_the_report),
        TEST(collections_are_seen_by_owner_role_and_space), TEST(spaces_are_seen_by_creator_role_and_what_they_hold),
        TEST(people_are_seen_by_their_own_roles),           TEST(a_database_that_is_away_is_no_answer),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
