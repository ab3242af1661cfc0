/* The bridge that a message crosses: formatted here, on the stack of the thread that logs, and handed over. Holds no
 * state; any thread.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

/* An error's sentence (MM_ERR_TEXT_MAX) with words around it; a longer message is cut. */
#define LOG_TEXT_MAX 1024

void mm_log(const mm_log_t *log, mm_log_level_t level, const char *tag, const char *format, ...)
{
    char text[LOG_TEXT_MAX];
    va_list args;
    int len;

    if (log == NULL || log->write == NULL) {
        return;
    }
    va_start(args, format);
    len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    log->write(log->baton, level, tag, len < 0 ? format : text);
}
