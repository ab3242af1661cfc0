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
    check(&delta, "{ '_id' : 'files:2:$f:a.b', 'seq." SPOOL "' : { '$not' : { '$gte' : 7 } } }",
          "{ '$inc' : { 'views' : 0, 'downloads' : 3, 'machine_views' : 0, 'machine_downloads' : 1 }, "
          "'$setOnInsert' : { 'type' : 'files', 'resource' : '$f', 'user' : 'a.b' }, '$set' : { 'seq." SPOOL
          "' : 7 } }");
}

static void test_day(void **state)
{
    mm_delta_t delta = {.kind = MM_DELTA_DAY,
                        .type = "files",
                        .id = "f",
                        .user = "u",
                        .day_ms = INT64_C(1767225600000),
                        .views = -1,
                        .unique_views = -1,
                        .machine_unique_investigations = 2,
                        .last_viewed_ms = MM_TIME_NONE,
                        .last_downloaded_ms = MM_TIME_NONE,
                        .first_seen_ms = MM_TIME_NONE};

    (void)state;
    check(&delta, "{ '_id' : '2026-01-01:files:1:f:u', 'seq." SPOOL "' : { '$not' : { '$gte' : 7 } } }",
          "{ '$inc' : { 'views' : -1, 'unique_views' : -1, 'machine_unique_investigations' : 2 }, "
          "'$setOnInsert' : { 'type' : 'files', 'resource' : 'f', 'day' : { '$date' : '2026-01-01T00:00:00Z' }, "
          "'user' : 'u' }, '$set' : { 'seq." SPOOL "' : 7 } }");
    delta.user = NULL;
    check(&delta, "{ '_id' : '2026-01-01:files:1:f:', 'seq." SPOOL "' : { '$not' : { '$gte' : 7 } } }",
          "{ '$inc' : { 'views' : -1, 'unique_views' : -1, 'machine_unique_investigations' : 2 }, "
          "'$setOnInsert' : { 'type' : 'files', 'resource' : 'f', 'day' : { '$date' : '2026-01-01T00:00:00Z' } }, "
          "'$set' : { 'seq." SPOOL "' : 7 } }");
}

static const char *user_id(const char *id, const char *user, char *buf, size_t size)
{
    mm_delta_t delta = {.kind = MM_DELTA_USER, .type = "files", .id = id, .user = user};
    bson_t filter = BSON_INITIALIZER, update = BSON_INITIALIZER;
    bson_iter_t iter;

    mm_update_build(&filter, &update, &delta, "seq." SPOOL, 7);
    assert_true(bson_iter_init_find(&iter, &filter, "_id"));
    snprintf(buf, size, "%s", bson_iter_utf8(&iter, NULL));
    bson_destroy(&update);
    bson_destroy(&filter);
    return buf;
}

static void test_user_ids_differ(void **state)
{
    char one[64], other[64];

    (void)state;
    assert_string_not_equal(user_id("a", "b:c", one, sizeof(one)), user_id("a:b", "c", other, sizeof(other)));
    assert_string_not_equal(user_id("a:1:b", "c", one, sizeof(one)), user_id("a", "1:b:c", other, sizeof(other)));
    assert_string_equal(user_id("", "x", one, sizeof(one)), "files:0::x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_resource), cmocka_unit_test(test_user_without_times),
                                       cmocka_unit_test(test_day), cmocka_unit_test(test_user_ids_differ)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
