/* CRC-32C, with the processor's own instruction where there is one, else eight bytes a step by tables.
 *
 * The tables are constants made by the preprocessor. Table k holds the check sum of one byte followed by k zero bytes;
 * check sums are linear, so an entry is the exclusive or of those of its single bits, and the single bits of all eight
 * tables are 64 consecutive states of the shift register: the byte 0x80 of table 0 leaves the polynomial, every lower
 * bit, and then every further zero byte, is one step more. No state; any thread.
 */
#include "base/crc32c.h"

#include <string.h>

#include "base/hot.h"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

/* One entry from the eight single bits, 0x80 first. */
#define BIT(i, b, state) (((i) >> (b)) & 1 ? (state) : 0u)
#define ENTRY(i, s7, s6, s5, s4, s3, s2, s1, s0)                                                                       \
    (BIT(i, 7, s7) ^ BIT(i, 6, s6) ^ BIT(i, 5, s5) ^ BIT(i, 4, s4) ^ BIT(i, 3, s3) ^ BIT(i, 2, s2) ^ BIT(i, 1, s1) ^   \
     BIT(i, 0, s0))
#define ENTRIES4(i, ...)                                                                                               \
    ENTRY(i, __VA_ARGS__), ENTRY(i + 1, __VA_ARGS__), ENTRY(i + 2, __VA_ARGS__), ENTRY(i + 3, __VA_ARGS__)
#define ENTRIES16(i, ...)                                                                                              \
    ENTRIES4(i, __VA_ARGS__), ENTRIES4(i + 4, __VA_ARGS__), ENTRIES4(i + 8, __VA_ARGS__), ENTRIES4(i + 12, __VA_ARGS__)
#define ENTRIES64(i, ...)                                                                                              \
    ENTRIES16(i, __VA_ARGS__), ENTRIES16(i + 16, __VA_ARGS__), ENTRIES16(i + 32, __VA_ARGS__),                         \
        ENTRIES16(i + 48, __VA_ARGS__)
#define TABLE(...)                                                                                                     \
    {                                                                                                                  \
        ENTRIES64(0, __VA_ARGS__), ENTRIES64(64, __VA_ARGS__), ENTRIES64(128, __VA_ARGS__),                            \
            ENTRIES64(192, __VA_ARGS__)                                                                                \
    }

static const uint32_t tables[8][256] = {
    TABLE(0x82F63B78, 0x417B1DBC, 0x20BD8EDE, 0x105EC76F, 0x8AD958CF, 0xC79A971F, 0xE13B70F7, 0xF26B8303),
    TABLE(0xFBC3FAF9, 0xFF17C604, 0x7F8BE302, 0x3FC5F181, 0x9D14C3B8, 0x4E8A61DC, 0x274530EE, 0x13A29877),
    TABLE(0x8B277743, 0xC76580D9, 0xE144FB14, 0x70A27D8A, 0x38513EC5, 0x9EDEA41A, 0x4F6F520D, 0xA541927E),
    TABLE(0x52A0C93F, 0xABA65FE7, 0xD725148B, 0xE964B13D, 0xF64463E6, 0x7B2231F3, 0xBF672381, 0xDD45AAB8),
    TABLE(0x6EA2D55C, 0x37516AAE, 0x1BA8B557, 0x8F2261D3, 0xC5670B91, 0xE045BEB0, 0x7022DF58, 0x38116FAC),
    TABLE(0x1C08B7D6, 0x0E045BEB, 0x85F4168D, 0xC00C303E, 0x6006181F, 0xB2F53777, 0xDB8CA0C3, 0xEF306B19),
    TABLE(0xF56E0EF4, 0x7AB7077A, 0x3D5B83BD, 0x9C5BFAA6, 0x4E2DFD53, 0xA5E0C5D1, 0xD0065990, 0x68032CC8),
    TABLE(0x34019664, 0x1A00CB32, 0x0D006599, 0x847609B4, 0x423B04DA, 0x211D826D, 0x9278FA4E, 0x493C7D27),
};

static uint32_t by_table(uint32_t crc, const unsigned char *p, size_t len)
{
    for (; len >= 8; p += 8, len -= 8) {
        uint32_t low = crc ^ ((uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24);

        crc = tables[7][low & 0xFF] ^ tables[6][low >> 8 & 0xFF] ^ tables[5][low >> 16 & 0xFF] ^ tables[4][low >> 24] ^
              tables[3][p[4]] ^ tables[2][p[5]] ^ tables[1][p[6]] ^ tables[0][p[7]];
    }
    for (; len > 0; p++, len--) {
        crc = crc >> 8 ^ tables[0][(crc ^ *p) & 0xFF];
    }
    return crc;
}

#if defined(__x86_64__)
MM_HOT __attribute__((target("sse4.2"))) static uint32_t by_instruction(uint32_t crc, const unsigned char *p,
                                                                        size_t len)
{
    uint64_t wide = crc;

    for (; len >= 8; p += 8, len -= 8) {
        uint64_t word;

        memcpy(&word, p, sizeof(word));
        wide = _mm_crc32_u64(wide, word);
    }
    crc = (uint32_t)wide;
    for (; len > 0; p++, len--) {
        crc = _mm_crc32_u8(crc, *p);
    }
    return crc;
}
#endif

uint32_t mm_crc32c_portable(uint32_t crc, const void *data, size_t len)
{
    return ~by_table(~crc, data, len);
}

MM_HOT uint32_t mm_crc32c(uint32_t crc, const void *data, size_t len)
{
#if defined(__x86_64__)
    if (__builtin_cpu_supports("sse4.2")) {
        return ~by_instruction(~crc, data, len);
    }
#endif
    return mm_crc32c_portable(crc, data, len);
}
