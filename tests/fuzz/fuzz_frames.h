/* For fuzz targets that read files of frames: an input as such a file. */
#ifndef FUZZ_FRAMES_H
#define FUZZ_FRAMES_H

#include "fuzz.h"

#include "base/file.h"
#include "spool/frame.h"

static inline size_t put_frame(int fd, const uint8_t *data, size_t len)
{
    uint8_t *buf = malloc(MM_FRAME_HEADER + len);

    HOLDS(buf != NULL);
    memcpy(buf + MM_FRAME_HEADER, data, len);
    len = mm_frame_seal(buf, len, 0);
    HOLDS(mm_file_write_all(fd, buf, len, NULL) == APR_SUCCESS);
    free(buf);
    return len;
}

/* The first byte chooses: the rest is the file as it is, or (odd) what goes into frames, each with its length as u16
 * before it, so that the fuzzer gets behind the check sum. Returns the length of the file. */
static inline size_t put_input(int fd, const uint8_t *data, size_t len)
{
    size_t size = 0;

    if (data[0] % 2 == 0) {
        HOLDS(mm_file_write_all(fd, data + 1, len - 1, NULL) == APR_SUCCESS);
        return len - 1;
    }
    for (data++, len--; len >= 2;) {
        size_t n = data[0] | (size_t)data[1] << 8;

        n = n <= len - 2 ? n : len - 2;
        size += put_frame(fd, data + 2, n);
        data += 2 + n;
        len -= 2 + n;
    }
    return size;
}

#endif
