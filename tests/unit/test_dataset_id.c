/* Which datasets a harvester means: whatever a report says of one leads back to it. */
#include "unit.h"

#include "route/dataset_id.h"

static void test_kinds(void **state)
{
    static const struct {
        const char *id, *value;
        mm_dataset_id_kind_t kind;
    } cases[] = {{"10.5072/FK2", "10.5072/FK2", MM_DATASET_DOI},
                 {"doi:10.5072/FK2", "10.5072/FK2", MM_DATASET_DOI},
                 {"DoI:10.1.2/x:y", "10.1.2/x:y", MM_DATASET_DOI},
                 {"doi:doi:10.5072/FK2", "doi:doi:10.5072/FK2", MM_DATASET_OTHER},
                 {"10.5072/", "10.5072/", MM_DATASET_OTHER},
                 {"10.x/y", "10.x/y", MM_DATASET_OTHER},
                 {"doi:52f1", "doi:52f1", MM_DATASET_OTHER},
                 {"52f1", "52f1", MM_DATASET_OTHER},
                 {"https://example.org/1", "https://example.org/1", MM_DATASET_URI},
                 {"HTTP://example.org/1", "HTTP://example.org/1", MM_DATASET_URI}};

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mm_dataset_id_kind_t kind;

        assert_string_equal(mm_dataset_id_value(cases[i].id, &kind), cases[i].value);
        assert_int_equal(kind, cases[i].kind);
    }
}

/* "a b c" */
static const char *meant(const char *text, apr_pool_t *pool)
{
    const char *const *ids, *joined = "";
    size_t n = mm_dataset_id_meant(&ids, text, pool);

    for (size_t i = 0; i < n; i++) {
        joined = apr_pstrcat(pool, joined, i ? " " : "", ids[i], NULL);
    }
    return joined;
}

static void test_what_is_meant(void **state)
{
    static const char *const cases[][2] = {
        {"52f1", "52f1"},
        {"proprietary:52f1", "proprietary:52f1 52f1"},
        {"Proprietary:a:b", "Proprietary:a:b a:b"},
        {"proprietary:10.1/x", "proprietary:10.1/x"},
        {"proprietary:", "proprietary:"},
        {"uri:https://a/b", "uri:https://a/b https://a/b"},
        {"uri:52f1", "uri:52f1"},
        {"doi:52f1", "doi:52f1"},
        {"https://a/b", "https://a/b"},
        {"10.1/x", "10.1/x doi:10.1/x Doi:10.1/x dOi:10.1/x DOi:10.1/x doI:10.1/x DoI:10.1/x dOI:10.1/x DOI:10.1/x"},
        {"DOI:10.1/x",
         "DOI:10.1/x 10.1/x doi:10.1/x Doi:10.1/x dOi:10.1/x DOi:10.1/x doI:10.1/x DoI:10.1/x dOI:10.1/x"}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        assert_string_equal(meant(cases[i][0], ((unit_t *)*state)->pool), cases[i][1]);
    }
}

/* By its value, with and without its kind, and by itself. */
static void test_a_report_leads_back(void **state)
{
    static const char *const ids[] = {"10.1/x", "doi:10.1/x", "DOI:10.1/x", "dOi:10.1/x", "https://a/b",
                                      "52f1",   "doi:52f1",   "uri:52f1",   "10.x/y",     "proprietary:x"};
    apr_pool_t *pool = ((unit_t *)*state)->pool;

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        mm_dataset_id_kind_t kind;
        const char *value = mm_dataset_id_value(ids[i], &kind);
        const char *const texts[] = {ids[i], value, apr_pstrcat(pool, mm_dataset_id_kind_name(kind), ":", value, NULL)};

        for (size_t j = 0; j < 3; j++) {
            const char *const *found;
            size_t n = mm_dataset_id_meant(&found, texts[j], pool), at = 0;

            while (at < n && strcmp(found[at], ids[i]) != 0) {
                at++;
            }
            if (at == n) {
                fail_msg("%s does not lead to %s", texts[j], ids[i]);
            }
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_kinds),
        TEST(test_what_is_meant),
        TEST(test_a_report_leads_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
