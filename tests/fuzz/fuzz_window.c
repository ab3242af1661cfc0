/* The drainer's window of clicks from a disk that lies. The first byte chooses: the rest is the file as it is, or (odd)
 * chunks, each with its length as u16 before it, which are put into sound frames so that the fuzzer gets behind the
 * check sum.
 *
 * Whatever is read, the window can be used afterwards, and what it writes can be read and is written the same again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "base/file.h"
#include "count/form.h"
#include "drain/window_log.h"
#include "spool/frame.h"

#define INPUT_MAX (64 * 1024)
#define W_MS      30000

#define require(condition)                                                                                             \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

typedef struct copy {
    int fd;
    int64_t len;
} copy_t;

static void put(void *baton, const uint8_t *chunk, size_t len)
{
    copy_t *copy = baton;
    uint8_t *buf = malloc(MM_FRAME_HEADER + len);

    require(buf != NULL);
    memcpy(buf + MM_FRAME_HEADER, chunk, len);
    len = mm_frame_seal(buf, len, 0);
    require(mm_file_write_all(copy->fd, buf, len, NULL) == APR_SUCCESS);
    copy->len += (int64_t)len;
    free(buf);
}

static void put_input(copy_t *in, const uint8_t *data, size_t len)
{
    if (data[0] % 2 == 0) {
        require(mm_file_write_all(in->fd, data + 1, len - 1, NULL) == APR_SUCCESS);
        in->len += (int64_t)len - 1;
        return;
    }
    for (data++, len--; len >= 2;) {
        size_t n = data[0] | (size_t)data[1] << 8;

        n = n <= len - 2 ? n : len - 2;
        put(in, data + 2, n);
        data += 2 + n;
        len -= 2 + n;
    }
}

static copy_t copy_begin(void)
{
    copy_t copy = {.fd = memfd_create("copy", 0)};

    require(copy.fd >= 0);
    return copy;
}

static apr_status_t read_in(mm_window_t *window, const copy_t *copy, bool *other_width)
{
    mm_err_t err = {.text = ""};
    apr_status_t rv;

    mm_form_clear(window);
    rv = mm_window_log_read(window, copy->fd, copy->len, other_width, &err);
    require(rv == APR_SUCCESS || rv == APR_EINVAL);
    require((rv != APR_SUCCESS) == (err.text[0] != '\0'));
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
        require(mm_window_add(window, &event, MM_CLASS_REGULAR, bookings) <= MM_WINDOW_BOOKINGS_MAX);
        event.time_us += 20000000;
    }
}

static void require_same(const copy_t *one, const copy_t *other)
{
    char *a = malloc((size_t)one->len), *b = malloc((size_t)one->len);

    require(one->len == other->len && a != NULL && b != NULL);
    require(pread(one->fd, a, (size_t)one->len, 0) == one->len && pread(other->fd, b, (size_t)one->len, 0) == one->len);
    require(memcmp(a, b, (size_t)one->len) == 0);
    free(a);
    free(b);
}

static apr_pool_t *pool;

/* What a pool points to looks like a leak to LeakSanitizer, which does not look into pools. */
static void end(void)
{
    apr_pool_destroy(pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    static mm_window_t *window, *second;
    copy_t in, out, again;
    bool other_width;

    if (len < 1 || len > INPUT_MAX) {
        return 0;
    }
    if (pool == NULL) {
        apr_initialize();
        apr_pool_create(&pool, NULL);
        atexit(end);
        window = mm_window_create(W_MS, pool);
        second = mm_window_create(W_MS, pool);
    }
    in = copy_begin();
    out = copy_begin();
    again = copy_begin();
    put_input(&in, data, len);
    if (read_in(window, &in, &other_width) != APR_SUCCESS) {
        mm_form_clear(window); /* as the drainer does */
    }
    use(window);
    mm_form_put(window, true, put, &out);
    require(out.len <= mm_form_size(window) + 8 * MM_FRAME_HEADER + out.len / 1000);
    require(read_in(second, &out, &other_width) == APR_SUCCESS && !other_width);
    mm_form_put(second, true, put, &again);
    require_same(&out, &again);
    close(in.fd);
    close(out.fd);
    close(again.fd);
    return 0;
}
