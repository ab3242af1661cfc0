/* Clowder's documents about resources, whatever they hold. */
#include "unit_rights.h"

typedef struct seen {
    apr_pool_t *pool;
    const char *text;
} seen_t;

static const char *short_id(const mm_oid_t *id, apr_pool_t *pool)
{
    return apr_psprintf(pool, "%02x", id->bytes[MM_OID_SIZE - 1]);
}

static void on_doc(void *baton, const mm_clowder_doc_t *doc)
{
    seen_t *seen = baton;

    seen->text =
        apr_pstrcat(seen->pool, seen->text, short_id(&doc->id, seen->pool), " by ",
                    doc->has_author ? short_id(&doc->author, seen->pool) : "nobody", doc->trashed ? " trash" : "",
                    doc->is_public ? " public" : "", doc->is_default ? " default" : "", NULL);
    for (size_t i = 0; i < doc->n_spaces; i++) {
        seen->text = apr_pstrcat(seen->pool, seen->text, " in ", short_id(&doc->spaces[i], seen->pool), NULL);
    }
    seen->text = apr_pstrcat(seen->pool, seen->text, "; ", NULL);
}

static const char *read_one(mm_store_t *store, mm_clowder_kind_t kind, const char *id)
{
    seen_t seen = {store->pool, ""};
    mm_oid_t oid = unit_oid(id);
    mm_err_t err;

    assert_int_equal(mm_clowder_read(store, kind, &oid, 1, on_doc, &seen, &err), APR_SUCCESS);
    return seen.text;
}

static void reads_what_matters(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);

    unit_insert(store, "datasets",
                "{'_id':" OID("d1") ",'author':{'_id':" OID(ME) "},'trash':true,'status':'PUBLIC','spaces':[" OID(
                    "5a") ",null," OID("5b") "]}");
    unit_insert(store, "datasets",
                "{'_id':" OID("d2") ",'author':3,'trash':'true','status':'PUBLIC ','spaces':{'0':" OID("5a") "}}");
    unit_insert(store, "datasets", "{'_id':" OID("d3") ",'status':'DEFAULT'}");
    unit_insert(store, "uploads", "{'_id':" OID("f1") ",'status':'PUBLIC','trash':true,'author':{'_id':" OID(ME) "}}");
    unit_insert(store, "spaces.projects", "{'_id':" OID("5a") ",'status':'PUBLIC','creator':" OID(OTHER) "}");

    assert_string_equal(read_one(store, MM_CLOWDER_DATASETS, ID("d1")), "d1 by 01 trash public in 5a in 5b; ");
    assert_string_equal(read_one(store, MM_CLOWDER_DATASETS, ID("d2")), "d2 by nobody; ");
    assert_string_equal(read_one(store, MM_CLOWDER_DATASETS, ID("d3")), "d3 by nobody default; ");
    assert_string_equal(read_one(store, MM_CLOWDER_DATASETS, ID("d4")), "");
    assert_string_equal(read_one(store, MM_CLOWDER_FILES, ID("f1")), "f1 by 01; ");
    assert_string_equal(read_one(store, MM_CLOWDER_SPACES, ID("5a")), "5a by 02 public; ");
    assert_string_equal(read_one(store, MM_CLOWDER_COLLECTIONS, ID("c1")), "");
}

static void an_id_is_24_digits(void **state)
{
    mm_oid_t oid;

    (void)state;
    assert_true(mm_oid_parse(&oid, "5C00000000000000000000aB"));
    assert_int_equal(oid.bytes[0], 0x5c);
    assert_int_equal(oid.bytes[11], 0xab);
    assert_false(mm_oid_parse(&oid, ""));
    assert_false(mm_oid_parse(&oid, "5c00000000000000000000a"));
    assert_false(mm_oid_parse(&oid, "5c00000000000000000000abc"));
    assert_false(mm_oid_parse(&oid, "5c00000000000000000000ag"));
}

static void a_space_may_hold_a_public_dataset(void **state)
{
    unit_t *unit = *state;
    mm_store_t *store = unit_store(unit->pool);
    const mm_oid_t space = unit_oid(ID("5a")), other = unit_oid(ID("5b"));
    mm_err_t err;
    bool has;

    unit_insert(store, "datasets", "{'_id':" OID("d1") ",'status':'DEFAULT','spaces':[" OID("5b") "]}");
    unit_insert(store, "datasets", "{'_id':" OID("d2") ",'status':'PUBLIC','spaces':[" OID("5f") "," OID("5a") "]}");
    assert_int_equal(mm_clowder_has_public_dataset(store, &space, &has, &err), APR_SUCCESS);
    assert_true(has);
    assert_int_equal(mm_clowder_has_public_dataset(store, &other, &has, &err), APR_SUCCESS);
    assert_false(has);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)
    const struct CMUnitTest tests[] = {
        TEST(reads_what_matters),
        TEST(an_id_is_24_digits),
        TEST(a_space_may_hold_a_public_dataset),
    };

    return cmocka_run_group_tests(tests, unit_store_group, NULL);
}
