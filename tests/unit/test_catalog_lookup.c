/* Names and parents out of a real database: documents as Clowder writes them, and documents as nobody should. */
#include "unit_store.h"
#include <time.h>
#include "store/catalog_private.h"

#define D1       "aaaaaaaaaaaaaaaaaaaaaaa1"
#define D2       "aaaaaaaaaaaaaaaaaaaaaaa2"
#define D3       "aaaaaaaaaaaaaaaaaaaaaaa3"
#define C1       "ccccccccccccccccccccccc1"
#define C2       "ccccccccccccccccccccccc2"
#define S1       "eeeeeeeeeeeeeeeeeeeeeee1"
#define F1       "fffffffffffffffffffffff1"
#define F2       "fffffffffffffffffffffff2"
#define F3       "fffffffffffffffffffffff3"
#define OID(hex) "{'$oid': '" hex "'}"

static void add_catalog(apr_array_header_t *catalogs, const char *type, const char *words)
{
    mm_catalog_t *catalog;
    mm_err_t err = {0};

    if (mm_catalog_parse(&catalog, type, words, catalogs->pool, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    APR_ARRAY_PUSH(catalogs, mm_catalog_t *) = catalog;
}

static apr_array_header_t *one_catalog(apr_pool_t *pool, const char *type, const char *words)
{
    apr_array_header_t *catalogs = apr_array_make(pool, 4, sizeof(mm_catalog_t *));

    add_catalog(catalogs, type, words);
    return catalogs;
}

/* "name <- type:id=name, …" of one id; catches failures. */
static const char *look_up(mm_store_t *store, const apr_array_header_t *catalogs, const char *type, const char *id,
                           apr_pool_t *pool)
{
    mm_entry_t entry;
    mm_err_t err = {0};
    const char *text;
    size_t i;

    if (mm_catalog_lookup(store, catalogs, type, &id, 1, 1, &entry, pool, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
    text = apr_pstrcat(pool, entry.name, " <-", NULL);
    for (i = 0; i < entry.n_parents; i++) {
        const mm_parent_t *parent = &entry.parents[i];

        text = apr_pstrcat(pool, text, " ", parent->type, ":", parent->id, "=", parent->name, NULL);
    }
    return text;
}

/* --- Clowder
 * ---------------------------------------------------------------------------------------------------------- */

static apr_array_header_t *clowder_catalogs(apr_pool_t *pool)
{
    apr_array_header_t *catalogs = apr_array_make(pool, 4, sizeof(mm_catalog_t *));

    add_catalog(catalogs, "datasets",
                "datasets name=name owner=author._id created=created status=status parents=collections:collections "
                "parents=spaces:spaces");
    add_catalog(catalogs, "collections",
                "collections name=name parents=collections:parent_collection_ids parents=spaces:spaces");
    add_catalog(catalogs, "files",
                "uploads name=filename size=length parents=datasets:datasets:files "
                "parents=datasets:folders:files:parentDatasetId");
    add_catalog(catalogs, "spaces", "spaces.projects name=name");
    return catalogs;
}

static void fill_clowder(mm_store_t *store)
{
    unit_insert(store, "spaces.projects",
                "{'_typeHint': 'models.ProjectSpace', '_id': " OID(S1) ", 'name': 'Space &amp; Co'}");
    unit_insert(store, "collections",
                "{'_typeHint': 'models.Collection', '_id': " OID(C1) ", 'name': 'Outer', 'spaces': [" OID(
                    S1) "], "
                        "'parent_collection_ids': []}");
    unit_insert(store, "collections",
                "{'_typeHint': 'models.Collection', '_id': " OID(C2) ", 'name': 'Inner', 'spaces': [], "
                                                                     "'parent_collection_ids': [" OID(C1) "]}");
    unit_insert(store, "datasets",
                "{'_typeHint': 'models.Dataset', '_id': " OID(D1) ", 'name': 'Rain', 'author': {'_id': " OID(
                    S1) "}, "
                        "'files': [" OID(F1) ", " OID(F2) "], 'collections': [" OID(C2) ", " OID(
                            C1) "], 'spaces': [" OID(S1) "]}");
    unit_insert(store, "datasets",
                "{'_typeHint': 'models.Dataset', '_id': " OID(D2) ", 'name': 'Snow', 'files': [" OID(
                    F1) "], "
                        "'collections': [], 'spaces': []}");
    unit_insert(
        store, "folders",
        "{'_typeHint': 'models.Folder', '_id': {'$oid': '777777777777777777777777'}, 'files': [" OID(F3) ", " OID(
            F1) "], "
                "'parentId': " OID(D1) ", 'parentType': 'dataset', 'parentDatasetId': " OID(D1) "}");
    unit_insert(
        store, "uploads",
        "{'_typeHint': 'models.File', '_id': " OID(F1) ", 'filename': 'rain.csv', 'length': {'$numberLong': '5'}}");
    unit_insert(store, "uploads", "{'_typeHint': 'models.File', '_id': " OID(F2) ", 'filename': 'snow.csv'}");
    unit_insert(store, "uploads", "{'_typeHint': 'models.File', '_id': " OID(F3) ", 'filename': 'deep.csv'}");
}

static void test_clowder(void **state)
{
    unit_t *unit = *state;
    apr_pool_t *pool = unit->pool;
    mm_store_t *store = unit_store(pool);
    apr_array_header_t *catalogs = clowder_catalogs(pool);

    fill_clowder(store);
    assert_string_equal(look_up(store, catalogs, "datasets", D1, pool),
                        "Rain <- collections:" C1 "=Outer collections:" C2 "=Inner spaces:" S1 "=Space &amp; Co");
    assert_string_equal(look_up(store, catalogs, "datasets", D2, pool), "Snow <-");
    assert_string_equal(look_up(store, catalogs, "datasets", D3, pool), " <-");
    assert_string_equal(look_up(store, catalogs, "collections", C2, pool), "Inner <- collections:" C1 "=Outer");
    assert_string_equal(look_up(store, catalogs, "collections", C1, pool), "Outer <- spaces:" S1 "=Space &amp; Co");
    assert_string_equal(look_up(store, catalogs, "spaces", S1, pool), "Space &amp; Co <-");
    /* direct, by another dataset, and by a folder of the first: that one once */
    assert_string_equal(look_up(store, catalogs, "files", F1, pool),
                        "rain.csv <- datasets:" D1 "=Rain datasets:" D2 "=Snow");
    assert_string_equal(look_up(store, catalogs, "files", F2, pool), "snow.csv <- datasets:" D1 "=Rain");
    assert_string_equal(look_up(store, catalogs, "files", F3, pool), "deep.csv <- datasets:" D1 "=Rain");
    /* ids are in the URL in either case */
    assert_string_equal(look_up(store, catalogs, "files", "FFFFFFFFFFFFFFFFFFFFFFF3", pool),
                        "deep.csv <- datasets:" D1 "=Rain");
}

static void test_batch_in_which_everything_is_mixed(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *ids[] = {F3, "no such", F1, "$gt", F3, "\xff\xfe", "", "42"};
    mm_entry_t entries[8];

    fill_clowder(store);
    assert_int_equal(
        mm_catalog_lookup(store, clowder_catalogs(unit->pool), "files", ids, 8, 1, entries, unit->pool, NULL),
        APR_SUCCESS);
    assert_string_equal(entries[0].name, "deep.csv");
    assert_int_equal(entries[0].n_parents, 1);
    assert_string_equal(entries[1].name, "");
    assert_int_equal(entries[1].n_parents, 0);
    assert_string_equal(entries[2].name, "rain.csv");
    assert_int_equal(entries[2].n_parents, 2);
    assert_string_equal(entries[3].name, "");
    assert_string_equal(entries[4].name, "deep.csv");
    assert_int_equal(entries[4].n_parents, 1);
    assert_string_equal(entries[5].name, "");
    assert_string_equal(entries[6].name, "");
    assert_string_equal(entries[7].name, "");
}

static void test_without_parents_and_without_a_catalogue(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    apr_array_header_t *catalogs = clowder_catalogs(unit->pool);
    const char *id = D1;
    mm_entry_t entry;

    fill_clowder(store);
    assert_int_equal(mm_catalog_lookup(store, catalogs, "datasets", &id, 1, 0, &entry, unit->pool, NULL), APR_SUCCESS);
    assert_string_equal(entry.name, "Rain");
    assert_int_equal(entry.n_parents, 0);
    assert_string_equal(look_up(store, catalogs, "models", D1, unit->pool), " <-");
    assert_int_equal(mm_catalog_lookup(store, catalogs, "datasets", NULL, 0, 1, NULL, unit->pool, NULL), APR_SUCCESS);
}

/* --- other shapes
 * ----------------------------------------------------------------------------------------------------- */

static void test_ids_of_every_kind(void **state)
{
    unit_t *unit = *state;
    apr_pool_t *pool = unit->pool;
    mm_store_t *store = unit_store(pool);
    apr_array_header_t *catalogs = one_catalog(pool, "datasets", "things name=name");

    unit_insert(store, "things", "{'_id': 42, 'name': 'int'}");
    unit_insert(store, "things", "{'_id': {'$numberLong': '43'}, 'name': 'long'}");
    unit_insert(store, "things", "{'_id': 44.0, 'name': 'double'}");
    unit_insert(store, "things", "{'_id': '45', 'name': 'string'}");
    unit_insert(store, "things", "{'_id': '" D1 "', 'name': 'hex string'}");
    unit_insert(store, "things", "{'_id': '{\\u0022$ne\\u0022:1}', 'name': 'operator'}");
    unit_insert(store, "things", "{'_id': '10.5072/x y', 'name': 'doi'}");
    unit_insert(store, "things", "{'_id': {'$binary': {'base64': '//4=', 'subType': '00'}}, 'name': 'bytes'}");
    assert_string_equal(look_up(store, catalogs, "datasets", "42", pool), "int <-");
    assert_string_equal(look_up(store, catalogs, "datasets", "43", pool), "long <-");
    assert_string_equal(look_up(store, catalogs, "datasets", "44", pool), "double <-");
    assert_string_equal(look_up(store, catalogs, "datasets", "45", pool), "string <-");
    assert_string_equal(look_up(store, catalogs, "datasets", "042", pool), " <-");
    assert_string_equal(look_up(store, catalogs, "datasets", D1, pool), "hex string <-");
    assert_string_equal(look_up(store, catalogs, "datasets", "{\"$ne\":1}", pool), "operator <-");
    assert_string_equal(look_up(store, catalogs, "datasets", "10.5072/x y", pool), "doi <-");
    assert_string_equal(look_up(store, catalogs, "datasets", "\xff\xfe", pool), "bytes <-");
}

static void test_id_path_and_nested_name(void **state)
{
    unit_t *unit = *state;
    apr_pool_t *pool = unit->pool;
    mm_store_t *store = unit_store(pool);
    apr_array_header_t *catalogs = one_catalog(
        pool, "datasets", "things id=pids.value name=meta.titles.title parents=groups:group parents=groups:group.x");

    unit_insert(store, "things",
                "{'_id': 1, 'pids': [{'value': 'doi:1'}, {'value': 'ark:1'}], 'group': {'_id': 7, 'x': 'y'}, "
                "'meta': {'titles': [{'lang': 'de'}, {'title': ''}, {'title': 'First'}, {'title': 'Second'}]}}");
    assert_string_equal(look_up(store, catalogs, "datasets", "doi:1", pool), "First <- groups:7= groups:y=");
    assert_string_equal(look_up(store, catalogs, "datasets", "ark:1", pool), "First <- groups:7= groups:y=");
    assert_string_equal(look_up(store, catalogs, "datasets", "1", pool), " <-");
}

static void test_parents_of_every_kind(void **state)
{
    unit_t *unit = *state;
    apr_pool_t *pool = unit->pool;
    mm_store_t *store = unit_store(pool);
    apr_array_header_t *catalogs = apr_array_make(pool, 4, sizeof(mm_catalog_t *));

    add_catalog(catalogs, "groups", "groups name=name");
    add_catalog(catalogs, "datasets", "things parents=elsewhere:else parents=groups:in parents=groups:also");
    unit_insert(store, "things",
                "{'_id': 'd', 'also': 'g1', 'else': ['q'], 'in': ['g1', {'$oid': '" C1 "'}, 5, {'_id': 'g2'}, "
                "{'$numberLong': '6'}, '', null, true, 1.5, {'x': 1}, [['g1']]]}");
    unit_insert(store, "groups", "{'_id': 'g1', 'name': 'one'}");
    unit_insert(store, "groups", "{'_id': 'g2', 'name': 2}");
    unit_insert(store, "groups", "{'_id': {'$oid': '" C1 "'}, 'name': 'oid'}");
    unit_insert(store, "groups", "{'_id': 5, 'name': 'five'}");
    assert_string_equal(look_up(store, catalogs, "datasets", "d", pool),
                        " <- groups:= groups:5=five groups:6= groups:" C1
                        "=oid groups:g1=one groups:g2=2 elsewhere:q=");
}

static void test_reverse_through_sub_documents(void **state)
{
    unit_t *unit = *state;
    apr_pool_t *pool = unit->pool;
    mm_store_t *store = unit_store(pool);
    apr_array_header_t *catalogs = one_catalog(pool, "files", "files name=n parents=sets:links:items.file:from.sets");

    /* one document links several files to several sets */
    unit_insert(
        store, "links",
        "{'_id': 1, 'items': [{'file': 'a'}, {'file': 'a'}, {'file': ['b', 'c']}], 'from': {'sets': ['y', 'x']}}");
    unit_insert(store, "links", "{'_id': 2, 'items': {'file': 'a'}, 'from': {'sets': 'z'}}");
    unit_insert(store, "links", "{'_id': 3, 'items': {'file': 'a'}}");
    assert_string_equal(look_up(store, catalogs, "files", "a", pool), " <- sets:x= sets:y= sets:z=");
    assert_string_equal(look_up(store, catalogs, "files", "c", pool), " <- sets:x= sets:y=");
}

/* --- hostile documents
 * ------------------------------------------------------------------------------------------------ */

static void test_names_that_are_none(void **state)
{
    unit_t *unit = *state;
    apr_pool_t *pool = unit->pool;
    mm_store_t *store = unit_store(pool);
    apr_array_header_t *catalogs = one_catalog(pool, "datasets", "things name=name.text");
    static const char *const names[][2] = {
        {"null", ""},
        {"{}", ""},
        {"{'text': {}}", ""},
        {"{'text': [[]]}", ""},
        {"'a string where a document should be'", ""},
        {"{'text': 'a\\u0000b'}", "a"},
        {"{'text': ['', null, 'third']}", "third"},
        {"{'text': 1.5}", "1.5"},
        {"{'text': {'$regularExpression': {'pattern': '(a+)+$', 'options': ''}}}", ""},
        {"{'text': {'$code': 'while(1);'}}", ""},
        {"{'text': {'$minKey': 1}}", ""},
        {"{'text': '=cmd()'}", "=cmd()"},
    };
    size_t i;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *id = apr_psprintf(pool, "d%u", (unsigned)i);

        unit_insert(store, "things", apr_psprintf(pool, "{'_id': '%s', 'name': %s}", id, names[i][0]));
        assert_string_equal(look_up(store, catalogs, "datasets", id, pool),
                            apr_pstrcat(pool, names[i][1], " <-", NULL));
    }
}

static void test_name_of_ten_megabytes(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    size_t len = 10 * 1024 * 1024, i;
    char *text = malloc(len);
    const char *id = "big";
    bson_t doc = BSON_INITIALIZER;
    mm_entry_t entry;

    for (i = 0; i < len; i++) {
        text[i] = "\xe2\x82\xac"[i % 3];
    }
    BSON_APPEND_UTF8(&doc, "_id", id);
    bson_append_utf8(&doc, "name", -1, text, (int)(len - len % 3));
    unit_insert_doc(store, "things", &doc);
    bson_destroy(&doc);
    free(text);
    assert_int_equal(mm_catalog_lookup(store, one_catalog(unit->pool, "datasets", "things name=name"), "datasets", &id,
                                       1, 1, &entry, unit->pool, NULL),
                     APR_SUCCESS);
    assert_int_equal(strlen(entry.name), MM_CATALOG_NAME_MAX - MM_CATALOG_NAME_MAX % 3);
    assert_int_equal(entry.troubles, 1u << MM_TROUBLE_LONG);
}

static void test_cycles_end(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    apr_array_header_t *catalogs = one_catalog(unit->pool, "collections", "things name=name parents=collections:up");

    unit_insert(store, "things", "{'_id': 'a', 'name': 'A', 'up': ['a', 'b']}");
    unit_insert(store, "things", "{'_id': 'b', 'name': 'B', 'up': ['a']}");
    assert_string_equal(look_up(store, catalogs, "collections", "a", unit->pool),
                        "A <- collections:a=A collections:b=B");
}

/* What is wrong with documents is told with the cells that are empty or cut for it. */
static void test_troubles(void **state)
{
    static const struct {
        const char *id;
        unsigned troubles;
    } cases[] = {
        {"good", 0},
        {"gone", 1u << MM_TROUBLE_MISSING},
        {"odd", 1u << MM_TROUBLE_TYPE},
        {"odd parent", 1u << MM_TROUBLE_TYPE},
        {"dangling", 1u << MM_TROUBLE_MISSING},
        {"no parent", 1u << MM_TROUBLE_TYPE},
        {"held", 0},
        {"held by odd", 1u << MM_TROUBLE_TYPE},
    };
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    apr_array_header_t *catalogs =
        one_catalog(unit->pool, "things", "things name=name parents=sets:up parents=sets:sets:has");

    add_catalog(catalogs, "sets", "sets name=name");
    unit_insert(store, "sets", "{'_id': 's', 'name': 'S', 'has': ['held']}");
    unit_insert(store, "sets", "{'_id': 't', 'name': ['x', {'y': 1}], 'has': ['held']}");
    unit_insert(store, "sets", "{'_id': 'u', 'name': [{'y': 1}], 'has': ['held by odd']}");
    unit_insert(store, "things", "{'_id': 'good', 'name': 'G', 'up': ['s', 't', null]}");
    unit_insert(store, "things", "{'_id': 'odd', 'name': {'x': 1}, 'up': 's'}");
    unit_insert(store, "things", "{'_id': 'odd parent', 'name': 'O', 'up': ['u', 's']}");
    unit_insert(store, "things", "{'_id': 'dangling', 'name': 'D', 'up': ['s', 'nowhere']}");
    unit_insert(store, "things", "{'_id': 'no parent', 'name': 'N', 'up': [true]}");
    unit_insert(store, "things", "{'_id': 'held', 'name': 'H'}");
    unit_insert(store, "things", "{'_id': 'held by odd', 'name': 'H'}");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        mm_entry_t entry;

        assert_int_equal(mm_catalog_lookup(store, catalogs, "things", &cases[i].id, 1, 1, &entry, unit->pool, NULL),
                         APR_SUCCESS);
        if (entry.troubles != cases[i].troubles) {
            fail_msg("%s: %x", cases[i].id, entry.troubles);
        }
    }
}

static void test_too_many_parents(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    bson_t doc = BSON_INITIALIZER, array;
    const char *id = "d";
    mm_entry_t entry;
    uint32_t i;

    BSON_APPEND_UTF8(&doc, "_id", id);
    BSON_APPEND_ARRAY_BEGIN(&doc, "up", &array);
    for (i = 0; i < 15000; i++) {
        char buf[16], value[16];
        const char *key;

        bson_uint32_to_string(i, &key, buf, sizeof(buf));
        snprintf(value, sizeof(value), "%05u", 14999 - (unsigned)i);
        BSON_APPEND_UTF8(&array, key, value);
    }
    bson_append_array_end(&doc, &array);
    unit_insert_doc(store, "things", &doc);
    bson_destroy(&doc);
    assert_int_equal(mm_catalog_lookup(store, one_catalog(unit->pool, "datasets", "things name=n parents=datasets:up"),
                                       "datasets", &id, 1, 1, &entry, unit->pool, NULL),
                     APR_SUCCESS);
    assert_int_equal(entry.n_parents, MM_CATALOG_PARENTS_MAX);
    assert_string_equal(entry.parents[0].id, "00000");
    assert_string_equal(entry.parents[MM_CATALOG_PARENTS_MAX - 1].id, "00999");
    assert_true(entry.troubles & 1u << MM_TROUBLE_WORK);
}

static void append_strings(bson_t *doc, const char *name, uint32_t n, uint32_t distinct)
{
    bson_t array;
    uint32_t i;

    bson_append_array_begin(doc, name, -1, &array);
    for (i = 0; i < n; i++) {
        char buf[16], value[16];
        const char *key;

        bson_uint32_to_string(i, &key, buf, sizeof(buf));
        snprintf(value, sizeof(value), "%03u", i % distinct);
        BSON_APPEND_UTF8(&array, key, value);
    }
    bson_append_array_end(doc, &array);
}

/* The same ids over and over on both sides of a link must not multiply: 100000 times 1000 would take half a minute. */
static void test_link_with_many_repetitions(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    bson_t doc = BSON_INITIALIZER;
    const char *id = "000";
    mm_entry_t entry;
    clock_t before;

    BSON_APPEND_INT32(&doc, "_id", 1);
    append_strings(&doc, "files", 100000, 1);
    append_strings(&doc, "sets", 100000, 999);
    unit_insert_doc(store, "links", &doc);
    bson_destroy(&doc);
    before = clock();
    assert_int_equal(mm_catalog_lookup(store, one_catalog(unit->pool, "files", "files parents=sets:links:files:sets"),
                                       "files", &id, 1, 1, &entry, unit->pool, NULL),
                     APR_SUCCESS);
    assert_int_equal(entry.n_parents, 999);
    assert_string_equal(entry.parents[998].id, "998");
    assert_true((clock() - before) / CLOCKS_PER_SEC < 5);
}

static void append_empty(bson_t *doc, const char *name, uint32_t n, const char *last)
{
    bson_t array;
    uint32_t i;

    bson_append_array_begin(doc, name, -1, &array);
    for (i = 0; i <= n; i++) {
        char buf[16];
        const char *key;

        bson_uint32_to_string(i, &key, buf, sizeof(buf));
        BSON_APPEND_UTF8(&array, key, i < n ? "" : last);
    }
    bson_append_array_end(doc, &array);
}

/* A name that is a million empty strings costs neither memory nor time; that there is one behind them does not help. */
static void test_name_behind_many_empty_ones(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    apr_array_header_t *catalogs = one_catalog(unit->pool, "datasets", "things name=name");
    static const struct {
        const char *id;
        uint32_t n;
        const char *name;
    } cases[] = {{"few", 99, "last"}, {"many", 100, ""}, {"huge", 900000, ""}};
    size_t i;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bson_t doc = BSON_INITIALIZER;
        mm_entry_t entry;

        BSON_APPEND_UTF8(&doc, "_id", cases[i].id);
        append_empty(&doc, "name", cases[i].n, "last");
        unit_insert_doc(store, "things", &doc);
        bson_destroy(&doc);
        assert_int_equal(mm_catalog_lookup(store, catalogs, "datasets", &cases[i].id, 1, 1, &entry, unit->pool, NULL),
                         APR_SUCCESS);
        assert_string_equal(entry.name, cases[i].name);
        assert_false(entry.troubles & 1u << MM_TROUBLE_WORK);
    }
}

/* 50 documents that each name all 100 resources and 100 parents: 100 resources with 100 parents, 500,000 pairs, and
 * each document is read by two queries. */
static void fill_links(mm_store_t *store, apr_pool_t *pool, const char **ids)
{
    unsigned i;

    for (i = 0; i < 100; i++) {
        ids[i] = apr_psprintf(pool, "%03u", i);
        unit_insert(store, "files", apr_psprintf(pool, "{'_id': '%s', 'n': 'name of %s'}", ids[i], ids[i]));
        unit_insert(store, "sets", apr_psprintf(pool, "{'_id': '%s', 'n': 'set %s'}", ids[i], ids[i]));
    }
    for (i = 0; i < 50; i++) {
        bson_t doc = BSON_INITIALIZER;

        BSON_APPEND_INT32(&doc, "_id", (int)i);
        append_strings(&doc, "files", 100, 100);
        append_strings(&doc, "sets", 100, 100);
        unit_insert_doc(store, "links", &doc);
        bson_destroy(&doc);
    }
}

/* Resources are asked for a few at a time where lists are short, all at once where they are long: all are found. */
static void test_lists_of_any_length(void **state)
{
    enum { FILES = 3 * MM_CATALOG_HOLDERS_MAX + 1 };
    static const uint32_t lengths[] = {FILES, MM_CATALOG_LONG_LIST + 100};
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    apr_array_header_t *catalogs = one_catalog(unit->pool, "files", "files parents=sets:sets:files");
    const char *ids[FILES];
    mm_entry_t entries[FILES];

    add_catalog(catalogs, "sets", "sets name=n");
    for (size_t i = 0; i < FILES; i++) {
        ids[i] = apr_psprintf(unit->pool, "%03d", FILES - 1 - (int)i);
    }
    for (size_t i = 0; i < 2; i++) {
        bson_t doc = BSON_INITIALIZER;

        BSON_APPEND_INT32(&doc, "_id", (int)i);
        BSON_APPEND_UTF8(&doc, "n", "set");
        append_strings(&doc, "files", lengths[i], lengths[i]);
        unit_insert_doc(store, "sets", &doc);
        bson_destroy(&doc);
        assert_int_equal(mm_catalog_lookup(store, catalogs, "files", ids, FILES, 1, entries, unit->pool, NULL),
                         APR_SUCCESS);
        for (size_t j = 0; j < FILES; j++) {
            assert_int_equal(entries[j].n_parents, i + 1);
            assert_string_equal(entries[j].parents[i].name, "set");
        }
    }
}

static int64_t fake_us, fake_step_us;

static int64_t fake_clock(void)
{
    return fake_us += fake_step_us;
}

static void test_work_is_bounded(void **state)
{
    static const struct {
        int64_t pairs, time_us;
        int cut;
        size_t parents; /* of each resource */
        const char *name, *parent;
    } cases[] = {
        {510000, 1000000, 0, 100, "name of 007", "set 007"},
        /* no more parents are collected, but those that are there get their names, and so do the resources */
        {15000, 1000000, 1, 100, "name of 007", "set 007"},
        {0, 1000000, 1, 0, "name of 007", NULL},
        /* nothing more is read */
        {510000, 120, 1, 100, "name of 007", ""},
    };
    unit_t *unit = *state;
    apr_pool_t *pool = unit->pool;
    mm_store_t *store = unit_store(pool);
    apr_array_header_t *catalogs = one_catalog(pool, "files", "files name=n parents=sets:links:files:sets");
    const char *ids[100];
    size_t i;

    add_catalog(catalogs, "sets", "sets name=n");
    fill_links(store, pool, ids);
    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const mm_catalog_limits_t limits = {cases[i].pairs, cases[i].time_us, fake_clock};
        mm_entry_t entries[100];
        const mm_question_t question = {store, catalogs, NULL, "files", ids, 100, 1, entries};
        mm_err_t err = {0};

        fake_us = 1;
        fake_step_us = 1;
        if (mm_catalog_answer_within(&limits, &question, pool, &err)) {
            fail_msg("%s", err.text);
        }
        assert_int_equal(entries[0].troubles, cases[i].cut ? 1u << MM_TROUBLE_WORK : 0);
        assert_int_equal(entries[7].troubles, cases[i].cut ? 1u << MM_TROUBLE_WORK : 0);
        assert_string_equal(entries[7].name, cases[i].name);
        assert_int_equal(entries[7].n_parents, cases[i].parents);
        if (cases[i].parent) {
            assert_string_equal(entries[7].parents[7].id, "007");
            assert_string_equal(entries[7].parents[7].name, cases[i].parent);
        }
    }
}

static void test_no_time_at_all(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const mm_catalog_limits_t limits = {MM_CATALOG_PAIRS_MAX, 0, fake_clock};
    const char *ids[] = {F1, F2};
    mm_entry_t entries[2];
    const mm_question_t question = {store, clowder_catalogs(unit->pool), NULL, "files", ids, 2, 1, entries};

    fill_clowder(store);
    assert_int_equal(mm_catalog_answer_within(&limits, &question, unit->pool, NULL), APR_SUCCESS);
    assert_int_equal(entries[0].troubles, 1u << MM_TROUBLE_WORK);
    assert_int_equal(entries[1].troubles, 1u << MM_TROUBLE_WORK);
    assert_int_equal(entries[0].n_parents, 0);
}

/* A report for which time runs out again and again is not kept waiting by the next batch, whatever became of the
 * server; another report, and a question about permissions, asks it. */
static void test_time_runs_out_so_often(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const mm_catalog_limits_t limits = {MM_CATALOG_PAIRS_MAX, 0, fake_clock};
    const char *id = F1;
    mm_entry_t entry;
    mm_question_t question = {store, clowder_catalogs(unit->pool), mm_forms_make(unit->pool), "files", &id, 1, 1,
                              &entry};
    mm_err_t err = {0};

    fill_clowder(store);
    for (int i = 0; i < MM_CATALOG_LATE_MAX; i++) {
        assert_int_equal(mm_catalog_answer(&question, unit->pool, &err), APR_SUCCESS);
        assert_int_equal(entry.troubles, 0);
        assert_int_equal(entry.n_parents, 2);
        assert_int_equal(mm_catalog_answer_within(&limits, &question, unit->pool, &err), APR_SUCCESS);
        assert_int_equal(entry.troubles, 1u << MM_TROUBLE_WORK);
    }
    question.store = unit_store_at("mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=300", unit->pool);
    assert_int_equal(mm_catalog_answer(&question, unit->pool, &err), APR_SUCCESS);
    assert_int_equal(entry.troubles, 1u << MM_TROUBLE_WORK);
    assert_string_equal(entry.name, "");
    question.forms = NULL;
    assert_int_equal(mm_catalog_answer(&question, unit->pool, &err), MM_STORE_AWAY);
}

/* Catalogues as they are stay far below the limits. */
static void test_real_catalogue_is_not_cut(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const char *ids[] = {F1, F2, F3};
    mm_entry_t entries[3];

    fill_clowder(store);
    assert_int_equal(
        mm_catalog_lookup(store, clowder_catalogs(unit->pool), "files", ids, 3, 1, entries, unit->pool, NULL),
        APR_SUCCESS);
    assert_int_equal(entries[0].troubles, 0);
    assert_int_equal(entries[0].n_parents, 2);
}

static void test_away(void **state)
{
    unit_t *unit = *state;
    int port, fd = unit_deaf_port(0, &port);
    mm_store_t *store = unit_store_at(apr_psprintf(unit->pool, "mongodb://a:s3cret@127.0.0.1:%d/x", port), unit->pool);
    const char *id = D1;
    mm_entry_t entry;
    mm_err_t err = {0};

    assert_int_equal(
        mm_catalog_lookup(store, clowder_catalogs(unit->pool), "files", &id, 1, 1, &entry, unit->pool, &err),
        MM_STORE_AWAY);
    assert_null(strstr(err.text, "s3cret"));
    close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_clowder),
        TEST(test_batch_in_which_everything_is_mixed),
        TEST(test_without_parents_and_without_a_catalogue),
        TEST(test_ids_of_every_kind),
        TEST(test_id_path_and_nested_name),
        TEST(test_parents_of_every_kind),
        TEST(test_reverse_through_sub_documents),
        TEST(test_names_that_are_none),
        TEST(test_name_of_ten_megabytes),
        TEST(test_cycles_end),
        TEST(test_troubles),
        TEST(test_too_many_parents),
        TEST(test_link_with_many_repetitions),
        TEST(test_name_behind_many_empty_ones),
        TEST(test_lists_of_any_length),
        TEST(test_work_is_bounded),
        TEST(test_no_time_at_all),
        TEST(test_time_runs_out_so_often),
        TEST(test_real_catalogue_is_not_cut),
        TEST(test_away),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
