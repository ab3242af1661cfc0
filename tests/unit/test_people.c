/* From credentials to people, at one moment of Clowder's database. */
#include "unit_clowder.h"
#include "resolve/people.h"

static mm_people_t *load(unit_t *unit, mm_store_t *store, apr_status_t expected, mm_err_t *err)
{
    mm_people_t *people = NULL;

    assert_int_equal(mm_people_load(&people, store, VISIT_MS, unit->pool, err), expected);
    assert_non_null(people);
    return people;
}

static const char *user_of(const mm_people_t *people, mm_credential_kind_t kind, const char *secret)
{
    mm_credential_t credential = credential_of(kind, secret);
    const mm_person_t *person = mm_people_find(people, &credential);

    return person ? person->user : "-";
}

static void finds_who_is_behind_a_secret(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_people_t *people;
    mm_credential_t credential = credential_of(MM_CREDENTIAL_KEY, "k2");
    mm_err_t err = {0};

    clowder_user(store, ADA, "ada");
    clowder_user(store, BOB, "bob");
    clowder_user(store, "5a0000000000000000000003", "ada"); /* the first counts */
    clowder_session(store, "s1", "ada", VISIT_MS, VISIT_MS + MINUTE);
    clowder_session(store, "s2", "bob", VISIT_MS, VISIT_MS + MINUTE);
    clowder_session(store, "s3", "nobody", VISIT_MS, VISIT_MS + MINUTE);
    clowder_session(store, "s1", "bob", VISIT_MS, VISIT_MS + MINUTE); /* the first counts */
    clowder_key(store, "k1", "mine", "bob");
    clowder_key(store, "k2", "_extraction_key", "ada");
    people = load(unit, store, APR_SUCCESS, &err);
    assert_string_equal(user_of(people, MM_CREDENTIAL_COOKIE, "s1"), ADA);
    assert_string_equal(user_of(people, MM_CREDENTIAL_COOKIE, "s2"), BOB);
    assert_string_equal(user_of(people, MM_CREDENTIAL_COOKIE, "s3"), "-");
    assert_string_equal(user_of(people, MM_CREDENTIAL_COOKIE, "s4"), "-");
    assert_string_equal(user_of(people, MM_CREDENTIAL_KEY, "k1"), BOB);
    assert_string_equal(user_of(people, MM_CREDENTIAL_KEY, "s1"), "-"); /* a cookie is no key */
    assert_string_equal(user_of(people, MM_CREDENTIAL_COOKIE, "k1"), "-");
    assert_true(mm_people_find(people, &credential)->is_extractor);
}

static void a_session_ends(void **state)
{
    const mm_person_t person = {.is_session = true, .used_ms = VISIT_MS, .expires_ms = VISIT_MS + 60 * MINUTE};
    const mm_person_t forever = {.is_session = false};

    (void)state;
    assert_true(mm_person_was_known(&person, VISIT_MS + 30 * MINUTE - 1));
    assert_false(mm_person_was_known(&person, VISIT_MS + 30 * MINUTE));
    assert_true(mm_person_was_known(&person, VISIT_MS - 99 * MINUTE)); /* used since */
    const mm_person_t busy = {
        .is_session = true, .used_ms = VISIT_MS + 60 * MINUTE, .expires_ms = VISIT_MS + 60 * MINUTE};
    assert_true(mm_person_was_known(&busy, VISIT_MS + 60 * MINUTE - 1));
    assert_false(mm_person_was_known(&busy, VISIT_MS + 60 * MINUTE));
    assert_true(mm_person_was_known(&forever, VISIT_MS));
}

static void collections_that_are_not_clowders_are_told(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    mm_err_t err = {0};

    load(unit, store, APR_EGENERAL, &err);
    assert_non_null(strstr(err.text, "social.users holds no users"));
    clowder_user(store, ADA, "ada");
    clowder_key(store, "k1", "mine", "ada");
    for (int i = 0; i < 3; i++) {
        unit_insert(store, "social.authenticator",
                    "{'x':1,'expirationDate':{'$date':{'$numberLong':'9999999999999'}}}");
    }
    mm_people_t *people = load(unit, store, APR_EGENERAL, &err);
    assert_non_null(strstr(err.text, "3 of 3 documents of social.authenticator"));
    assert_string_equal(user_of(people, MM_CREDENTIAL_KEY, "k1"), ADA); /* what can be read is */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(finds_who_is_behind_a_secret),
        TEST(a_session_ends),
        TEST(collections_that_are_not_clowders_are_told),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
