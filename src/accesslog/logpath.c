/* What ap_process_request_internal of httpd 2.4 does to r->parsed_uri.path, step by step: letters, digits and -._~ are
 * decoded and the result is freed of "//", "/./" and "/../" (ap_normalize_path), then the rest is decoded
 * (ap_unescape_url), and if that made new slashes it is cleaned again. So "/%2e%2e/" is a step up and "/a%252e" is
 * not.
 *
 * tests/httpd/test_import.py holds it against httpd itself. No state; any thread.
 */
#include "accesslog/logpath.h"

#include <string.h>

static int hex(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that %XX at `at` stands for, or -1. */
static int escaped(const char *path, size_t len, size_t at)
{
    int high, low;

    if (len - at < 3) {
        return -1;
    }
    high = hex(path[at + 1]);
    low = hex(path[at + 2]);
    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static bool is_unreserved(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("-._~", c) != NULL);
}

/* Decodes what needs no escape (unreserved), or everything else. */
static bool decode(char *path, size_t *len, bool unreserved, mm_slashes_t slashes)
{
    size_t to = 0;

    for (size_t from = 0; from < *len; from++) {
        int c = (unsigned char)path[from];

        if (c == '%') {
            c = escaped(path, *len, from);
            if (c <= 0) {
                return false;
            }
            if (unreserved ? !is_unreserved(c) : c == '/' && slashes == MM_SLASHES_KEEP) {
                memmove(path + to, path + from, 3);
                to += 3;
                from += 2;
                continue;
            }
            from += 2;
        }
        path[to++] = (char)c;
    }
    *len = to;
    return true;
}

/* Whether a segment that begins at `at` is one or two dots. */
static size_t dots(const char *path, size_t len, size_t at)
{
    size_t n = at < len && path[at] == '.' ? at + 1 < len && path[at + 1] == '.' ? 2 : 1 : 0;

    return n > 0 && (at + n == len || path[at + n] == '/') ? n : 0;
}

/* The length of a path, that ends with a slash, without its last segment. */
static size_t parent(const char *path, size_t len)
{
    while (len > 1 && path[--len - 1] != '/') {
    }
    return len;
}

static void clean(char *path, size_t *len)
{
    size_t to = 1, from = 1;

    while (from < *len) {
        size_t n = path[to - 1] == '/' ? dots(path, *len, from) : 0;

        if (path[to - 1] == '/' && path[from] == '/') {
            from++;
        }
        else if (n > 0) {
            to = n == 2 ? parent(path, to) : to;
            from += n + (from + n < *len ? 1 : 0);
        }
        else {
            path[to++] = path[from++];
        }
    }
    *len = to;
}

bool mm_logpath_is_clean(const char *path, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (path[i] == '%' || (path[i] == '/' && i + 1 < len && (path[i + 1] == '/' || path[i + 1] == '.'))) {
            return false;
        }
    }
    return true;
}

bool mm_logpath_clean(char *path, size_t *len, mm_slashes_t slashes)
{
    if (*len == 0 || path[0] != '/' || !decode(path, len, true, slashes)) {
        return false;
    }
    clean(path, len);
    if (!decode(path, len, false, slashes)) {
        return false;
    }
    if (slashes == MM_SLASHES_DECODE) {
        clean(path, len);
    }
    return true;
}
