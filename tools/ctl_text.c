/* What goes to a terminal or into a log, made harmless: ids, users and what a database says are anybody's bytes, and
 * may hold line ends that would forge a message, or sequences that a terminal obeys. No state.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "base/text.h"
#include "ctl.h"

/* Of four digits, the longest that one byte becomes: \x1b. */
#define ESCAPED_MAX 4
/* A message of mm_log's, or an error's sentence with words around it. A longer one is cut. */
#define TEXT_MAX 1100

/* How many bytes at text are one character that may be shown as it is; 0 when the first may not. */
static size_t harmless(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;

    if (at[0] < 0x80) {
        return at[0] >= 0x20 && at[0] != 0x7f && at[0] != '\\' ? 1 : 0;
    }
    if (at[0] == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0) {
        return 0; /* U+0080 to U+009F: to some terminals the same as ESC and a letter */
    }
    for (size_t n = 2; n <= 4 && at[n - 1] != '\0'; n++) {
        if (mm_text_is_utf8(text, n)) {
            return n;
        }
    }
    return 0;
}

void ctl_escape(char *to, size_t room, const char *text)
{
    size_t n;

    for (; *text != '\0'; text += n > 0 ? n : 1) {
        char escaped[ESCAPED_MAX + 1];
        const char *from = text;
        size_t len = n = harmless(text);

        if (n == 0) {
            len = (size_t)(*text == '\\' ? snprintf(escaped, sizeof(escaped), "\\\\")
                                         : snprintf(escaped, sizeof(escaped), "\\x%02x", (unsigned char)*text));
            from = escaped;
        }
        if (len >= room) {
            break;
        }
        memcpy(to, from, len);
        to += len;
        room -= len;
    }
    *to = '\0';
}

/* One line, in one piece, and what stands behind it. */
__attribute__((format(printf, 1, 0))) static void print(const char *format, va_list args, const char *after)
{
    char text[TEXT_MAX], line[TEXT_MAX * ESCAPED_MAX];

    if (vsnprintf(text, sizeof(text), format, args) < 0) {
        text[0] = '\0';
    }
    ctl_escape(line, sizeof(line), text);
    fprintf(stderr, "metricsctl: %s\n%s", line, after);
}

static void log_write(void *baton, mm_log_level_t level, const char *tag, const char *text)
{
    static const char *const names[] = {
        [MM_LOG_ERROR] = "error", [MM_LOG_WARNING] = "warning", [MM_LOG_NOTICE] = "notice",
        [MM_LOG_INFO] = "info",   [MM_LOG_DEBUG] = "debug",
    };
    const mm_log_level_t *least = baton;
    char line[TEXT_MAX * ESCAPED_MAX];

    if (level <= *least) {
        ctl_escape(line, sizeof(line), text);
        fprintf(stderr, "metricsctl: %s: %s: %s\n", names[level], tag, line);
    }
}

mm_log_t ctl_log(const mm_log_level_t *least)
{
    return (mm_log_t){.write = log_write, .baton = (void *)least};
}

int ctl_misuse(const char *command, const char *format, ...)
{
    char hint[64];
    va_list args;

    snprintf(hint, sizeof(hint), "Try: metricsctl help%s%s\n", command != NULL ? " " : "",
             command != NULL ? command : "");
    va_start(args, format);
    print(format, args, hint);
    va_end(args);
    return CTL_USAGE;
}

int ctl_failed(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print(format, args, "");
    va_end(args);
    return CTL_FAILED;
}
