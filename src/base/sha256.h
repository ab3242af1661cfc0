/* SHA-256 (FIPS 180-4) of what must not be written down: session cookies, keys. */
#ifndef MM_SHA256_H
#define MM_SHA256_H

#include <stdbool.h>
#include <stddef.h>

/* Lower-case hexadecimal digits, without the zero behind them. */
#define MM_SHA256_HEX 64

/* Writes them, and a zero. False, and an empty text, only where the library of cryptography fails. */
bool mm_sha256_hex(char hex[MM_SHA256_HEX + 1], const void *data, size_t len);

#endif
