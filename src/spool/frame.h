/* The envelope of everything that must survive a crash: spool segments and batch files are sequences of frames.
 *
 *   u32 magic "MMF1" xor seed | u32 payload length | u32 CRC-32C of length and payload | payload        (little-endian)
 *
 * The magic lets a reader find the next whole frame behind a torn or damaged one. It and the check sum start from a
 * seed that differs from segment to segment and that no visitor knows (it is the last part of the segment's name):
 * otherwise a User-Agent that holds a whole frame could, behind a torn header, be read as an event of its own, and one
 * full of magics would make the search for the next frame sum up megabytes for each of them.
 */
#ifndef MM_FRAME_H
#define MM_FRAME_H

#include <stddef.h>
#include <stdint.h>

#define MM_FRAME_HEADER 12
/* Of it, the magic: what a frame that is being copied into a mapped segment gets last (spool_window.h). */
#define MM_FRAME_MAGIC 4
/* The NDJSON of one POST (at most 1 MiB), packed, with room to spare. */
#define MM_FRAME_PAYLOAD_MAX (4u * 1024 * 1024)

typedef enum mm_frame_state {
    MM_FRAME_WHOLE,   /* *payload and *payload_len are set */
    MM_FRAME_PARTIAL, /* could become whole when more bytes follow */
    MM_FRAME_BROKEN   /* no more bytes can make a frame of this */
} mm_frame_state_t;

/* buf holds MM_FRAME_HEADER bytes of room and then the payload: fills in the header and returns the frame's whole
 * length. */
size_t mm_frame_seal(uint8_t *buf, size_t payload_len, uint32_t seed);

mm_frame_state_t mm_frame_parse(const uint8_t *buf, size_t len, uint32_t seed, const uint8_t **payload,
                                size_t *payload_len);

/* The offset of the first whole frame at or behind offset `from`, or len if there is none. */
size_t mm_frame_resync(const uint8_t *buf, size_t len, size_t from, uint32_t seed);

#endif
