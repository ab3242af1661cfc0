/* The drainer's window of clicks from a disk that lies, as fuzz_frames.h makes it of the input.
 *
 * Whatever is read, the window can be used afterwards, and what it writes can be read and is written the same again.
 */
#include "fuzz_frames.h"

#include <sys/mman.h>
#include <unistd.h>
#include "count/form.h"
#include "drain/window_log.h"

#define INPUT_MAX (64 * 1024)
#define W_MS      30000

typedef struct copy {
    int fd;
    int64_t len;
} copy_t;

static void put(void *baton, const uint8_t *chunk, size_t len)
{
    copy_t *copy = baton;

    copy->len += (int64_t)put_frame(copy->fd, chunk, len);
}

static copy_t copy_begin(void)
{
    copy_t copy = {.fd = memfd_create("copy", 0)};

    HOLDS(copy.fd >= 0);
    return copy;
}

static apr_status_t read_in(mm_window_t *window, const copy_t *copy, bool *other_width)
{
    mm_err_t err = {.text = ""};
    apr_status_t rv;

    mm_form_clear(window);
    rv = mm_window_log_read(window, copy->fd, copy->len, other_width, &err);
    HOLDS(rv == APR_SUCCESS || rv == APR_EINVAL);
    HOLDS((rv != APR_SUCCESS) == (err.text[0] != '\0'));
    return rv;
}

static void use(mm_window_t *window)
{
    mm_window_booking_t bookings[MM_WINDOW_BOOKINGS_MAX];
    mm_event_t event = {.action = MM_ACTION_VIEW,
                        .time_us = INT64_C(1767268800) * 1000000,
                        .type = mm_bytes_of("datasets"),
                        .id = mm_bytes_of("a"),
                        .user = mm_bytes_of("ada")};

    for (int i = 0; i < 4; i++) {
        HOLDS(mm_window_add(window, &event, MM_CLASS_REGULAR, bookings) <= MM_WINDOW_BOOKINGS_MAX);
        event.time_us += 20000000;
    }
}

static void require_same(const copy_t *one, const copy_t *other)
{
    char *a = malloc((size_t)one->len), *b = malloc((size_t)one->len);

    HOLDS(one->len == other->len && a != NULL && b != NULL);
    HOLDS(pread(one->fd, a, (size_t)one->len, 0) == one->len && pread(other->fd, b, (size_t)one->len, 0) == one->len);
    HOLDS(memcmp(a, b, (size_t)one->len) == 0);
    free(a);
    free(b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static mm_window_t *window, *second;
    copy_t in, out, again;
    bool other_width;

    if (len < 1 || len > INPUT_MAX) {
        return 0;
    }
    if (window == NULL) {
        window = mm_window_create(W_MS, fuzz_pool());
        second = mm_window_create(W_MS, fuzz_pool());
    }
    in = copy_begin();
    out = copy_begin();
    again = copy_begin();
    in.len = (int64_t)put_input(in.fd, data, len);
    if (read_in(window, &in, &other_width) != APR_SUCCESS) {
        mm_form_clear(window); /* as the drainer does */
    }
    use(window);
    mm_form_put(window, true, put, &out);
    HOLDS(out.len <= mm_form_size(window) + 8 * MM_FRAME_HEADER + out.len / 1000);
    HOLDS(read_in(second, &out, &other_width) == APR_SUCCESS && !other_width);
    mm_form_put(second, true, put, &again);
    require_same(&out, &again);
    close(in.fd);
    close(out.fd);
    close(again.fd);
    return 0;
}
