/* In which forms ids are asked for: fewer questions with the same answers. */
#include "unit_store.h"
#include "store/catalog_private.h"

#define HEX(n) "00000000000000000000000" #n
#define OID(n) "{'$oid':'" HEX(n) "'}"

typedef struct fixture {
    apr_pool_t *pool;
    mm_store_t *store;
    mm_forms_t *forms;
    const char *path;
    int finds, questions; /* asked of the server: in all, and for a form */
    char asked[4096];     /* the ids of the last query, as JSON */
    char found[4096];     /* _id of each document, in no order */
} fixture_t;

static void on_command(const mongoc_apm_command_started_t *event)
{
    fixture_t *fixture = mongoc_apm_command_started_get_context(event);
    char *text = bson_as_relaxed_extended_json(mongoc_apm_command_started_get_command(event), NULL);
    const char *ids = strstr(text, "\"$in\" : ");

    if (strcmp(mongoc_apm_command_started_get_command_name(event), "find") == 0) {
        fixture->finds++;
        fixture->questions += ids ? 0 : 1;
        if (ids) {
            size_t len = strcspn(ids + strlen("\"$in\" : "), "]") + 1;

            snprintf(fixture->asked, sizeof(fixture->asked), "%.*s", (int)len, ids + strlen("\"$in\" : "));
        }
    }
    bson_free(text);
}

static fixture_t *make(unit_t *unit, const char *path)
{
    fixture_t *fixture = apr_pcalloc(unit->pool, sizeof(*fixture));
    mongoc_apm_callbacks_t *callbacks = mongoc_apm_callbacks_new();

    fixture->pool = unit->pool;
    fixture->store = unit_store(unit->pool);
    fixture->forms = mm_forms_make(unit->pool);
    fixture->path = path;
    mongoc_apm_set_command_started_cb(callbacks, on_command);
    mongoc_client_set_apm_callbacks(fixture->store->client, callbacks, fixture);
    mongoc_apm_callbacks_destroy(callbacks);
    return fixture;
}

static bool on_document(void *baton, const bson_t *doc)
{
    fixture_t *fixture = baton;
    char buf[MM_VALUE_ID_SIZE];
    bson_iter_t iter;

    assert_true(bson_iter_init_find(&iter, doc, "_id") && mm_value_id(&iter, buf));
    size_t used = strlen(fixture->found);
    snprintf(fixture->found + used, sizeof(fixture->found) - used, "%s%s", used ? " " : "", buf);
    return true;
}

/* The _id of what is found, which is where the documents of these tests stand in the order of it. */
static const char *find(fixture_t *fixture, mm_forms_t *forms, const char *const *ids, size_t n)
{
    mm_catalog_query_t query = {.collection = "things",
                                .path = fixture->path,
                                .ids = ids,
                                .n = n,
                                .forms = forms,
                                .on_document = on_document,
                                .baton = fixture};
    mm_err_t err = {0};

    fixture->found[0] = fixture->asked[0] = '\0';
    fixture->finds = fixture->questions = 0;
    mm_catalog_want(&query, "_id");
    if (mm_catalog_query(fixture->store, &query, fixture->pool, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    return fixture->found;
}

/* Of one id. */
static const char *find_one(fixture_t *fixture, const char *id)
{
    return find(fixture, fixture->forms, &id, 1);
}

#define assert_asked(fixture, n_questions, ids)                                                                        \
    do {                                                                                                               \
        assert_int_equal((fixture)->questions, n_questions);                                                           \
        assert_string_equal((fixture)->asked, ids);                                                                    \
    } while (0)

static void test_strings(void **state)
{
    fixture_t *fixture = make(*state, "_id");

    unit_insert(fixture->store, "things", "{'_id':'" HEX(1) "'}");
    /* the first query asks nothing but for the ids */
    assert_string_equal(find_one(fixture, HEX(1)), HEX(1));
    assert_asked(fixture, 0, "[ \"" HEX(1) "\", { \"$oid\" : \"" HEX(1) "\" } ]");
    /* that there are strings needs no question: it is all that is left */
    assert_string_equal(find_one(fixture, HEX(1)), HEX(1));
    assert_asked(fixture, 1, "[ \"" HEX(1) "\" ]");
    assert_string_equal(find_one(fixture, HEX(1)), HEX(1));
    assert_asked(fixture, 0, "[ \"" HEX(1) "\" ]");
    /* an id of one form only */
    assert_string_equal(find_one(fixture, "x"), "");
    assert_asked(fixture, 0, "[ \"x\" ]");
}

static void test_object_ids(void **state)
{
    fixture_t *fixture = make(*state, "_id");

    unit_insert(fixture->store, "things", "{'_id':" OID(1) "}");
    find_one(fixture, HEX(1));
    assert_string_equal(find_one(fixture, HEX(1)), HEX(1));
    assert_asked(fixture, 2, "[ { \"$oid\" : \"" HEX(1) "\" } ]");
    assert_string_equal(find_one(fixture, HEX(1)), HEX(1));
    assert_asked(fixture, 0, "[ { \"$oid\" : \"" HEX(1) "\" } ]");
    /* what can be nothing but a string is not asked for, there being none */
    assert_string_equal(find_one(fixture, "x"), "");
    assert_int_equal(fixture->finds, 0);
}

static void test_numbers(void **state)
{
    static const char *const numbers[] = {"{'$numberInt':'7'}", "{'$numberLong':'7'}", "{'$numberDouble':'7.0'}",
                                          "{'$numberInt':'-7'}"};
    fixture_t *fixture = make(*state, "at");

    for (size_t i = 0; i < 4; i++) {
        mongoc_collection_t *things = mm_store_collection(fixture->store, "things");

        mongoc_collection_drop(things, NULL);
        mongoc_collection_destroy(things);
        fixture->forms = mm_forms_make(fixture->pool);
        unit_insert(fixture->store, "things", apr_psprintf(fixture->pool, "{'_id':'n','at':%s}", numbers[i]));
        for (int n = 0; n < 3; n++) {
            assert_string_equal(find_one(fixture, i < 3 ? "7" : "-7"), "n");
        }
        assert_null(strchr(fixture->asked, '"'));
    }
}

/* Bytes that are no UTF-8 have one form, and that is none that is asked about. */
static void test_bytes(void **state)
{
    fixture_t *fixture = make(*state, "_id");

    unit_insert(fixture->store, "things", "{'_id':{'$binary':{'base64':'Yf8=','subType':'00'}}}");
    unit_insert(fixture->store, "things", "{'_id':" OID(1) "}");
    for (int n = 0; n < 3; n++) {
        const char *ids[] = {"a\xFF", HEX(1)};

        assert_string_equal(find_one(fixture, "a\xFF"), "a\xFF");
        assert_int_equal(strlen(find(fixture, fixture->forms, ids, 2)), strlen("a\xFF " HEX(1)));
    }
}

static void test_both_forms_of_one_id(void **state)
{
    fixture_t *fixture = make(*state, "at");

    unit_insert(fixture->store, "things", "{'_id':'one','at':'" HEX(1) "'}");
    unit_insert(fixture->store, "things", "{'_id':'two','at':" OID(1) "}");
    for (int n = 0; n < 3; n++) {
        assert_int_equal(strlen(find_one(fixture, HEX(1))), strlen("one two"));
        assert_int_equal(fixture->questions, n == 1 ? 2 : 0);
    }
}

/* A form is asked about when the first id comes that could be in it. */
static void test_a_form_that_appears_later(void **state)
{
    fixture_t *fixture = make(*state, "_id");

    unit_insert(fixture->store, "things", "{'_id':'a'}");
    unit_insert(fixture->store, "things", "{'_id':" OID(1) "}");
    unit_insert(fixture->store, "things", "{'_id':{'$numberInt':'7'}}");
    unit_insert(fixture->store, "things", "{'_id':'" HEX(2) "'}");
    for (int n = 0; n < 2; n++) {
        assert_string_equal(find_one(fixture, "a"), "a");
        assert_asked(fixture, 0, "[ \"a\" ]");
    }
    assert_string_equal(find_one(fixture, HEX(1)), HEX(1));
    assert_int_equal(fixture->questions, 2);
    assert_string_equal(find_one(fixture, "7"), "7");
    assert_int_equal(fixture->questions, 1);
    assert_string_equal(find_one(fixture, HEX(2)), HEX(2));
    assert_int_equal(fixture->questions, 0);
}

static void test_each_path_for_itself(void **state)
{
    fixture_t *fixture = make(*state, "_id");

    unit_insert(fixture->store, "things", "{'_id':'" HEX(1) "','of':" OID(1) "}");
    for (int n = 0; n < 3; n++) {
        fixture->path = n % 2 ? "of" : "_id";
        assert_string_equal(find_one(fixture, HEX(1)), HEX(1));
    }
    assert_asked(fixture, 1, "[ \"" HEX(1) "\" ]");
    fixture->path = "of";
    assert_string_equal(find_one(fixture, HEX(1)), HEX(1));
    assert_asked(fixture, 2, "[ { \"$oid\" : \"" HEX(1) "\" } ]");
}

static void test_nothing_is_learnt_without_a_place_for_it(void **state)
{
    fixture_t *fixture = make(*state, "_id");

    for (int n = 0; n < 3; n++) {
        const char *id = HEX(1);

        find(fixture, NULL, &id, 1);
        assert_asked(fixture, 0, "[ \"" HEX(1) "\", { \"$oid\" : \"" HEX(1) "\" } ]");
    }
}

static void test_away(void **state)
{
    fixture_t *fixture = make(*state, "_id");
    int port, fd = unit_deaf_port(0, &port);
    const char *id = HEX(1);
    mm_catalog_query_t query = {.collection = "things",
                                .path = "_id",
                                .ids = &id,
                                .n = 1,
                                .forms = fixture->forms,
                                .on_document = on_document,
                                .baton = fixture};
    mm_store_t *away = unit_store_at(apr_psprintf(fixture->pool, "mongodb://127.0.0.1:%d/x", port), fixture->pool);
    mm_err_t err = {0};

    find_one(fixture, id);
    assert_int_equal(mm_catalog_query(away, &query, fixture->pool, &err), MM_STORE_AWAY);
    assert_non_null(strstr(err.text, "things"));
    close(fd);
}

/* --- whatever documents hold, what is found with it is what is found without ---------------------------------------
 */

#define DOCUMENTS 60
#define ROUNDS    24
#define BATCHES   6
#define BATCH     8

static unsigned dice;

static unsigned throw(unsigned sides)
{
    dice = dice * 1103515245 + 12345;
    return (dice >> 16) % sides;
}

/* Some id, as a document may have it: of the forms that this round's documents have. */
static const char *some_value(unsigned forms, apr_pool_t *pool)
{
    unsigned n = throw(10);

    switch (throw(8)) {
    case 0:
        return forms & MM_FORM_STRING ? apr_psprintf(pool, "'%u'", n) : "null";
    case 1:
        return forms & MM_FORM_STRING ? apr_psprintf(pool, "'00000000000000000000000%u'", n) : "true";
    case 2:
    case 3:
        return forms & MM_FORM_OBJECT_ID ? apr_psprintf(pool, "{'$oid':'00000000000000000000000%u'}", n) : "[]";
    case 4:
        return forms & MM_FORM_NUMBER ? apr_psprintf(pool, "{'$numberInt':'%u'}", n) : "{}";
    case 5:
        return forms & MM_FORM_NUMBER ? apr_psprintf(pool, "{'$numberDouble':'%u.0'}", n) : "{'id':'7'}";
    case 6:
        return "{'$binary':{'base64':'AQID','subType':'00'}}";
    default:
        return "{'$date':{'$numberLong':'7'}}";
    }
}

/* A value, a list of some, a list in a list (where nothing is found), or documents of these. */
static const char *some_values(unsigned forms, apr_pool_t *pool)
{
    const char *one = some_value(forms, pool), *other = some_value(forms, pool);

    switch (throw(6)) {
    case 0:
        return apr_psprintf(pool, "[%s,%s]", one, other);
    case 1:
        return apr_psprintf(pool, "[[%s],%s]", one, other);
    case 2:
        return apr_psprintf(pool, "{'id':%s}", one);
    case 3:
        return apr_psprintf(pool, "[{'id':%s},%s,{'id':[%s]}]", one, other, other);
    default:
        return one;
    }
}

static const char *some_id(apr_pool_t *pool)
{
    unsigned n = throw(10);

    return throw(2) ? apr_psprintf(pool, "%u", n) : apr_psprintf(pool, "00000000000000000000000%u", n);
}

static int by_text(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static const char *in_order(char *found, apr_pool_t *pool)
{
    const char *words[DOCUMENTS * 2];
    const char *text = "";
    size_t n = 0;

    for (char *last, *word = apr_strtok(found, " ", &last); word; word = apr_strtok(NULL, " ", &last)) {
        words[n++] = word;
    }
    qsort(words, n, sizeof(*words), by_text);
    for (size_t i = 0; i < n; i++) {
        text = apr_pstrcat(pool, text, " ", words[i], NULL);
    }
    return text;
}

static void test_what_is_found_is_the_same(void **state)
{
    fixture_t *fixture = make(*state, "");
    mongoc_collection_t *things = mm_store_collection(fixture->store, "things");
    int found = 0;

    for (unsigned round = 0; round < ROUNDS; round++) {
        mongoc_collection_drop(things, NULL);
        for (int i = 0; i < DOCUMENTS; i++) {
            unit_insert(fixture->store, "things",
                        apr_psprintf(fixture->pool, "{'_id':'%d','at':%s}", i,
                                     some_values(round % (MM_FORMS_ALL + 1), fixture->pool)));
        }
        fixture->forms = mm_forms_make(fixture->pool);
        fixture->path = round / (MM_FORMS_ALL + 1) == 1 ? "at.id" : "at";
        for (int batch = 0; batch < BATCHES; batch++) {
            const char *ids[BATCH];

            for (int i = 0; i < BATCH; i++) {
                ids[i] = some_id(fixture->pool);
            }
            find(fixture, NULL, ids, BATCH);
            const char *all = in_order(apr_pstrdup(fixture->pool, fixture->found), fixture->pool);
            find(fixture, fixture->forms, ids, BATCH);
            assert_string_equal(in_order(fixture->found, fixture->pool), all);
            found += *all != '\0';
        }
    }
    assert_true(found > ROUNDS);
    mongoc_collection_destroy(things);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_strings),
        TEST(test_object_ids),
        TEST(test_numbers),
        TEST(test_bytes),
        TEST(test_both_forms_of_one_id),
        TEST(test_a_form_that_appears_later),
        TEST(test_each_path_for_itself),
        TEST(test_nothing_is_learnt_without_a_place_for_it),
        TEST(test_away),
        TEST(test_what_is_found_is_the_same),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
