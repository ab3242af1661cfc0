/* Who is behind a cookie, a password or a key: the first that is good. */
#include "unit_clowder.h"
#include "clowder/identify.h"

#define IDLE (30 * MINUTE)
#define CARL "5a0000000000000000000003"
/* Of "secret", and cheap. */
#define HASH "$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW"
/* carl@x:secret, carl@x:wrong, ghost@x:secret */
#define GOOD  "Basic Y2FybEB4OnNlY3JldA=="
#define WRONG "Basic Y2FybEB4Ondyb25n"
#define GHOST "Basic Z2hvc3RAeDpzZWNyZXQ="

static const char *last_digit(mm_store_t *store, mm_clowder_brought_t brought, bool *is_wrong)
{
    mm_clowder_identity_t identity;
    mm_err_t err;

    if (mm_clowder_identify(&identity, store, &brought, IDLE, VISIT_MS, store->pool, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    *is_wrong = identity.is_wrong;
    return identity.user ? apr_psprintf(store->pool, "%x", identity.user->id.bytes[11]) : "-";
}

static void fill(mm_store_t *store)
{
    clowder_user(store, ADA, "ada");
    clowder_user(store, BOB, "bob");
    unit_insert(store, "social.users",
                "{'_id':{'$oid':'" CARL "'},'email':'carl@x','identityId':{'userId':'carl@x','providerId':'userpass'},"
                "'passwordInfo':{'hasher':'bcrypt','password':'" HASH "'}}");
    clowder_session(store, "s1", "ada", VISIT_MS - IDLE + 1, VISIT_MS + 1);
    clowder_session(store, "idle", "ada", VISIT_MS - IDLE, VISIT_MS + 1);
    clowder_session(store, "over", "ada", VISIT_MS, VISIT_MS);
    clowder_session(store, "ghost", "ghost", VISIT_MS, VISIT_MS + 1);
    clowder_key(store, "k1", "mine", "bob");
}

static void the_first_that_is_good_decides(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const struct {
        mm_clowder_brought_t brought;
        const char *user;
        bool is_wrong;
    } rows[] = {
        {{.cookie = NULL}, "-", false},
        {{.cookie = "s1"}, "1", false},
        {{.cookie = "idle"}, "-", false},
        {{.cookie = "over"}, "-", false},
        {{.cookie = "ghost"}, "-", false},
        {{.cookie = "k1"}, "-", false},
        {{.cookie = ""}, "-", false},
        {{.cookie = "s1", .keys = {"k1"}}, "1", false},
        {{.cookie = "idle", .keys = {"k1"}}, "2", false},
        {{.keys = {"s1", "k1"}}, "2", false},
        {{.keys = {"x"}}, "-", true},
        {{.authorization = GOOD}, "3", false},
        {{.authorization = GOOD, .keys = {"k1"}}, "3", false},
        {{.authorization = WRONG, .keys = {"k1"}}, "2", false},
        {{.authorization = WRONG}, "-", true},
        {{.authorization = GHOST}, "-", true},
        {{.authorization = "Bearer x"}, "-", true},
    };

    fill(store);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool is_wrong;

        assert_string_equal(last_digit(store, rows[i].brought, &is_wrong), rows[i].user);
        assert_int_equal(is_wrong, rows[i].is_wrong);
    }
}

static void a_secret_that_is_too_long_is_not_asked_for(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    char *much = apr_palloc(unit->pool, MM_CLOWDER_SECRET_MAX + 2);
    bool is_wrong;

    fill(store);
    memset(much, 'k', MM_CLOWDER_SECRET_MAX + 1);
    much[MM_CLOWDER_SECRET_MAX + 1] = '\0';
    clowder_key(store, much, "long", "bob");
    assert_string_equal(last_digit(store, (mm_clowder_brought_t){.keys = {much}}, &is_wrong), "-");
}

static void a_database_that_is_away_is_nobody(void **state)
{
    unit_t *unit = *state;
    int port, fd = unit_deaf_port(0, &port);
    mm_store_t *store = unit_store_at(apr_psprintf(unit->pool, "mongodb://127.0.0.1:%d/x", port), unit->pool);
    const mm_clowder_brought_t brought = {.cookie = "s1"};
    mm_clowder_identity_t identity;
    mm_err_t err;

    assert_int_not_equal(mm_clowder_identify(&identity, store, &brought, IDLE, VISIT_MS, unit->pool, &err),
                         APR_SUCCESS);
    assert_null(identity.user);
    close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_first_that_is_good_decides),
        TEST(a_secret_that_is_too_long_is_not_asked_for),
        TEST(a_database_that_is_away_is_nobody),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
