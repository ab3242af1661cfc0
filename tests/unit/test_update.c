/* One delta as one update, byte for byte. */
#include "unit_store.h"

static void check(const mm_delta_t *delta, const char *wanted_filter, const char *wanted_update)
{
    bson_t filter = BSON_INITIALIZER, update = BSON_INITIALIZER;
    char *json, *c;

    mm_update_build(&filter, &update, delta, "seq." SPOOL, 7);
    json = bson_as_relaxed_extended_json(&filter, NULL);
    for (c = json; *c; c++) {
        *c = *c == '"' ? '\'' : *c;
    }
    assert_string_equal(json, wanted_filter);
    bson_free(json);
    json = bson_as_relaxed_extended_json(&update, NULL);
    for (c = json; *c; c++) {
        *c = *c == '"' ? '\'' : *c;
    }
    assert_string_equal(json, wanted_update);
    bson_free(json);
    bson_destroy(&update);
    bson_destroy(&filter);
}

static void test_resource(void **state)
{
    mm_delta_t delta = {.kind = MM_DELTA_RESOURCE,
                        .type = "datasets",
                        .id = "d",
                        .views = 2,
                        .last_viewed_ms = 1000,
                        .last_downloaded_ms = MM_TIME_NONE,
                        .first_seen_ms = 1000};

    (void)state;
    check(&delta, "{ '_id' : 'd', 'seq." SPOOL "' : { '$not' : { '$gte' : 7 } } }",
          "{ '$inc' : { 'views' : 2, 'downloads' : 0, 'machine_views' : 0, 'machine_downloads' : 0 }, "
          "'$max' : { 'last_viewed' : { '$date' : '1970-01-01T00:00:01Z' } }, "
          "'$min' : { 'first_seen' : { '$date' : '1970-01-01T00:00:01Z' } }, '$set' : { 'seq." SPOOL "' : 7 } }");
}

static void test_user_without_times(void **state)
{
    mm_delta_t delta = {.kind = MM_DELTA_USER,
                        .type = "files",
                        .id = "$f",
                        .user = "a.b",
                        .downloads = 3,
                        .machine_downloads = 1,
                        .last_viewed_ms = MM_TIME_NONE,
                        .last_downloaded_ms = MM_TIME_NONE,
                        .first_seen_ms = MM_TIME_NONE};

    (void)state;
    check(&delta,
          "{ '_id' : { 'type' : 'files', 'resource' : '$f', 'user' : 'a.b' }, 'seq." SPOOL
          "' : { '$not' : { '$gte' : 7 } } }",
          "{ '$inc' : { 'views' : 0, 'downloads' : 3, 'machine_views' : 0, 'machine_downloads' : 1 }, "
          "'$set' : { 'seq." SPOOL "' : 7 } }");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_resource), cmocka_unit_test(test_user_without_times)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
