/* Logging across the border between the rooms that know no httpd and whoever runs them: httpd's error log, or stderr
 * of metricsctl. Each message has a stable tag (MM0012) that the docs list; tags are unique in the source.
 */
#ifndef MM_LOG_H
#define MM_LOG_H

typedef enum mm_log_level { MM_LOG_ERROR, MM_LOG_WARNING, MM_LOG_NOTICE, MM_LOG_INFO, MM_LOG_DEBUG } mm_log_level_t;

typedef struct mm_log {
    /* Must not keep text. Called on the thread that logs. */
    void (*write)(void *baton, mm_log_level_t level, const char *tag, const char *text);
    void *baton;
} mm_log_t;

/* log may be NULL: then nothing is written. */
void mm_log(const mm_log_t *log, mm_log_level_t level, const char *tag, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
