/* What the tests of the spool share: files in the test's directory, segments made by hand, a log that remembers. */
#ifndef UNIT_SPOOL_H
#define UNIT_SPOOL_H

#include "unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/log.h"
#include "spool/frame.h"
#include "spool/spool_name.h"

typedef struct unit_log {
    mm_log_t log;
    int n;
    char tag[16];
    char text[1024];
} unit_log_t;

static inline void unit_log_write(void *baton, mm_log_level_t level, const char *tag, const char *text)
{
    unit_log_t *seen = baton;

    (void)level;
    seen->n++;
    snprintf(seen->tag, sizeof(seen->tag), "%s", tag);
    snprintf(seen->text, sizeof(seen->text), "%s", text);
}

static inline unit_log_t *unit_log(unit_t *unit)
{
    unit_log_t *seen = apr_pcalloc(unit->pool, sizeof(*seen));

    seen->log.write = unit_log_write;
    seen->log.baton = seen;
    return seen;
}

static inline char *unit_path(unit_t *unit, const char *name)
{
    return apr_pstrcat(unit->pool, unit->dir, "/", name, NULL);
}

/* A segment's name that sorts by n. */
static inline char *unit_segment_name(unit_t *unit, uint32_t n, uint32_t seed)
{
    mm_spool_name_t name = {.time_us = 1700000000000000 + n, .pid = 1, .n = n, .seed = seed};
    char *text = apr_palloc(unit->pool, MM_SPOOL_NAME_LEN + 1);

    mm_spool_name_format(text, &name);
    return text;
}

/* Appends to a file of the test's directory and leaves it open: locked, it is a live segment. */
static inline int unit_append(unit_t *unit, const char *name, const void *data, size_t len)
{
    int fd = open(unit_path(unit, name), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(mm_file_write_all(fd, data, len, NULL), APR_SUCCESS);
    return fd;
}

/* A frame of this text at to; returns its length. */
static inline size_t unit_frame(uint8_t *to, const char *text, uint32_t seed)
{
    size_t len = strlen(text);

    memcpy(to + MM_FRAME_HEADER, text, len);
    return mm_frame_seal(to, len, seed);
}

static inline void unit_append_frame(unit_t *unit, const char *name, const char *text, uint32_t seed)
{
    uint8_t buf[4096];

    close(unit_append(unit, name, buf, unit_frame(buf, text, seed)));
}

static inline bool unit_exists(unit_t *unit, const char *name)
{
    struct stat st;

    return lstat(unit_path(unit, name), &st) == 0;
}

/* How many names in the directory end like this; the first of them into *one, if that is not NULL. */
static inline int unit_count(unit_t *unit, const char *suffix, char **one)
{
    DIR *dir = opendir(unit->dir);
    struct dirent *entry;
    int n = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL) {
        size_t len = strlen(entry->d_name);

        if (len >= strlen(suffix) && strcmp(entry->d_name + len - strlen(suffix), suffix) == 0) {
            if (n++ == 0 && one != NULL) {
                *one = apr_pstrdup(unit->pool, entry->d_name);
            }
        }
    }
    closedir(dir);
    return n;
}

static inline int unit_wait(pid_t child)
{
    int status = -1;

    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

#endif
