/* Writing gathers entries in one chunk until it is full; reading checks each number that something depends on. The
 * bytes come from a file of our own under check sums, but a disk lies. One thread.
 */
#include "count/form.h"

#include <string.h>
#include "count/window_private.h"

#define FORM_VERSION 1
#define SALT_SIZE    (8 + 4 + MM_SALT_LEN)
#define CLICK_SIZE   (8 + 4 + 2 + 2 + 1)
#define USES_SIZE    (8 + 4 + 4 + 4)
#define HEADS_SIZE   64 /* more than head and clock, and the first byte of the others */

typedef enum kind { KIND_HEAD = 'H', KIND_CLOCK = 'T', KIND_SALTS = 'S', KIND_CLICKS = 'C', KIND_USES = 'U' } kind_t;

/* --- writing --- */

typedef struct output {
    mm_form_sink_t *sink;
    void *baton;
    size_t len;
    uint8_t chunk[MM_FORM_CHUNK_MAX];
} output_t;

static void put_int(output_t *out, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        out->chunk[out->len++] = (uint8_t)(number >> (8 * i));
    }
}

static void begin(output_t *out, kind_t kind)
{
    out->chunk[0] = (uint8_t)kind;
    out->len = 1;
}

static void end(output_t *out)
{
    if (out->len > 1) {
        out->sink(out->baton, out->chunk, out->len);
    }
    out->len = 1;
}

static void make_room(output_t *out, size_t bytes)
{
    if (MM_FORM_CHUNK_MAX - out->len < bytes) {
        end(out); /* and another one of the same kind */
    }
}

static void put_click(void *baton, const mm_recent_entry_t *entry)
{
    output_t *out = baton;

    make_room(out, CLICK_SIZE);
    put_int(out, entry->key, 8);
    put_int(out, entry->touched_s, 4);
    put_int(out, entry->of.click.earliest, 2);
    put_int(out, entry->of.click.latest, 2);
    put_int(out, entry->of.click.class_of_latest, 1);
}

static void put_uses(void *baton, const mm_recent_entry_t *entry)
{
    output_t *out = baton;

    make_room(out, USES_SIZE);
    put_int(out, entry->key, 8);
    put_int(out, entry->touched_s, 4);
    put_int(out, entry->of.uses.views, 4);
    put_int(out, entry->of.uses.downloads, 4);
}

/* The one that was touched next behind that turn. */
static const mm_salt_t *next_salt(const mm_salts_t *salts, uint64_t turn)
{
    const mm_salt_t *next = NULL;

    for (size_t i = 0; i < MM_SALTS_MAX; i++) {
        const mm_salt_t *salt = &salts->salts[i];

        if (salt->used && salt->turn > turn && (next == NULL || salt->turn < next->turn)) {
            next = salt;
        }
    }
    return next;
}

static void put_salts(output_t *out, const mm_salts_t *salts, bool all)
{
    for (const mm_salt_t *salt = next_salt(salts, 0); salt != NULL; salt = next_salt(salts, salt->turn)) {
        if (all || salt->fresh) {
            put_int(out, (uint64_t)salt->day, 8);
            put_int(out, salt->touched_s, 4);
            memcpy(out->chunk + out->len, salt->key, MM_SALT_LEN);
            out->len += MM_SALT_LEN;
        }
    }
}

static void put_head(output_t *out, const mm_window_t *window)
{
    begin(out, KIND_HEAD);
    put_int(out, FORM_VERSION, 4);
    put_int(out, (uint64_t)window->width_ms, 4);
    end(out);
}

void mm_form_put(const mm_window_t *window, bool all, mm_form_sink_t *sink, void *baton)
{
    output_t out = {.sink = sink, .baton = baton};

    if (all) {
        put_head(&out, window);
    }
    begin(&out, KIND_CLOCK);
    put_int(&out, window->now_s, 4);
    end(&out);
    begin(&out, KIND_SALTS);
    put_salts(&out, &window->salts, all);
    end(&out);
    begin(&out, KIND_CLICKS);
    mm_recent_each(window->clicks, !all, put_click, &out);
    end(&out);
    begin(&out, KIND_USES);
    mm_recent_each(window->uses, !all, put_uses, &out);
    end(&out);
}

bool mm_form_is_fresh(const mm_window_t *window)
{
    for (size_t i = 0; i < MM_SALTS_MAX; i++) {
        if (window->salts.salts[i].fresh) {
            return true;
        }
    }
    return mm_recent_has_fresh(window->clicks) || mm_recent_has_fresh(window->uses);
}

bool mm_form_is_stale(const mm_window_t *window)
{
    return window->salts.dropped;
}

int64_t mm_form_size(const mm_window_t *window)
{
    return HEADS_SIZE + (int64_t)MM_SALTS_MAX * SALT_SIZE + (int64_t)mm_recent_entries(window->clicks) * CLICK_SIZE +
           (int64_t)mm_recent_entries(window->uses) * USES_SIZE;
}

void mm_form_settle(mm_window_t *window, bool all)
{
    mm_recent_settle(window->clicks);
    mm_recent_settle(window->uses);
    mm_salts_settle(&window->salts, all);
}

void mm_form_clear(mm_window_t *window)
{
    mm_window_begin_anew(window);
    mm_form_settle(window, true);
}

/* --- reading --- */

typedef struct input {
    const uint8_t *at;
    size_t len;
} input_t;

static uint64_t take_int(input_t *in, size_t bytes)
{
    uint64_t number = 0;

    for (size_t i = 0; i < bytes; i++) {
        number |= (uint64_t)in->at[i] << (8 * i);
    }
    in->at += bytes;
    in->len -= bytes;
    return number;
}

static bool take_head(mm_window_t *window, input_t *in, bool *other_width)
{
    if (in->len != 8 || take_int(in, 4) != FORM_VERSION) {
        return false;
    }
    *other_width = (int64_t)take_int(in, 4) != window->width_ms;
    return true;
}

static bool take_clock(mm_window_t *window, input_t *in)
{
    uint32_t now_s;

    if (in->len != 4) {
        return false;
    }
    now_s = (uint32_t)take_int(in, 4);
    if (now_s < window->now_s) { /* the clock was put back */
        mm_window_begin_anew(window);
    }
    window->now_s = now_s;
    return true;
}

static bool take_salt(mm_window_t *window, input_t *in)
{
    int64_t day = (int64_t)take_int(in, 8);
    uint32_t touched_s = (uint32_t)take_int(in, 4);

    if (day < 0 || touched_s > window->now_s) {
        return false;
    }
    mm_salts_restore(&window->salts, day, touched_s, in->at);
    in->at += MM_SALT_LEN;
    in->len -= MM_SALT_LEN;
    return true;
}

/* Touches must not go back in time, or the table would not forget in their order. */
static bool take_click(mm_window_t *window, input_t *in, bool other_width)
{
    uint64_t key = take_int(in, 8);
    uint32_t touched_s = (uint32_t)take_int(in, 4);
    uint16_t earliest = (uint16_t)take_int(in, 2), latest = (uint16_t)take_int(in, 2);
    uint8_t class = (uint8_t)take_int(in, 1);
    mm_recent_entry_t *entry;

    if (other_width) {
        return true;
    }
    if (touched_s > window->now_s || touched_s < mm_recent_latest(window->clicks) || earliest > latest ||
        latest >= window->width_ms || class > MM_CLASS_ROBOT) {
        return false;
    }
    entry = mm_recent_touch(window->clicks, key, touched_s);
    entry->of.click.earliest = earliest;
    entry->of.click.latest = latest;
    entry->of.click.class_of_latest = class;
    return true;
}

static bool take_uses(mm_window_t *window, input_t *in)
{
    uint64_t key = take_int(in, 8);
    uint32_t touched_s = (uint32_t)take_int(in, 4);
    uint32_t views = (uint32_t)take_int(in, 4), downloads = (uint32_t)take_int(in, 4);
    mm_recent_entry_t *entry;

    if (touched_s > window->now_s || touched_s < mm_recent_latest(window->uses) || views > UINT32_MAX / 2 ||
        downloads > UINT32_MAX / 2) {
        return false;
    }
    entry = mm_recent_touch(window->uses, key, touched_s);
    entry->of.uses.views = views;
    entry->of.uses.downloads = downloads;
    return true;
}

static bool take_entries(mm_window_t *window, kind_t kind, input_t *in, bool other_width)
{
    size_t size = kind == KIND_SALTS ? SALT_SIZE : kind == KIND_CLICKS ? CLICK_SIZE : USES_SIZE;
    bool good = true;

    while (good && in->len >= size) {
        good = kind == KIND_SALTS    ? take_salt(window, in)
               : kind == KIND_CLICKS ? take_click(window, in, other_width)
                                     : take_uses(window, in);
    }
    return good && in->len == 0;
}

apr_status_t mm_form_take(mm_window_t *window, const uint8_t *chunk, size_t len, bool *other_width, mm_err_t *err)
{
    input_t in = {chunk, len};
    bool good = false;

    if (len == 0) {
        return mm_err_set(err, APR_EINVAL, "a chunk is empty");
    }
    in.at++;
    in.len--;
    switch ((kind_t)chunk[0]) {
    case KIND_HEAD:
        good = take_head(window, &in, other_width);
        break;
    case KIND_CLOCK:
        good = take_clock(window, &in);
        break;
    case KIND_SALTS:
    case KIND_CLICKS:
    case KIND_USES:
        good = take_entries(window, (kind_t)chunk[0], &in, *other_width);
        break;
    }
    if (!good) {
        return mm_err_set(err, APR_EINVAL, "a chunk of the window's clicks or hours is malformed");
    }
    mm_window_expire(window);
    return APR_SUCCESS;
}
