/* What the tests of the spool's reader share: rounds as text, positions, live segments. */
#ifndef UNIT_READER_H
#define UNIT_READER_H

#include "unit_spool.h"

#include "spool/spool_reader.h"

static inline mm_spool_reader_t *reader_of(unit_t *unit, unit_log_t *log)
{
    mm_spool_reader_t *reader = NULL;

    assert_int_equal(mm_spool_reader_create(&reader, unit->dir, log != NULL ? &log->log : NULL, unit->pool, NULL),
                     APR_SUCCESS);
    return reader;
}

/* One round, its texts joined by commas; *end is how it ended. */
static inline char *round_of(unit_t *unit, mm_spool_reader_t *reader, apr_status_t *end, mm_err_t *err)
{
    const uint8_t *payload;
    char *all = apr_pstrdup(unit->pool, "");
    size_t len;

    assert_int_equal(mm_spool_reader_begin(reader, err), APR_SUCCESS);
    while ((*end = mm_spool_reader_next(reader, &payload, &len, err)) == APR_SUCCESS) {
        all = apr_psprintf(unit->pool, "%s%.*s,", all, (int)len, (const char *)payload);
    }
    return all;
}

static inline void assert_round(unit_t *unit, mm_spool_reader_t *reader, const char *expected)
{
    mm_err_t err = {0};
    apr_status_t end;
    char *all = round_of(unit, reader, &end, &err);

    if (end != APR_EOF) {
        fail_msg("%s", err.text);
    }
    assert_string_equal(all, expected);
}

typedef struct positions {
    int n;
    char names[8][MM_SPOOL_NAME_LEN + 1];
    int64_t offsets[8];
} positions_t;

static inline void note_position(void *baton, const char *name, int64_t offset)
{
    positions_t *positions = baton;

    assert_true(positions->n < 8);
    snprintf(positions->names[positions->n], MM_SPOOL_NAME_LEN + 1, "%s", name);
    positions->offsets[positions->n++] = offset;
}

static inline positions_t positions_of(mm_spool_reader_t *reader)
{
    positions_t positions = {0};

    mm_spool_reader_positions(reader, note_position, &positions);
    return positions;
}

static inline void release(mm_spool_reader_t *reader)
{
    mm_err_t err = {0};

    if (mm_spool_reader_release(reader, &err) != APR_SUCCESS) {
        fail_msg("%s", err.text);
    }
}

/* A segment whose writer lives as long as this descriptor. */
static inline int live(unit_t *unit, const char *name)
{
    int fd = unit_append(unit, name, "", 0);

    assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), 0);
    return fd;
}

static inline void put(int fd, const void *data, size_t len)
{
    assert_int_equal(mm_file_write_all(fd, data, len, NULL), APR_SUCCESS);
}

static inline void put_frame(int fd, const char *text, uint32_t seed)
{
    uint8_t buf[4096];

    put(fd, buf, unit_frame(buf, text, seed));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, unit_setup, unit_teardown)

#endif
