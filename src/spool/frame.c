/* Frames: sealing, recognising, finding the next one behind damage. Pure functions; any thread.
 *
 * Invariant: parse says PARTIAL only while the bytes seen agree with some whole frame, so a reader never waits for
 * bytes that could not help; and it never looks beyond len.
 */
#include "spool/frame.h"

#include <string.h>

#include "base/crc32c.h"
#include "base/hot.h"

/* "MMF1" as a little-endian number. */
#define MAGIC UINT32_C(0x31464D4D)

#define AT_LENGTH 4
#define AT_CRC    8

static void put(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
    to[2] = (uint8_t)(value >> 16);
    to[3] = (uint8_t)(value >> 24);
}

static uint32_t get(const uint8_t *from)
{
    return (uint32_t)from[0] | (uint32_t)from[1] << 8 | (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

/* The length stands in the way of the payload: its own sum first, then on from there. */
static MM_HOT uint32_t sum(const uint8_t *frame, size_t payload_len, uint32_t seed)
{
    uint32_t crc = mm_crc32c(seed, frame + AT_LENGTH, AT_CRC - AT_LENGTH);

    return mm_crc32c(crc, frame + MM_FRAME_HEADER, payload_len);
}

MM_HOT size_t mm_frame_seal(uint8_t *buf, size_t payload_len, uint32_t seed)
{
    put(buf, MAGIC ^ seed);
    put(buf + AT_LENGTH, (uint32_t)payload_len);
    put(buf + AT_CRC, sum(buf, payload_len, seed));
    return MM_FRAME_HEADER + payload_len;
}

mm_frame_state_t mm_frame_parse(const uint8_t *buf, size_t len, uint32_t seed, const uint8_t **payload,
                                size_t *payload_len)
{
    uint8_t magic[AT_LENGTH];
    uint32_t claimed;

    put(magic, MAGIC ^ seed);
    if (len > 0 && memcmp(buf, magic, len < sizeof(magic) ? len : sizeof(magic)) != 0) {
        return MM_FRAME_BROKEN;
    }
    if (len < AT_CRC) {
        return MM_FRAME_PARTIAL;
    }
    claimed = get(buf + AT_LENGTH);
    if (claimed > MM_FRAME_PAYLOAD_MAX) {
        return MM_FRAME_BROKEN;
    }
    if (len < MM_FRAME_HEADER || len - MM_FRAME_HEADER < claimed) {
        return MM_FRAME_PARTIAL;
    }
    if (get(buf + AT_CRC) != sum(buf, claimed, seed)) {
        return MM_FRAME_BROKEN;
    }
    *payload = buf + MM_FRAME_HEADER;
    *payload_len = claimed;
    return MM_FRAME_WHOLE;
}

size_t mm_frame_resync(const uint8_t *buf, size_t len, size_t from, uint32_t seed)
{
    uint8_t first = (uint8_t)(MAGIC ^ seed);

    while (from < len) {
        const uint8_t *candidate = memchr(buf + from, first, len - from);
        const uint8_t *payload;
        size_t payload_len;

        if (candidate == NULL) {
            return len;
        }
        from = (size_t)(candidate - buf);
        if (mm_frame_parse(candidate, len - from, seed, &payload, &payload_len) == MM_FRAME_WHOLE) {
            return from;
        }
        from++;
    }
    return len;
}
