/* Bytes as what happens to a segment: frames, junk, torn frames, flipped bits, a round of reading while the writer
 * lives. Every whole frame must come, once, in order, whatever is around it, and every other byte must be passed over.
 *
 * Commands, one byte each, with their arguments behind them:
 *   0 LEN    a whole frame of LEN bytes          1 LEN BYTES   junk
 *   2 LEN N  a frame torn after N bytes          3 LEN AT      a frame with a bit flipped
 *   4        a round of reading                  5 LEN BYTES   a whole frame of these bytes
 *   6 LEN    zeros                               7 LEN         a frame of which all but the magic was copied
 */
#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <apr_general.h>

#include "spool/frame.h"
#include "spool/spool_name.h"
#include "spool/spool_reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

#define SEED       UINT32_C(0x5EED5EED)
#define FRAMES_MAX 512
#define ROUNDS_MAX 32

static char dir[256];

static void remove_dir(void)
{
    rmdir(dir);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    const char *tmp = getenv("TMPDIR");

    (void)argc;
    (void)argv;
    snprintf(dir, sizeof(dir), "%s/mm-fuzz-XXXXXX",
             tmp != NULL                     ? tmp
             : access("/dev/shm", W_OK) == 0 ? "/dev/shm"
                                             : "/tmp");
    if (apr_initialize() != APR_SUCCESS || mkdtemp(dir) == NULL) {
        abort();
    }
    atexit(remove_dir);
    return 0;
}

/* The segment as the script makes it. */
typedef struct script {
    const uint8_t *data; /* what is left of the input */
    size_t size;
    uint8_t *bytes;
    size_t length;
    struct {
        size_t at, len; /* of the payload */
    } frames[FRAMES_MAX];
    size_t n_frames;
    size_t rounds[ROUNDS_MAX]; /* how much is there when a round of reading comes */
    size_t n_rounds;
} script_t;

static uint8_t argument(script_t *script)
{
    if (script->size == 0) {
        return 0;
    }
    script->size--;
    return *script->data++;
}

/* Takes up to len bytes of the input to where a payload would begin, or to the end of the segment. */
static size_t raw(script_t *script, uint8_t *to, size_t len)
{
    len = len <= script->size ? len : script->size;
    memcpy(to, script->data, len);
    script->data += len;
    script->size -= len;
    return len;
}

static void put_whole(script_t *script, size_t len)
{
    script->frames[script->n_frames].at = script->length + MM_FRAME_HEADER;
    script->frames[script->n_frames].len = len;
    script->n_frames++;
    script->length += mm_frame_seal(script->bytes + script->length, len, SEED);
}

static void step(script_t *script)
{
    uint8_t *here = script->bytes + script->length, at;
    uint8_t command = argument(script) % 8;
    size_t len = command == 4 ? 0 : argument(script), total;

    if (command == 1) {
        script->length += raw(script, here, len);
        return;
    }
    if (command == 4) {
        script->rounds[script->n_rounds++] = script->length;
        return;
    }
    if (command == 6) {
        memset(here, 0, len);
        script->length += len;
        return;
    }
    memset(here + MM_FRAME_HEADER, (int)(script->n_frames % 251), len);
    switch (command) {
    case 2:
        total = mm_frame_seal(here, len, SEED);
        script->length += argument(script) % total;
        break;
    case 3:
        total = mm_frame_seal(here, len, SEED);
        at = argument(script);
        here[at % total] ^= (uint8_t)(1 << at % 8);
        script->length += total;
        break;
    case 7:
        script->length += mm_frame_seal(here, len, SEED);
        memset(here, 0, 4);
        break;
    case 5:
        put_whole(script, raw(script, here + MM_FRAME_HEADER, len));
        break;
    default:
        put_whole(script, len);
    }
}

/* Whether the whole frames are those that were meant: junk may have completed a torn one, or be one. */
static bool is_as_meant(const script_t *script)
{
    size_t at = 0, found = 0;

    while (at < script->length) {
        const uint8_t *payload;
        size_t len;

        if (mm_frame_parse(script->bytes + at, script->length - at, SEED, &payload, &len) != MM_FRAME_WHOLE) {
            at++;
            continue;
        }
        if (found == script->n_frames || script->frames[found].at != at + MM_FRAME_HEADER ||
            script->frames[found].len != len) {
            return false;
        }
        found++;
        at += MM_FRAME_HEADER + len;
    }
    return found == script->n_frames;
}

/* One round; *come counts the frames that came so far. */
static void read_round(const script_t *script, mm_spool_reader_t *reader, size_t *come)
{
    const uint8_t *payload;
    size_t len;
    mm_err_t err;
    apr_status_t status = mm_spool_reader_begin(reader, &err);

    assert(status == APR_SUCCESS);
    while ((status = mm_spool_reader_next(reader, &payload, &len, &err)) == APR_SUCCESS) {
        assert(*come < script->n_frames && len == script->frames[*come].len);
        assert(memcmp(payload, script->bytes + script->frames[*come].at, len) == 0);
        (*come)++;
    }
    assert(status == APR_EOF);
}

static void write_up_to(const script_t *script, int fd, size_t *written, size_t up_to)
{
    size_t len = up_to - *written;

    if (write(fd, script->bytes + *written, len) != (ssize_t)len) {
        abort();
    }
    *written = up_to;
}

static void note_position(void *baton, const char *name, int64_t offset)
{
    (void)name;
    *(int64_t *)baton = offset;
}

static void clear_dir(const char *segment)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", dir, segment);
    unlink(path);
    snprintf(path, sizeof(path), "%s/%s.corrupt", dir, segment);
    unlink(path);
}

static void play(const script_t *script)
{
    mm_spool_name_t name = {1, 2, 3, SEED};
    mm_spool_reader_t *reader;
    char segment[MM_SPOOL_NAME_LEN + 1], path[512];
    size_t come = 0, written = 0, i;
    int64_t position = 0;
    apr_pool_t *pool;
    mm_err_t err;
    int fd;

    mm_spool_name_format(segment, &name);
    snprintf(path, sizeof(path), "%s/%s", dir, segment);
    fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) != 0 || apr_pool_create(&pool, NULL) != APR_SUCCESS ||
        mm_spool_reader_create(&reader, dir, NULL, pool, &err) != APR_SUCCESS) {
        abort();
    }
    for (i = 0; i < script->n_rounds; i++) {
        write_up_to(script, fd, &written, script->rounds[i]);
        read_round(script, reader, &come);
    }
    write_up_to(script, fd, &written, script->length);
    close(fd);
    read_round(script, reader, &come);
    assert(come == script->n_frames);
    mm_spool_reader_positions(reader, note_position, &position);
    assert(position == (int64_t)script->length);
    assert(mm_spool_reader_release(reader, &err) == APR_SUCCESS && access(path, F_OK) != 0);
    apr_pool_destroy(pool);
    clear_dir(segment);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    script_t *script = calloc(1, sizeof(*script));

    script->data = data;
    script->size = size;
    /* No command of two bytes makes more than the longest frame. */
    script->bytes = calloc(size / 2 + 2, MM_FRAME_HEADER + UINT8_MAX);
    while (script->size > 0 && script->n_frames < FRAMES_MAX && script->n_rounds < ROUNDS_MAX) {
        step(script);
    }
    if (is_as_meant(script)) {
        play(script);
    }
    free(script->bytes);
    free(script);
    return 0;
}
