/* CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), the check sum of RFC 3720 appendix B.4. */
#ifndef MM_CRC32C_H
#define MM_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The check sum of data, continuing from crc (0 at the beginning). */
uint32_t mm_crc32c(uint32_t crc, const void *data, size_t len);

/* The same without any instruction of a particular processor; what mm_crc32c falls back to. */
uint32_t mm_crc32c_portable(uint32_t crc, const void *data, size_t len);

#endif
