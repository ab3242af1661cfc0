/* A user with roles, and since when there are terms of service. */
#include "unit_rights.h"
#include "store/clowder_private.h"

static mm_clowder_user_t *find(mm_store_t *store, mm_clowder_who_t who)
{
    mm_clowder_user_t *user = NULL;
    mm_err_t err;

    assert_int_equal(mm_clowder_find_user(&user, store, &who, store->pool, &err), APR_SUCCESS);
    return user;
}

static void a_user_has_roles(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const mm_oid_t id = unit_oid(ID(ME)), bare = unit_oid(ID(OTHER)), nobody = unit_oid(ID("0e"));

    unit_insert(store, "social.users",
                "{'_id':" OID(ME) ",'status':'Admin','termsOfServices':{'accepted':true,'acceptedDate':{'$date':"
                                  "{'$numberLong':'77'}}},'passwordInfo':{'hasher':'bcrypt','password':'$2a$x'},"
                                  "'spaceandrole':[{'spaceId':" OID(
                                      "5a") ",'role':{'permissions':['ViewFile','ViewUser','x']}},3,{'spaceId':'x'},"
                                            "{'spaceId':" OID("5b") "}]}");
    unit_insert(store, "social.users", "{'_id':" OID(OTHER) "}");
    const mm_clowder_user_t *user = find(store, (mm_clowder_who_t){.id = &id});

    assert_int_equal(user->status, MM_CLOWDER_ADMIN);
    assert_int_equal(user->terms_ms, 77);
    assert_string_equal(user->password, "$2a$x");
    assert_int_equal(user->n_roles, 2);
    assert_int_equal(user->roles[0].permissions, MM_CLOWDER_VIEW_FILE | MM_CLOWDER_VIEW_USER);
    assert_int_equal(user->roles[1].permissions, 0);
    assert_int_equal(user->roles[1].space.bytes[11], 0x5b);

    user = find(store, (mm_clowder_who_t){.id = &bare});
    assert_int_equal(user->status, MM_CLOWDER_INACTIVE);
    assert_true(user->terms_ms == MM_CLOWDER_NEVER);
    assert_string_equal(user->password, "");
    assert_int_equal(user->n_roles, 0);
    assert_null(find(store, (mm_clowder_who_t){.id = &nobody}));
    assert_null(find(store, (mm_clowder_who_t){.alone = true}));
}

static void odd_users_get_least(void **state)
{
    unit_t *unit = *state;
    static const char *const odd[] = {
        "{'status':'Admin'}",
        "{'_id':" OID(ME) ",'status':'admin','termsOfServices':true,'spaceandrole':{},'passwordInfo':'x'}",
        "{'_id':" OID(ME) ",'status':1,'termsOfServices':{'accepted':1,'acceptedDate':{'$date':{'$numberLong':'7'}}}}",
        "{'_id':" OID(ME) ",'termsOfServices':{'accepted':true,'acceptedDate':'2026'},'passwordInfo':{'password':'p'},"
                          "'spaceandrole':[[],{'spaceId':" OID("5a") ",'role':[{'permissions':'ViewFile'}]}]}"};

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        char *text = apr_pstrdup(unit->pool, odd[i]);
        mm_clowder_user_t user;

        for (char *c = text; *c; c++) {
            *c = *c == '\'' ? '"' : *c;
        }
        bson_t *doc = bson_new_from_json((const uint8_t *)text, -1, NULL);
        assert_non_null(doc);
        assert_int_equal(mm_clowder_parse_user(&user, doc, unit->pool), i > 0);
        assert_int_equal(user.status, MM_CLOWDER_INACTIVE);
        assert_true(i == 0 || user.terms_ms == MM_CLOWDER_NEVER);
        assert_string_equal(user.password, "");
        for (size_t k = 0; k < user.n_roles; k++) {
            assert_int_equal(user.roles[k].permissions, 0);
        }
        bson_destroy(doc);
    }
}

static void people_are_found_by_what_is_known_of_them(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);

    unit_insert(store, "social.users",
                "{'_id':" OID(ME) ",'email':'ada@x','identityId':{'userId':'ada@x','providerId':'userpass'}}");
    unit_insert(store, "social.users",
                "{'_id':" OID(OTHER) ",'email':'ada@x','identityId':{'userId':'0000','providerId':'orcid'}}");
    unit_insert(store, "social.users", "{'_id':" OID("03") ",'email':'Bob@x'}");
    assert_int_equal(find(store, (mm_clowder_who_t){.login = "0000", .provider = "orcid"})->id.bytes[11], 2);
    assert_null(find(store, (mm_clowder_who_t){.login = "0000", .provider = "userpass"}));
    assert_int_equal(find(store, (mm_clowder_who_t){.email = "ADA@x", .provider = "userpass"})->id.bytes[11], 1);
    assert_null(find(store, (mm_clowder_who_t){.email = "ada@x", .alone = true}));
    assert_non_null(find(store, (mm_clowder_who_t){.email = "ada@x"}));
    assert_int_equal(find(store, (mm_clowder_who_t){.email = "Bob@x", .alone = true})->id.bytes[11], 3);
    assert_null(find(store, (mm_clowder_who_t){.email = "{\"$ne\":1}"}));
}

static void terms_have_a_date(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    int64_t ms = 0;
    mm_err_t err;

    assert_int_equal(mm_clowder_terms(store, &ms, &err), APR_SUCCESS);
    assert_true(ms == INT64_MAX);
    unit_insert(store, "app.configuration", "{'key':'tos.text','value':{'$date':{'$numberLong':'5'}}}");
    unit_insert(store, "app.configuration", "{'key':'tos.date','value':{'$date':{'$numberLong':'6'}}}");
    assert_int_equal(mm_clowder_terms(store, &ms, &err), APR_SUCCESS);
    assert_int_equal(ms, 6);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_user_has_roles),
        TEST(odd_users_get_least),
        TEST(people_are_found_by_what_is_known_of_them),
        TEST(terms_have_a_date),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
