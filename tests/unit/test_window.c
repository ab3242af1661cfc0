/* Double-clicks and unique uses: the cases of the Code of Practice, and any order, splitting and restart against an
 * oracle that sorts all clicks.
 */
#include "drain_unit.h"
#include <stdlib.h>
#include "count/count.h"
#include "count/form.h"

#define W_MS 30000

static mm_event_t click(mm_action_t action, const char *id, const char *user, int64_t time_ms)
{
    return event_of(action, id, user, time_ms * 1000);
}

/* --- sums of deltas --- */

#define DOCUMENTS_MAX 512

typedef struct sums {
    int64_t views, downloads, machine_views, machine_downloads, unique_views, unique_downloads, unique_investigations,
        machine_unique_views, machine_unique_downloads, machine_unique_investigations;
} sums_t;

typedef struct document {
    char key[64];
    sums_t sums;
    int64_t last_viewed_ms, last_downloaded_ms, first_seen_ms;
} document_t;

typedef struct documents {
    document_t all[DOCUMENTS_MAX];
    size_t n;
} documents_t;

static document_t *document_of(documents_t *documents, mm_delta_kind_t kind, const char *id, const char *user,
                               int64_t day_ms)
{
    char key[64];

    snprintf(key, sizeof(key), "%d %s %s %lld", kind, id, user != NULL ? user : "", (long long)day_ms);
    for (size_t i = 0; i < documents->n; i++) {
        if (strcmp(documents->all[i].key, key) == 0) {
            return &documents->all[i];
        }
    }
    assert_true(documents->n < DOCUMENTS_MAX);
    document_t *made = &documents->all[documents->n++];
    *made =
        (document_t){.last_viewed_ms = MM_TIME_NONE, .last_downloaded_ms = MM_TIME_NONE, .first_seen_ms = INT64_MAX};
    snprintf(made->key, sizeof(made->key), "%s", key);
    return made;
}

static void add_delta(void *baton, const mm_delta_t *delta)
{
    document_t *to = document_of(baton, delta->kind, delta->id, delta->user, delta->day_ms);

    to->sums.views += delta->views;
    to->sums.downloads += delta->downloads;
    to->sums.machine_views += delta->machine_views;
    to->sums.machine_downloads += delta->machine_downloads;
    to->sums.unique_views += delta->unique_views;
    to->sums.unique_downloads += delta->unique_downloads;
    to->sums.unique_investigations += delta->unique_investigations;
    to->sums.machine_unique_views += delta->machine_unique_views;
    to->sums.machine_unique_downloads += delta->machine_unique_downloads;
    to->sums.machine_unique_investigations += delta->machine_unique_investigations;
    if (delta->kind == MM_DELTA_DAY) {
        return;
    }
    to->last_viewed_ms = delta->last_viewed_ms > to->last_viewed_ms ? delta->last_viewed_ms : to->last_viewed_ms;
    to->last_downloaded_ms =
        delta->last_downloaded_ms > to->last_downloaded_ms ? delta->last_downloaded_ms : to->last_downloaded_ms;
    to->first_seen_ms = delta->first_seen_ms < to->first_seen_ms ? delta->first_seen_ms : to->first_seen_ms;
}

static void end_batch(mm_count_t *count, documents_t *documents)
{
    mm_count_each(count, add_delta, documents);
    mm_count_reset(count);
}

/* --- what the Code of Practice says --- */

typedef struct chain {
    const char *source;
    int64_t at_ms[6]; /* ends with -1 */
    int64_t uses, last_ms;
} chain_t;

static const char code[] =
    "RD1, Double-click filtering: clicks within 30 s of the one before are one, the last is kept";
static const char example[] =
    "RD1, Double-click filtering: 10:01:00 and 10:01:29 are one, 10:01:00 and 10:01:35 are two";

static const chain_t chains[] = {
    {code, {0, -1}, 1, 0},
    {code, {0, 20000, 40000, 60000, -1}, 1, 60000},
    {code, {0, 35000, -1}, 2, 35000},
    {example, {0, 29000, -1}, 1, 29000},
    {"at most 30 s: the 30th second is within", {0, 30000, -1}, 1, 30000},
    {"one more is not", {0, 30001, -1}, 2, 30001},
    {"the same instant", {5, 5, 5, -1}, 1, 5},
    {"two chains", {0, 10000, 50000, 60000, -1}, 2, 60000},
    {"a click that joins two", {0, 40000, 20000, -1}, 1, 40000},
    {"backwards", {60000, 40000, 20000, 0, -1}, 1, 60000},
    {"backwards, and too far apart", {60000, 29999, -1}, 2, 60000},
};

static void follows_the_code_of_practice(void **state)
{
    unit_t *unit = *state;
    const mm_policy_t policy = {.double_click_ms = W_MS};

    for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
        /* also where a chain crosses the grid of buckets */
        for (int64_t shift_ms = 0; shift_ms < W_MS; shift_ms += 4999) {
            mm_count_t *count = mm_count_create(&policy, unit->pool);
            documents_t documents = {.n = 0};
            document_t *found;

            for (const int64_t *at_ms = chains[i].at_ms; *at_ms >= 0; at_ms++) {
                mm_event_t event = click(MM_ACTION_DOWNLOAD, "a", "ada", NOON_MS + shift_ms + *at_ms);

                mm_count_add(count, &event);
            }
            end_batch(count, &documents);
            found = document_of(&documents, MM_DELTA_RESOURCE, "a", NULL, MM_TIME_NONE);
            if (found->sums.downloads != chains[i].uses || found->sums.unique_downloads != 1 ||
                found->last_downloaded_ms != NOON_MS + shift_ms + chains[i].last_ms) {
                fail_msg("chain %zu, shifted by %d ms: %d use(s). %s", i, (int)shift_ms, (int)found->sums.downloads,
                         chains[i].source);
            }
            assert_int_equal(document_of(&documents, MM_DELTA_USER, "a", "ada", MM_TIME_NONE)->sums.downloads,
                             chains[i].uses);
        }
    }
}

/* COUNTER 5.1, E.2.3: audit tests. */
static void passes_the_audit(void **state)
{
    unit_t *unit = *state;
    const mm_policy_t policy = {.double_click_ms = W_MS};
    mm_count_t *count = mm_count_create(&policy, unit->pool);
    documents_t documents = {.n = 0};
    sums_t twice = {0}, once = {0};
    char id[16];

    for (int i = 0; i < 130; i++) {
        mm_event_t event = click(MM_ACTION_VIEW, id, "auditor", NOON_MS + i);

        snprintf(id, sizeof(id), "%d", i);
        event.id = bytes_of(id);
        mm_count_add(count, &event);
        if (i < 30) { /* clicked twice, 15 of them within 30 s and 15 beyond */
            event.time_us += i < 15 ? 10000000 : 35000000;
            mm_count_add(count, &event);
        }
    }
    mm_count_each(count, add_delta, &documents);
    for (int i = 0; i < 130; i++) {
        sums_t *sums = i < 30 ? &twice : &once;
        const document_t *found;

        snprintf(id, sizeof(id), "%d", i);
        found = document_of(&documents, MM_DELTA_RESOURCE, id, NULL, MM_TIME_NONE);
        sums->views += found->sums.views;
        sums->unique_views += found->sums.unique_views;
    }
    assert_int_equal(twice.views, 45);
    assert_int_equal(twice.unique_views, 30);
    assert_int_equal(once.views, 100);
    assert_int_equal(once.unique_views, 100);
}

static mm_verdict_t add(mm_count_t *count, const mm_event_t *event, int64_t later_ms)
{
    mm_event_t copy = *event;

    copy.time_us += later_ms * 1000;
    return mm_count_add(count, &copy);
}

static void tells_users_apart(void **state)
{
    unit_t *unit = *state;
    const mm_policy_t policy = {.double_click_ms = W_MS};
    mm_count_t *count = mm_count_create(&policy, unit->pool);
    mm_event_t plain = click(MM_ACTION_VIEW, "a", NULL, NOON_MS), event = plain;

    plain.agent = bytes_of(NULL);
    /* By address and agent, both. A full IPv6 address counts. */
    event.address = bytes_of("2001:db8::1");
    event.agent = bytes_of("Mozilla/5.0");
    assert_int_equal(add(count, &event, 0), MM_COUNTED);
    assert_int_equal(add(count, &event, 1), MM_IGNORED_DOUBLE_CLICK);
    event.address = bytes_of("2001:db8::2");
    assert_int_equal(add(count, &event, 2), MM_COUNTED);
    event.agent = bytes_of("Mozilla/4.0");
    assert_int_equal(add(count, &event, 3), MM_COUNTED);
    /* A session is more than both. */
    event.session = bytes_of("s1");
    assert_int_equal(add(count, &event, 4), MM_COUNTED);
    event.address = bytes_of("2001:db8::1");
    assert_int_equal(add(count, &event, 5), MM_IGNORED_DOUBLE_CLICK);
    /* And a user more than that. */
    event.user = bytes_of("ada");
    assert_int_equal(add(count, &event, 6), MM_COUNTED);
    event.session = bytes_of("s2");
    assert_int_equal(add(count, &event, 7), MM_IGNORED_DOUBLE_CLICK);
    /* A user and a session of the same name are not the same; nor is another thing, or another action. */
    event.user = bytes_of(NULL);
    event.session = bytes_of("ada");
    assert_int_equal(add(count, &event, 8), MM_COUNTED);
    event.type = bytes_of("files");
    assert_int_equal(add(count, &event, 9), MM_COUNTED);
    event.id = bytes_of("b");
    assert_int_equal(add(count, &event, 10), MM_COUNTED);
    event.action = MM_ACTION_DOWNLOAD;
    assert_int_equal(add(count, &event, 11), MM_COUNTED);
    /* Of whom nothing is known, nobody can say that he clicked twice. */
    assert_int_equal(add(count, &plain, 12), MM_COUNTED);
    assert_int_equal(add(count, &plain, 13), MM_COUNTED);
}

static void counts_unique_uses_by_the_hour(void **state)
{
    unit_t *unit = *state;
    const mm_policy_t policy = {.double_click_ms = W_MS};
    mm_count_t *count = mm_count_create(&policy, unit->pool);
    mm_event_t view = click(MM_ACTION_VIEW, "a", "ada", NOON_MS), download = view;
    documents_t documents = {.n = 0};
    sums_t *sums;

    download.action = MM_ACTION_DOWNLOAD;
    add(count, &view, 0);
    add(count, &view, 3599 * 1000); /* the same hour */
    add(count, &view, 3660 * 1000); /* the next */
    add(count, &download, 5000);
    mm_count_each(count, add_delta, &documents);
    sums = &document_of(&documents, MM_DELTA_RESOURCE, "a", NULL, MM_TIME_NONE)->sums;
    assert_int_equal(sums->views, 3);
    assert_int_equal(sums->unique_views, 2);
    assert_int_equal(sums->unique_downloads, 1);
    assert_int_equal(sums->unique_investigations, 2);
    assert_int_equal(sums->machine_unique_investigations, 0);
    view.class_mark = bytes_of("machine");
    add(count, &view, 100 * 1000);
    memset(&documents, 0, sizeof(documents));
    mm_count_each(count, add_delta, &documents);
    sums = &document_of(&documents, MM_DELTA_RESOURCE, "a", NULL, MM_TIME_NONE)->sums;
    assert_int_equal(sums->unique_views, 3);
    assert_int_equal(sums->machine_unique_views, 1);
    assert_int_equal(sums->machine_unique_investigations, 1);
}

static void moves_a_use_over_midnight(void **state)
{
    unit_t *unit = *state;
    const mm_policy_t policy = {.double_click_ms = W_MS};
    mm_count_t *count = mm_count_create(&policy, unit->pool);
    int64_t today_ms = NOON_MS - NOON_MS % 86400000, midnight_ms = today_ms + 86400000;
    mm_event_t event = click(MM_ACTION_VIEW, "a", "ada", midnight_ms - 1);
    documents_t documents = {.n = 0};

    assert_int_equal(add(count, &event, 0), MM_COUNTED);
    end_batch(count, &documents);
    assert_int_equal(document_of(&documents, MM_DELTA_DAY, "a", "ada", today_ms)->sums.views, 1);
    assert_int_equal(add(count, &event, 2), MM_IGNORED_DOUBLE_CLICK);
    end_batch(count, &documents);
    assert_int_equal(document_of(&documents, MM_DELTA_DAY, "a", "ada", today_ms)->sums.views, 0);
    assert_int_equal(document_of(&documents, MM_DELTA_DAY, "a", "ada", today_ms)->sums.unique_views, 0);
    assert_int_equal(document_of(&documents, MM_DELTA_DAY, "a", "ada", midnight_ms)->sums.views, 1);
    assert_int_equal(document_of(&documents, MM_DELTA_DAY, "a", "ada", midnight_ms)->sums.unique_views, 1);
    assert_int_equal(document_of(&documents, MM_DELTA_RESOURCE, "a", NULL, MM_TIME_NONE)->sums.views, 1);
    assert_true(document_of(&documents, MM_DELTA_USER, "a", "ada", MM_TIME_NONE)->first_seen_ms == midnight_ms - 1);
}

/* In one batch it was never anywhere else. */
static void a_day_keeps_nothing_of_a_use_that_moved_on(void **state)
{
    unit_t *unit = *state;
    const mm_policy_t policy = {.double_click_ms = W_MS};
    mm_count_t *count = mm_count_create(&policy, unit->pool);
    int64_t midnight_ms = NOON_MS - NOON_MS % 86400000 + 86400000;
    mm_event_t event = click(MM_ACTION_VIEW, "a", NULL, midnight_ms - 1);
    documents_t documents = {.n = 0};

    add(count, &event, 0);
    add(count, &event, 2);
    assert_int_equal(mm_count_deltas(count), 2);
    end_batch(count, &documents);
    assert_int_equal(documents.n, 2);
    assert_int_equal(document_of(&documents, MM_DELTA_DAY, "a", NULL, midnight_ms)->sums.views, 1);
}

/* --- properties --- */

#define CLICKS_MAX 120

typedef struct made {
    mm_event_t event;
    int user, id;
    mm_class_t class;
    int64_t time_ms;
} made_t;

static const char *const users[] = {"ada", "grace", NULL, NULL};
static const char *const ids[] = {"a", "b"};

static uint32_t random_below(uint64_t *seed, uint32_t n)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*seed >> 33) % n;
}

/* Half an hour around midnight; often close to each other. */
static size_t make_clicks(made_t *clicks, int64_t w_ms, uint64_t *seed)
{
    int64_t midnight_ms = NOON_MS - NOON_MS % 86400000;
    size_t n = 1 + random_below(seed, CLICKS_MAX);
    int64_t span_ms = random_below(seed, 2) ? 1800000 : 5 * (w_ms + 2);

    span_ms = span_ms < 1800000 ? span_ms : 1800000;
    for (size_t i = 0; i < n; i++) {
        made_t *made = &clicks[i];

        made->user = (int)random_below(seed, 4);
        made->id = (int)random_below(seed, 2);
        made->time_ms = midnight_ms - span_ms / 2 + random_below(seed, (uint32_t)span_ms);
        if (i > 0 && random_below(seed, 3) == 0) {
            made->time_ms = clicks[i - 1].time_ms + (random_below(seed, 2) ? w_ms : 0) + random_below(seed, 3);
        }
        made->class = random_below(seed, 4) == 0 ? MM_CLASS_MACHINE : MM_CLASS_REGULAR;
        made->event = click(random_below(seed, 3) ? MM_ACTION_VIEW : MM_ACTION_DOWNLOAD, ids[made->id],
                            users[made->user], made->time_ms);
        made->event.class_mark = bytes_of(made->class == MM_CLASS_MACHINE ? "machine" : NULL);
        if (made->user == 2) {
            made->event.session = bytes_of("session");
        }
        if (made->user == 3) {
            made->event.address = bytes_of("192.0.2.1");
            made->event.agent = bytes_of("Mozilla");
        }
    }
    return n;
}

static bool same_place(const made_t *a, const made_t *b)
{
    return a->user == b->user && a->id == b->id && a->event.action == b->event.action;
}

/* Whether a click is followed, within W, by another one; of two at the same time, the first of the lower class stands.
 */
static bool is_kept(const made_t *clicks, size_t n, size_t i, int64_t w_ms)
{
    for (size_t j = 0; j < n && w_ms > 0; j++) {
        int64_t behind_ms = clicks[j].time_ms - clicks[i].time_ms;

        if (j == i || !same_place(&clicks[i], &clicks[j])) {
            continue;
        }
        if ((behind_ms > 0 && behind_ms <= w_ms) ||
            (behind_ms == 0 && (clicks[j].class < clicks[i].class || (clicks[j].class == clicks[i].class && j < i)))) {
            return false;
        }
    }
    return true;
}

static void oracle_add(document_t *to, const made_t *made, bool unique, bool unique_any)
{
    int64_t machine = made->class == MM_CLASS_MACHINE;
    sums_t *sums = &to->sums;
    bool view = made->event.action == MM_ACTION_VIEW;

    *(view ? &sums->views : &sums->downloads) += 1;
    *(view ? &sums->machine_views : &sums->machine_downloads) += machine;
    *(view ? &sums->unique_views : &sums->unique_downloads) += unique;
    *(view ? &sums->machine_unique_views : &sums->machine_unique_downloads) += unique && machine;
    sums->unique_investigations += unique_any;
    sums->machine_unique_investigations += unique_any && machine;
}

static void oracle_time(document_t *to, const made_t *made)
{
    int64_t *last_ms = made->event.action == MM_ACTION_VIEW ? &to->last_viewed_ms : &to->last_downloaded_ms;

    *last_ms = made->time_ms > *last_ms ? made->time_ms : *last_ms;
    to->first_seen_ms = made->time_ms < to->first_seen_ms ? made->time_ms : to->first_seen_ms;
}

static void oracle(documents_t *documents, const made_t *clicks, size_t n, int64_t w_ms)
{
    bool kept[CLICKS_MAX];

    for (size_t i = 0; i < n; i++) {
        const char *user = users[clicks[i].user], *id = ids[clicks[i].id];
        bool unique = true, any = true;

        oracle_time(document_of(documents, MM_DELTA_RESOURCE, id, NULL, MM_TIME_NONE), &clicks[i]);
        if (user != NULL) {
            oracle_time(document_of(documents, MM_DELTA_USER, id, user, MM_TIME_NONE), &clicks[i]);
        }
        kept[i] = is_kept(clicks, n, i, w_ms);
        for (size_t j = 0; j < i && kept[i]; j++) {
            if (kept[j] && clicks[j].user == clicks[i].user && clicks[j].id == clicks[i].id &&
                clicks[j].class == clicks[i].class && clicks[j].time_ms / 3600000 == clicks[i].time_ms / 3600000) {
                any = false;
                unique = unique && clicks[j].event.action != clicks[i].event.action;
            }
        }
        if (!kept[i]) {
            continue;
        }
        oracle_add(document_of(documents, MM_DELTA_RESOURCE, id, NULL, MM_TIME_NONE), &clicks[i], unique, any);
        if (user != NULL) {
            oracle_add(document_of(documents, MM_DELTA_USER, id, user, MM_TIME_NONE), &clicks[i], unique, any);
        }
        oracle_add(document_of(documents, MM_DELTA_DAY, id, user, clicks[i].time_ms - clicks[i].time_ms % 86400000),
                   &clicks[i], unique, any);
    }
}

static void assert_same(documents_t *found, documents_t *wanted, uint64_t seed)
{
    for (int side = 0; side < 2; side++) {
        documents_t *from = side ? found : wanted, *in = side ? wanted : found;

        for (size_t i = 0; i < from->n; i++) {
            document_t *a = &from->all[i], *b = NULL;

            for (size_t j = 0; j < in->n; j++) {
                b = strcmp(in->all[j].key, a->key) == 0 ? &in->all[j] : b;
            }
            if (b == NULL) { /* a day from which every use was taken back */
                static const sums_t nothing;

                assert_int_equal(a->key[0], '0' + MM_DELTA_DAY);
                assert_memory_equal(&a->sums, &nothing, sizeof(nothing));
                continue;
            }
            if (memcmp(&a->sums, &b->sums, sizeof(a->sums)) != 0 || a->last_viewed_ms != b->last_viewed_ms ||
                a->last_downloaded_ms != b->last_downloaded_ms || a->first_seen_ms != b->first_seen_ms) {
                fail_msg("seed %llu: %s differs", (unsigned long long)seed, a->key);
            }
        }
    }
}

/* --- writing down --- */

typedef struct written {
    uint8_t data[256 * 1024];
    size_t len;
} written_t;

static void sink(void *baton, const uint8_t *chunk, size_t len)
{
    written_t *written = baton;

    assert_true(written->len + 4 + len <= sizeof(written->data));
    memcpy(written->data + written->len, &len, 4);
    memcpy(written->data + written->len + 4, chunk, len);
    written->len += 4 + len;
}

static bool fill(mm_window_t *window, const written_t *written)
{
    bool other_width = false;

    mm_form_clear(window);
    for (size_t at = 0; at < written->len;) {
        uint32_t len;
        mm_err_t err = {.text = ""};

        memcpy(&len, written->data + at, 4);
        if (mm_form_take(window, written->data + at + 4, len, &other_width, &err) != APR_SUCCESS) {
            fail_msg("%s", err.text);
        }
        at += 4 + len;
    }
    mm_form_settle(window, true);
    return other_width;
}

static void shuffle(made_t *clicks, size_t n, uint64_t *seed)
{
    for (size_t i = n; i > 1; i--) {
        size_t j = random_below(seed, (uint32_t)i);
        made_t one = clicks[i - 1];

        clicks[i - 1] = clicks[j];
        clicks[j] = one;
    }
}

/* Under sanitizers each takes sixty times as long, and a few touch every line. */
#ifdef UNIT_SANITIZED
#define SEEDS 100
#else
#define SEEDS 1500
#endif

static void counts_the_same_in_any_order_batches_and_restarts(void **state)
{
    unit_t *unit = *state;
    static const int64_t widths[] = {0, 1, 999, 30000, 65000};
    written_t *written = malloc(sizeof(*written));

    for (uint64_t n_seed = 1; n_seed <= SEEDS; n_seed++) {
        uint64_t seed = n_seed * 77777;
        const mm_policy_t policy = {.double_click_ms = widths[random_below(&seed, 5)]};
        made_t clicks[CLICKS_MAX];
        size_t n = make_clicks(clicks, policy.double_click_ms, &seed);
        documents_t found = {.n = 0}, wanted = {.n = 0};
        apr_pool_t *pool;
        mm_count_t *count;

        apr_pool_create(&pool, unit->pool);
        count = mm_count_create(&policy, pool);
        written->len = 0;
        mm_form_put(mm_count_window(count), true, sink, written);
        mm_form_settle(mm_count_window(count), true);
        shuffle(clicks, n, &seed);
        for (size_t i = 0; i < n; i++) {
            mm_count_add(count, &clicks[i].event);
            if (i + 1 < n && random_below(&seed, 4) != 0) {
                continue;
            }
            end_batch(count, &found);
            if (random_below(&seed, 3) == 0) { /* written anew */
                written->len = 0;
                mm_form_put(mm_count_window(count), true, sink, written);
                mm_form_settle(mm_count_window(count), true);
            }
            else {
                mm_form_put(mm_count_window(count), false, sink, written);
                mm_form_settle(mm_count_window(count), false);
            }
            switch (random_below(&seed, 4)) {
            case 0: /* a restart */
                count = mm_count_create(&policy, pool);
                assert_false(fill(mm_count_window(count), written));
                break;
            case 1: /* a round that is given up */
                for (size_t k = i + 1; k < n && k < i + 10; k++) {
                    mm_count_add(count, &clicks[k].event);
                }
                mm_count_reset(count);
                fill(mm_count_window(count), written);
                break;
            default:
                break;
            }
        }
        oracle(&wanted, clicks, n, policy.double_click_ms);
        assert_same(&found, &wanted, n_seed);
        apr_pool_destroy(pool);
    }
    free(written);
}

/* --- bounds --- */

static void forgets_after_an_hour(void **state)
{
    unit_t *unit = *state;
    const mm_policy_t policy = {.double_click_ms = W_MS};
    mm_count_t *count = mm_count_create(&policy, unit->pool);
    mm_event_t event = click(MM_ACTION_VIEW, "a", "ada", NOON_MS), other = event;
    mm_window_t *window = mm_count_window(count);
    int64_t one = mm_form_size(window);

    other.user = bytes_of("grace");
    add(count, &event, 0);
    one = mm_form_size(window) - one;
    add(count, &other, 3630 * 1000); /* still there */
    assert_int_equal(add(count, &event, 1), MM_IGNORED_DOUBLE_CLICK);
    add(count, &other, 2 * 3631 * 1000 + 1000);
    assert_true(mm_form_size(window) <= 2 * one + 64 * 28 + 64);
    assert_int_equal(add(count, &event, 2), MM_COUNTED); /* nobody knows any more */
    assert_int_equal(mm_window_forgotten(window), 0);
}

static int64_t size_of_one_use(const unit_t *unit)
{
    const mm_policy_t policy = {.double_click_ms = W_MS};
    mm_count_t *count = mm_count_create(&policy, unit->pool);
    mm_event_t event = click(MM_ACTION_VIEW, "a", "ada", NOON_MS);

    mm_count_add(count, &event);
    return mm_form_size(mm_count_window(count));
}

static void throws_its_secrets_away(void **state)
{
    unit_t *unit = *state;
    const mm_policy_t policy = {.double_click_ms = W_MS};
    mm_count_t *count = mm_count_create(&policy, unit->pool);
    mm_window_t *window = mm_count_window(count);
    mm_event_t event = click(MM_ACTION_VIEW, "a", "ada", NOON_MS);

    add(count, &event, 0);
    mm_form_settle(window, true);
    add(count, &event, 60000);
    assert_false(mm_form_is_stale(window));
    assert_true(mm_form_is_fresh(window));
    mm_form_settle(window, false);
    assert_false(mm_form_is_fresh(window));
    add(count, &event, 86400 * 1000);
    assert_true(mm_form_is_stale(window));
    mm_form_settle(window, false);
    assert_true(mm_form_is_stale(window));
    mm_form_settle(window, true);
    assert_false(mm_form_is_stale(window));
}

/* A host whose clock was years ahead for one request. */
static void one_event_ahead_of_the_clock_keeps_nothing(void **state)
{
    unit_t *unit = *state;
    const mm_policy_t policy = {.double_click_ms = W_MS};
    mm_count_t *count = mm_count_create(&policy, unit->pool);
    mm_window_t *window = mm_count_window(count);
    const int64_t day_ms = 86400000;
    mm_event_t event = click(MM_ACTION_VIEW, "a", "ada", NOON_MS + 5 * 365 * day_ms);

    assert_true(mm_window_set_clock(window, NOON_US));
    assert_int_equal(mm_count_add(count, &event), MM_COUNTED);
    for (int day = 0; day < 10; day++) {
        assert_true(mm_window_set_clock(window, NOON_US + day * day_ms * 1000));
        event = click(MM_ACTION_VIEW, "a", "ada", NOON_MS + day * day_ms);
        assert_int_equal(mm_count_add(count, &event), MM_COUNTED);
        assert_int_equal(mm_count_add(count, &event), MM_IGNORED_DOUBLE_CLICK);
    }
    assert_true(mm_form_size(window) <= size_of_one_use(unit));
}

static void a_clock_that_was_put_back_forgets(void **state)
{
    unit_t *unit = *state;
    const mm_policy_t policy = {.double_click_ms = W_MS};
    mm_count_t *count = mm_count_create(&policy, unit->pool);
    mm_window_t *window = mm_count_window(count);
    mm_event_t event = click(MM_ACTION_VIEW, "a", "ada", NOON_MS + 86400000);

    assert_true(mm_window_set_clock(window, event.time_us));
    assert_int_equal(mm_count_add(count, &event), MM_COUNTED);
    assert_true(mm_window_set_clock(window, event.time_us - INT64_C(3600) * 1000000));
    assert_false(mm_form_is_stale(window));
    assert_false(mm_window_set_clock(window, NOON_US));
    assert_true(mm_form_is_stale(window));
    assert_true(mm_window_set_clock(window, NOON_US));
    event = click(MM_ACTION_VIEW, "a", "ada", NOON_MS);
    assert_int_equal(mm_count_add(count, &event), MM_COUNTED);
    assert_true(mm_form_size(window) <= size_of_one_use(unit));
}

static void forgets_by_the_clock_when_nothing_comes(void **state)
{
    unit_t *unit = *state;
    const mm_policy_t policy = {.double_click_ms = W_MS};
    mm_count_t *count = mm_count_create(&policy, unit->pool);
    mm_window_t *window = mm_count_window(count);
    mm_event_t event = click(MM_ACTION_VIEW, "a", "ada", NOON_MS);

    mm_count_add(count, &event);
    mm_window_idle(window, 500);
    mm_window_idle(window, INT64_C(3600) * 1000000);
    mm_count_add(count, &event); /* that long after it, also when it took so long until it was counted */
    mm_window_idle(window, INT64_C(7200) * 1000000);
    mm_window_idle(window, INT64_C(10830) * 1000000);
    mm_form_settle(window, true);
    assert_false(mm_form_is_stale(window));
    mm_window_idle(window, INT64_C(10831) * 1000000);
    assert_true(mm_form_is_stale(window));
    assert_false(mm_form_is_fresh(window));
    assert_int_equal(mm_count_add(count, &event), MM_COUNTED);
}

#define test(f) cmocka_unit_test_setup_teardown(f, unit_setup, unit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        test(follows_the_code_of_practice),
        test(passes_the_audit),
        test(tells_users_apart),
        test(counts_unique_uses_by_the_hour),
        test(moves_a_use_over_midnight),
        test(a_day_keeps_nothing_of_a_use_that_moved_on),
        test(counts_the_same_in_any_order_batches_and_restarts),
        test(forgets_after_an_hour),
        test(throws_its_secrets_away),
        test(one_event_ahead_of_the_clock_keeps_nothing),
        test(a_clock_that_was_put_back_forgets),
        test(forgets_by_the_clock_when_nothing_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
