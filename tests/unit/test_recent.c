/* The table that forgets: against a list that is searched from end to end. */
#include "unit.h"

#include "count/recent.h"

#define MAX 50

typedef struct model {
    struct {
        uint64_t key;
        uint32_t value, touched_s;
        int fresh;
    } entries[MAX + 1]; /* the least recent first */
    int n;
    int64_t forgotten;
    int at; /* while it is compared */
    int fresh_only;
} model_t;

static void model_remove(model_t *model, int i)
{
    memmove(&model->entries[i], &model->entries[i + 1], sizeof(model->entries[0]) * (size_t)(model->n - i - 1));
    model->n--;
}

static void model_touch(model_t *model, uint64_t key, uint32_t value, uint32_t now_s)
{
    for (int i = 0; i < model->n; i++) {
        if (model->entries[i].key == key) {
            model_remove(model, i);
        }
    }
    if (model->n == MAX) {
        model_remove(model, 0);
        model->forgotten++;
    }
    model->entries[model->n].key = key;
    model->entries[model->n].value = value;
    model->entries[model->n].touched_s = now_s;
    model->entries[model->n++].fresh = 1;
}

static void compare(void *baton, const mm_recent_entry_t *entry)
{
    model_t *model = baton;

    while (model->fresh_only && model->at < model->n && !model->entries[model->at].fresh) {
        model->at++;
    }
    assert_true(model->at < model->n);
    assert_true(entry->key == model->entries[model->at].key);
    assert_int_equal(entry->of.uses.views, model->entries[model->at].value);
    assert_int_equal(entry->touched_s, model->entries[model->at].touched_s);
    model->at++;
}

static void compare_all(model_t *model, const mm_recent_t *table)
{
    int fresh = 0;

    model->at = model->fresh_only = 0;
    mm_recent_each(table, false, compare, model);
    assert_int_equal(model->at, model->n);
    for (int i = 0; i < model->n; i++) {
        fresh += model->entries[i].fresh;
    }
    assert_int_equal(mm_recent_has_fresh(table), fresh > 0);
    model->at = 0;
    model->fresh_only = 1;
    mm_recent_each(table, true, compare, model);
    for (int i = model->at; i < model->n; i++) {
        assert_false(model->entries[i].fresh);
    }
    assert_int_equal(mm_recent_entries(table), model->n);
    assert_int_equal(mm_recent_forgotten(table), model->forgotten);
    assert_int_equal(mm_recent_latest(table), model->n > 0 ? model->entries[model->n - 1].touched_s : 0);
}

static void behaves_as_a_list_does(void **state)
{
    unit_t *unit = *state;
    mm_recent_t *table = mm_recent_create(MAX, unit->pool);
    static model_t model;
    uint64_t seed = 1;
    uint32_t now_s = 1000;

    for (uint32_t i = 0; i < 100000; i++) {
        uint64_t key;

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        key = (seed >> 33) % (i % 5000 < 2500 ? 40 : 80);
        key = key % 3 == 0 ? key << 40 : key; /* many with the same hash */
        now_s += (seed >> 60) == 0;
        mm_recent_touch(table, key, now_s)->of.uses.views = i;
        model_touch(&model, key, i, now_s);
        if ((seed >> 50) % 16 == 0) {
            uint32_t before_s = now_s - (uint32_t)(seed >> 40) % 8;

            mm_recent_expire(table, before_s);
            while (model.n > 0 && model.entries[0].touched_s < before_s) {
                model_remove(&model, 0);
            }
        }
        if ((seed >> 45) % 16 == 0) {
            mm_recent_settle(table);
            for (int k = 0; k < model.n; k++) {
                model.entries[k].fresh = 0;
            }
        }
        assert_int_equal(mm_recent_find(table, key) != NULL, model.n > 0);
        assert_null(mm_recent_find(table, 12345));
        if (i % 7 == 0) {
            compare_all(&model, table);
        }
    }
    mm_recent_clear(table);
    model.n = 0;
    compare_all(&model, table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(behaves_as_a_list_does, unit_setup, unit_teardown)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
