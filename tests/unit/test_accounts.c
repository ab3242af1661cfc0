/* Clowder's accounts: read where they are as Clowder writes them, passed over where not, never an error of ours. */
#include "unit_clowder.h"
#include "store/accounts_private.h"

typedef struct seen {
    apr_pool_t *pool;
    const char *text;
} seen_t;

static void see(void *baton, const mm_account_t *account)
{
    seen_t *seen = baton;

    seen->text = apr_psprintf(seen->pool, "%s[%s %s %s %s%s]", seen->text, account->provider, account->login,
                              account->user ? account->user : "-", account->secret ? account->secret : "-",
                              account->is_extractor ? " extractor" : "");
}

static const char *read_them(unit_t *unit, mm_store_t *store, mm_accounts_kind_t kind, mm_accounts_tally_t *tally)
{
    seen_t seen = {unit->pool, ""};
    mm_err_t err;

    if (mm_accounts_read(store, kind, VISIT_MS, see, &seen, tally, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return seen.text;
}

static void reads_what_clowder_writes(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_accounts_tally_t tally;

    clowder_user(store, ADA, "ada@example.org");
    clowder_session(store, "c00c1e", "ada@example.org", VISIT_MS, VISIT_MS + MINUTE);
    clowder_session(store, "01d", "ada@example.org", VISIT_MS, VISIT_MS);
    clowder_key(store, "k1", "mine", "ada@example.org");
    clowder_key(store, "k2", "_extraction_key", "ada@example.org");
    assert_string_equal(read_them(unit, store, MM_ACCOUNTS_USERS, &tally), "[userpass ada@example.org " ADA " -]");
    assert_string_equal(read_them(unit, store, MM_ACCOUNTS_SESSIONS, &tally), "[userpass ada@example.org - c00c1e]");
    assert_string_equal(read_them(unit, store, MM_ACCOUNTS_KEYS, &tally),
                        "[userpass ada@example.org - k1][userpass ada@example.org - k2 extractor]");
    assert_int_equal(tally.read, 2);
    assert_int_equal(tally.odd, 0);
    assert_false(tally.cut);
}

static void a_collection_that_is_missing_is_empty(void **state)
{
    unit_t *unit = *state;
    mm_accounts_tally_t tally;

    assert_string_equal(read_them(unit, unit_store(unit->pool), MM_ACCOUNTS_KEYS, &tally), "");
    assert_int_equal(tally.read + tally.odd, 0);
}

static void odd_documents_are_passed_over(void **state)
{
    static const char *const odd[] = {
        "{}",
        "{'key':'k'}",
        "{'key':1,'identityId':{'userId':'a','providerId':'b'}}",
        "{'key':'','identityId':{'userId':'a','providerId':'b'}}",
        "{'key':'k','identityId':'a'}",
        "{'key':'k','identityId':{'userId':['a'],'providerId':'b'}}",
        "{'key':'k\\u0000l','identityId':{'userId':'a','providerId':'b'}}",
        "{'key':{'$oid':'" ADA "'},'identityId':{'userId':'a','providerId':'b'}}",
        "{'key':['k'],'identityId':[{'userId':'a','providerId':'b'}]}",
    };
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_accounts_tally_t tally;
    char *large = apr_pcalloc(unit->pool, 100001);

    for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
        unit_insert(store, "users.apikey", odd[i]);
    }
    memset(large, 'k', 100000);
    clowder_key(store, large, "mine", "a");
    unit_insert(store, "users.apikey", "{'key':'k','name':7,'identityId':{'userId':'a','providerId':'b'}}");
    assert_string_equal(read_them(unit, store, MM_ACCOUNTS_KEYS, &tally), "[b a - k]");
    assert_int_equal(tally.odd, sizeof(odd) / sizeof(odd[0]) + 1);
}

static void sessions_need_their_times(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_accounts_tally_t tally;

    unit_insert(store, "social.authenticator",
                "{'authenticatorId':'a','identityId':{'userId':'a','providerId':'b'},'lastUsed':1,"
                "'expirationDate':{'$date':{'$numberLong':'9999999999999'}}}");
    unit_insert(store, "social.authenticator",
                "{'authenticatorId':'b','identityId':{'userId':'a','providerId':'b'},"
                "'lastUsed':{'$date':{'$numberLong':'1'}},'expirationDate':'9999'}");
    assert_string_equal(read_them(unit, store, MM_ACCOUNTS_SESSIONS, &tally), "");
}

static void a_huge_collection_is_cut(void **state)
{
    static const struct {
        mm_accounts_limits_t limits;
        int64_t read;
        bool cut;
    } cases[] = {{{3, MM_ACCOUNTS_TIME_US}, 3, true},
                 {{4, MM_ACCOUNTS_TIME_US}, 4, true},
                 {{5, MM_ACCOUNTS_TIME_US}, 5, false},
                 {{5, 0}, 0, true}};
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);

    for (int i = 0; i < 5; i++) {
        clowder_user(store, apr_psprintf(unit->pool, "5a000000000000000000000%d", i), "ada");
    }
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        seen_t seen = {unit->pool, ""};
        mm_accounts_tally_t tally;
        mm_err_t err;

        assert_int_equal(
            mm_accounts_read_within(&cases[i].limits, store, MM_ACCOUNTS_USERS, 0, see, &seen, &tally, &err),
            APR_SUCCESS);
        assert_int_equal(tally.read, cases[i].read);
        assert_int_equal(tally.cut, cases[i].cut);
    }
}

static void one_is_found_by_its_secret(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    static const char *const secrets[] = {"s1", "s9", "k1", "", "{\"$ne\":1}"};
    seen_t seen = {unit->pool, ""};
    mm_err_t err;

    clowder_session(store, "s1", "ada", 1, 2);
    clowder_session(store, "s2", "bob", 3, 4);
    clowder_key(store, "k1", "mine", "ada");
    unit_insert(store, "social.authenticator", "{'authenticatorId':'s9'}"); /* nobody's */
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        assert_int_equal(mm_accounts_find(store, MM_ACCOUNTS_SESSIONS, secrets[i], see, &seen, &err), APR_SUCCESS);
    }
    seen_t same = {unit->pool, ""};
    mm_accounts_tally_t tally;
    unit_insert(store, "social.authenticator", "{'x':1}");
    assert_int_equal(mm_accounts_read(store, MM_ACCOUNTS_SESSIONS, 2 - 1, see, &same, &tally, &err), APR_SUCCESS);
    assert_true(*seen.text && strncmp(same.text, seen.text, strlen(seen.text)) == 0);
    assert_true(strlen(same.text) > strlen(seen.text));
}

static void a_database_that_is_away_is_told(void **state)
{
    unit_t *unit = *state;
    mm_accounts_tally_t tally;
    seen_t seen = {unit->pool, ""};
    int port, fd = unit_deaf_port(0, &port);
    mm_store_t *store = unit_store_at(apr_psprintf(unit->pool, "mongodb://127.0.0.1:%d/x", port), unit->pool);
    mm_err_t err;

    assert_int_equal(mm_accounts_read(store, MM_ACCOUNTS_USERS, 0, see, &seen, &tally, &err), MM_STORE_AWAY);
    assert_non_null(strstr(err.text, "social.users"));
    close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(reads_what_clowder_writes),       TEST(a_collection_that_is_missing_is_empty),
        TEST(odd_documents_are_passed_over),   TEST(sessions_need_their_times),
        TEST(a_huge_collection_is_cut),        TEST(one_is_found_by_its_secret),
        TEST(a_database_that_is_away_is_told),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
