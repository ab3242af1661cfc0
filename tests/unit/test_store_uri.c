/* URIs: checked without a connection, and never shown with what is secret in them. */
#include "unit_store.h"

static void test_check_takes_what_is_well_formed(void **state)
{
    unit_t *unit = *state;
    const char *good[] = {"mongodb://127.0.0.1/metrics",
                          "mongodb://a:b@h1:27017,h2:27018/db?replicaSet=rs0",
                          "mongodb+srv://cluster.example.org/db",
                          "mongodb://ann:p%40ss%2Fword@h/db?authSource=admin",
                          "mongodb://[::1]:27017/db",
                          "mongodb://%2Ftmp%2Fmongodb.sock/db"};
    mm_err_t err = {0};
    size_t i;

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        if (mm_store_check_uri(good[i], unit->pool, &err) != APR_SUCCESS) {
            fail_msg("%s: %s", good[i], err.text);
        }
    }
}

static void test_check_refuses_and_keeps_secrets(void **state)
{
    unit_t *unit = *state;
    const char *bad[] = {"",
                         "s3cret",
                         "http://ann:s3cret@h/db",
                         "mongodb://",
                         "mongodb://ann:s3cret",
                         "mongodb://ann:s3cret@",
                         "mongodb://ann:x/s3cret@h/db",
                         "mongodb://ann:x@s3cret@h/db",
                         "mongodb://ann:%zzs3cret@h/db",
                         "mongodb://ann:x:s3cret@h/db",
                         "mongodb://h/s3cret.db",
                         "mongodb://h:s3cret/db",
                         "mongodb://h/db?tlsCertificateKeyFilePassword"};
    size_t i;

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        mm_err_t err = {0};

        if (mm_store_check_uri(bad[i], unit->pool, &err) != APR_EINVAL) {
            fail_msg("taken: %s", bad[i]);
        }
        assert_non_null(strstr(err.text, "mongodb://USER:PASSWORD@HOST"));
        assert_null(strstr(err.text, "s3cret"));
    }
}

static void test_defaults_are_set_unless_given(void **state)
{
    mm_err_t err = {0};
    mongoc_uri_t *uri = mm_store_uri_parse("mongodb://h/", &err);

    (void)state;
    assert_int_equal(mongoc_uri_get_option_as_int32(uri, MONGOC_URI_CONNECTTIMEOUTMS, 0), 2000);
    assert_int_equal(mongoc_uri_get_option_as_int32(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 0), 3000);
    assert_int_equal(mongoc_uri_get_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, 0), 10000);
    assert_string_equal(mongoc_uri_get_appname(uri), "mod_metrics");
    mongoc_uri_destroy(uri);
    uri = mm_store_uri_parse("mongodb://h/?connectTimeoutMS=1&serverSelectionTimeoutMS=2&socketTimeoutMS=3&appname=me",
                             &err);
    assert_int_equal(mongoc_uri_get_option_as_int32(uri, MONGOC_URI_CONNECTTIMEOUTMS, 0), 1);
    assert_int_equal(mongoc_uri_get_option_as_int32(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, 0), 2);
    assert_int_equal(mongoc_uri_get_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, 0), 3);
    assert_string_equal(mongoc_uri_get_appname(uri), "me");
    mongoc_uri_destroy(uri);
}

/* A socket that waits for ever is not what anybody means by 0, and -1 has no meaning. */
static void test_no_socket_timeout_is_ours(void **state)
{
    static const char *const uris[] = {"mongodb://h/?socketTimeoutMS=0", "mongodb://h/?socketTimeoutMS=-5"};
    size_t i;

    (void)state;
    for (i = 0; i < 2; i++) {
        mm_err_t err = {0};
        mongoc_uri_t *uri = mm_store_uri_parse(uris[i], &err);

        assert_non_null(uri);
        assert_int_equal(mongoc_uri_get_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, 0), 10000);
        mongoc_uri_destroy(uri);
    }
}

static void test_redaction(void **state)
{
    unit_t *unit = *state;
    static const char *const cases[][2] = {
        {"mongodb://h/db", "mongodb://h/db"},
        {"mongodb://h1:1,h2:2/db", "mongodb://h1:1,h2:2/db"},
        {"mongodb://[::1]:1/db", "mongodb://[::1]:1/db"},
        {"mongodb://ann:secret@h/db", "mongodb://***:***@h/db"},
        {"mongodb+srv://ann:secret@h.x.y/", "mongodb+srv://***:***@h.x.y/"},
        {"mongodb://ann@h/db", "mongodb://***:***@h/db"},
        {"mongodb://ann:se@cr/et@h/db", "mongodb://***:***@h/db"},
        {"mongodb://ann:secret", "mongodb://***"},
        {"mongodb://ann:secret/db", "mongodb://***"},
        {"mongodb://h/db?replicaSet=rs&tls=true", "mongodb://h/db?replicaSet=rs&tls=true"},
        {"mongodb://h/?tlsCertificateKeyFilePassword=secret&w=1", "mongodb://h/?***&w=1"},
        {"mongodb://h/?authMechanismProperties=AWS_SESSION_TOKEN:secret", "mongodb://h/?***"},
        {"mongodb://h/?secret", "mongodb://h/?***"},
        {"mongodb://ann:se?cret@h/db", "mongodb://***:***@h/db"},
        {"http://ann:secret@h/", "***"},
        {"secret", "***"},
        {"", "***"},
        {NULL, "***"},
    };
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(mm_store_redact_uri(cases[i][0], unit->pool), cases[i][1]);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_check_takes_what_is_well_formed),
        TEST(test_check_refuses_and_keeps_secrets),
        TEST(test_defaults_are_set_unless_given),
        TEST(test_no_socket_timeout_is_ours),
        TEST(test_redaction),
    };

    /* without mm_store_init: the check runs in httpd's parent, before any fork */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
