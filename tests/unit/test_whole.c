/* Files of which all is read at once are seen as those that are looked up, by whomever. */
#include "unit_rights.h"

static const char *const ids[] = {ID("f1"), ID("f2"), ID("f3"), ID("f4"), ID("f5"), ID("f6"),
                                  ID("f7"), ID("f8"), ID("f9"), ID("fa"), ID("fb"), ID("fe")};

/* f1 is mine; f2 in an open dataset; f3 in a folder of one; f4 in a folder of a private one, and in an open one; f5 in
 * a space of mine; f6 open in the trash; f7 in a folder of nothing; f8 in a private dataset; f9 is gone and in an open
 * one; fa in an open one in the trash and in an open one; fb in a folder of f5's dataset; fe is nowhere. */
static void fill(mm_store_t *store)
{
    static const char *const all[] = {"f2", "f3", "f4", "f5", "f6", "f7", "f8", "fa", "fb", "fe"};

    unit_spaces(store);
    unit_insert(store, "uploads", "{'_id':" OID("f1") ",'author':{'_id':" OID(ME) "}}");
    for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
        unit_insert(store, "uploads",
                    apr_psprintf(store->pool,
                                 "{'_id':{'$oid':'5c00000000000000000000%s'},'author':[{'_id':" OID(ME) "}]}", all[i]));
    }
    unit_insert(store, "datasets",
                "{'_id':" OID("d1") ",'status':'PUBLIC','files':[" OID("f2") ",'x'," OID("f4") "," OID("f9") "," OID(
                    "fa") "]}");
    unit_insert(store, "datasets", "{'_id':" OID("d2") ",'status':'PRIVATE','files':[" OID("f8") "]}");
    unit_insert(store, "datasets",
                "{'_id':" OID("d3") ",'status':'PRIVATE','spaces':[" OID("5a") "],'files':[" OID("f5") "]}");
    unit_insert(store, "datasets",
                "{'_id':" OID("d4") ",'status':'DEFAULT','spaces':[" OID("5b") "],'files':[" OID("f6") "," OID(
                    "fa") "],'trash':true}");
    unit_insert(store, "datasets", "{'_id':" OID("d5") ",'status':'DEFAULT','spaces':[" OID("5b") "]}");
    unit_insert(store, "folders", "{'files':[" OID("f3") "],'parentDatasetId':" OID("d5") "}");
    unit_insert(store, "folders", "{'files':[" OID("f4") "],'parentDatasetId':" OID("d2") "}");
    unit_insert(store, "folders", "{'files':[" OID("f7") "],'parentDatasetId':" OID("dd") "}");
    unit_insert(store, "folders", "{'files':[" OID("fb") "],'parentDatasetId':" OID("d3") "}");
}

/* Reads to the end, or until it is given up. */
static bool read_whole(mm_clowder_rights_t *rights)
{
    bool known = false;

    for (int i = 0; i < 100 && !known; i++) {
        mm_clowder_whole_earn(rights->whole, 10 * 1000 * 1000);
        known = mm_clowder_whole_read(rights->whole);
    }
    return known;
}

static mm_clowder_rights_t *rights_of(mm_store_t *store, bool strict, bool anonymous)
{
    const mm_clowder_rules_t rules = {.strict = strict};

    return unit_rights(store, rules, anonymous ? MM_CLOWDER_ANONYMOUS : MM_CLOWDER_MEMBER, MM_CLOWDER_VIEW_FILE);
}

static void gives_what_look_ups_give(void **state)
{
    static const char *const expected[2][2] = {{"++++++--+++-", "-++--+--++--"}, {"+++++----++-", "-++---------"}};
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);

    fill(store);
    for (int strict = 0; strict < 2; strict++) {
        for (int anonymous = 0; anonymous < 2; anonymous++) {
            mm_clowder_rights_t *rights = rights_of(store, strict, anonymous);

            assert_string_equal(SEES(rights_of(store, strict, anonymous), "files", ids), expected[strict][anonymous]);
            assert_true(read_whole(rights));
            assert_string_equal(SEES(rights, "files", ids), expected[strict][anonymous]);
            assert_string_equal(SEES(rights, "files", ids), expected[strict][anonymous]);
        }
    }
}

/* --- a world made up ------------------------------------------------------------------------------------------------
 */

enum { FILES = 300, DATASETS = 60, FOLDERS = 60, SPACES = 8 };

static unsigned dice;

static unsigned roll(unsigned sides)
{
    dice = dice * 1103515245u + 12345u;
    return (dice >> 16) % sides;
}

static const char *oid_of(mm_store_t *store, const char *kind, unsigned n)
{
    return apr_psprintf(store->pool, "{'$oid':'5e00000000000000%s%06x'}", kind, n);
}

static const char *some(mm_store_t *store, const char *kind, unsigned most, unsigned of)
{
    const char *list = "";

    for (unsigned n = roll(most + 1); n; n--) {
        list = apr_pstrcat(store->pool, list, *list ? "," : "", oid_of(store, kind, roll(of)), NULL);
    }
    return list;
}

static void make_up(mm_store_t *store, unsigned seed)
{
    static const char *const status[] = {"PUBLIC", "PRIVATE", "DEFAULT", "TRIAL"};
    static const char *const authors[] = {OID(ME), OID(OTHER), OID("03"), "3"};
    apr_pool_t *pool = store->pool;

    dice = seed;
    for (unsigned n = 0; n < SPACES; n++) {
        unit_insert(store, "spaces.projects",
                    apr_psprintf(pool, "{'_id':%s,'status':'%s'}", oid_of(store, "5a", n), status[roll(2)]));
    }
    for (unsigned n = 0; n < FILES - 20; n++) {
        unit_insert(store, "uploads",
                    apr_psprintf(pool, "{'_id':%s,'author':{'_id':%s}}", oid_of(store, "f1", n), authors[roll(4)]));
    }
    for (unsigned n = 0; n < DATASETS; n++) {
        unit_insert(store, "datasets",
                    apr_psprintf(pool, "{'_id':%s,'status':'%s','trash':%s,'spaces':[%s],'files':[%s]}",
                                 oid_of(store, "d1", n), status[roll(4)], roll(4) ? "false" : "true",
                                 some(store, "5a", 2, SPACES + 2), some(store, "f1", 7, FILES)));
    }
    for (unsigned n = 0; n < FOLDERS; n++) {
        unit_insert(store, "folders",
                    apr_psprintf(pool, "{'parentDatasetId':%s,'files':[%s]}", oid_of(store, "d1", roll(DATASETS + 5)),
                                 some(store, "f1", 4, FILES)));
    }
}

static mm_clowder_rights_t *rights_in_one_space(mm_store_t *store, int strict, int anonymous)
{
    mm_clowder_role_t *role = apr_pcalloc(store->pool, sizeof(*role));
    mm_clowder_rights_t *rights = rights_of(store, strict, anonymous);

    *role = (mm_clowder_role_t){unit_oid("5e000000000000005a000001"), MM_CLOWDER_VIEW_FILE};
    apr_hash_set(rights->roles, role->space.bytes, MM_OID_SIZE, role);
    return rights;
}

static void gives_it_in_a_world_made_up(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *files[FILES];

    make_up(store, 7);
    for (unsigned n = 0; n < FILES; n++) {
        files[n] = apr_psprintf(unit->pool, "5e00000000000000f1%06x", n);
    }
    for (int kind = 0; kind < 4; kind++) {
        const char *expected = unit_sees(rights_in_one_space(store, kind & 1, kind & 2), "files", files, FILES);
        mm_clowder_rights_t *rights = rights_in_one_space(store, kind & 1, kind & 2);

        assert_non_null(strchr(expected, '+'));
        assert_non_null(strchr(expected, '-'));
        assert_true(read_whole(rights));
        assert_string_equal(unit_sees(rights, "files", files, FILES), expected);
    }
}

/* A member needs nothing more from the database then. */
static void all_is_known(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_clowder_rights_t *rights = rights_of(store, false, false);

    fill(store);
    assert_true(read_whole(rights));
    assert_true(mm_clowder_whole_knows_owned(rights->whole));
    unit_insert(store, "datasets", "{'_id':" OID("d6") ",'status':'PUBLIC','files':[" OID("f8") "]}");
    assert_string_equal(SEES(rights, "files", ids), "++++++--+++-");
    assert_string_equal(SEES(rights_of(store, false, false), "files", ids), "++++++-++++-");
}

/* Nothing is read ahead for a first batch, nor for longer than look-ups have taken. */
static void reading_is_earned(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_clowder_rights_t *rights = rights_of(store, false, false);

    fill(store);
    assert_false(mm_clowder_whole_read(rights->whole));
    mm_clowder_whole_earn(rights->whole, 1);
    assert_false(mm_clowder_whole_read(rights->whole));
    assert_false(mm_clowder_whole_read(rights->whole)); /* one step took longer: the next has to be earned, too */
    assert_true(read_whole(rights));
    assert_string_equal(SEES(rights_of(store, false, false), "files", ids), "++++++--+++-");
}

/* Where a file's being seen is the rule, nothing may be missed. */
static void public_servers_are_looked_up(void **state)
{
    unit_t *unit = *state;
    const mm_clowder_rules_t rules = {.is_public = true, .strict = true};
    mm_store_t *store = unit_store(unit->pool);
    mm_clowder_rights_t *rights = unit_rights(store, rules, MM_CLOWDER_MEMBER, MM_CLOWDER_VIEW_FILE);

    fill(store);
    assert_false(read_whole(rights));
    assert_string_equal(SEES(rights, "files", ids), "+++++-++-+++");
}

/* Hidden at all times, and open in the set: what hides it is read anew. */
static void who_must_not_miss_anything_asks_again(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_clowder_rights_t *rights = rights_of(store, false, true);

    fill(store);
    assert_true(read_whole(rights));
    unit_insert(store, "folders", "{'files':[" OID("f2") "],'parentDatasetId':" OID("d2") "}");
    assert_string_equal(SEES(rights, "files", ids), "--+--+--++--");
}

/* A member may see nine, one of them in two datasets, the last of them as an owner; anonymous visitors six. */
static void too_many_are_looked_up(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);

    fill(store);
    for (size_t max = 0; max < 12; max++) {
        mm_clowder_rights_t *member = rights_of(store, false, false), *anonymous = rights_of(store, false, true);

        member->whole = mm_clowder_whole_make(member, max, unit->pool);
        assert_int_equal(read_whole(member), max >= 10);
        assert_string_equal(SEES(member, "files", ids), "++++++--+++-");
        anonymous->whole = mm_clowder_whole_make(anonymous, max, unit->pool);
        assert_int_equal(read_whole(anonymous), max >= 7);
        assert_string_equal(SEES(anonymous, "files", ids), "-++--+--++--");
    }
}

static void what_fails_is_given_up(void **state)
{
    unit_t *unit = *state;
    int port, fd = unit_deaf_port(0, &port);
    mm_store_t *store = unit_store_at(apr_psprintf(unit->pool, "mongodb://127.0.0.1:%d/x", port), unit->pool);
    mm_clowder_rights_t *rights = rights_of(store, false, false);
    unsigned char verdict = 0;
    mm_err_t err;

    assert_false(read_whole(rights));
    assert_false(mm_clowder_whole_is_known(rights->whole));
    assert_int_not_equal(mm_clowder_rights_resources(rights, "files", ids, 1, &verdict, unit->pool, &err), APR_SUCCESS);
    assert_int_equal(verdict, 0);
    close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(gives_what_look_ups_give), TEST(gives_it_in_a_world_made_up),  TEST(all_is_known),
        TEST(reading_is_earned),        TEST(public_servers_are_looked_up), TEST(who_must_not_miss_anything_asks_again),
        TEST(too_many_are_looked_up),   TEST(what_fails_is_given_up),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
