/* OpenSSL's, which libmongoc brings along anyway. Any thread. */
#include "base/sha256.h"

#include <openssl/evp.h>

bool mm_sha256_hex(char hex[MM_SHA256_HEX + 1], const void *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    unsigned char digest[MM_SHA256_HEX / 2];
    unsigned n = 0;

    hex[0] = '\0';
    if (EVP_Digest(data, len, digest, &n, EVP_sha256(), NULL) != 1 || n != sizeof(digest)) {
        return false;
    }
    for (unsigned i = 0; i < n; i++) {
        hex[2 * i] = digits[digest[i] >> 4];
        hex[2 * i + 1] = digits[digest[i] & 15];
    }
    hex[MM_SHA256_HEX] = '\0';
    return true;
}
