/* mod_metrics-PID-XXXXXX: the pid says whose it is, so that the next report can tell what a killed child left behind.
 * There are only plain files in it. */
#include "report/temp.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <apr_file_io.h>
#include <apr_strings.h>

#define NAME "mod_metrics-"

static void remove_dir(const char *path, apr_pool_t *pool)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            unlink(apr_pstrcat(pool, path, "/", entry->d_name, NULL));
        }
    }
    if (dir) {
        closedir(dir);
    }
    rmdir(path);
}

typedef struct made {
    const char *path;
    apr_pool_t *pool;
} made_t;

static apr_status_t remove_made(void *data)
{
    const made_t *made = data;

    remove_dir(made->path, made->pool);
    return APR_SUCCESS;
}

/* Ours by its owner too: in the system's directory anybody can make one of such a name. */
static bool is_left_behind(const char *path, const char *name)
{
    struct stat info;
    char *end;
    long pid = strtol(name + sizeof(NAME) - 1, &end, 10);

    return pid > 0 && *end == '-' && kill((pid_t)pid, 0) != 0 && errno == ESRCH && lstat(path, &info) == 0 &&
           S_ISDIR(info.st_mode) && info.st_uid == geteuid();
}

static void sweep(const char *parent, apr_pool_t *pool)
{
    DIR *dir = opendir(parent);
    const struct dirent *entry;

    while (dir && (entry = readdir(dir))) {
        if (strncmp(entry->d_name, NAME, sizeof(NAME) - 1) == 0) {
            const char *path = apr_pstrcat(pool, parent, "/", entry->d_name, NULL);
            if (is_left_behind(path, entry->d_name)) {
                remove_dir(path, pool);
            }
        }
    }
    if (dir) {
        closedir(dir);
    }
}

apr_status_t mm_temp_make(const char **path, const mm_temp_t *temp, apr_pool_t *pool, mm_err_t *err)
{
    const char *parent = temp->dir;
    made_t *made = apr_pcalloc(pool, sizeof(*made));

    if (!parent && apr_temp_dir_get(&parent, pool) != APR_SUCCESS) {
        return mm_err_set(err, APR_ENOENT, "there is no directory for temporary files; MetricsReportTemp can name one");
    }
    sweep(parent, pool);
    char *name = apr_psprintf(pool, "%s/" NAME "%ld-XXXXXX", parent, (long)getpid());
    if (!mkdtemp(name)) {
        return mm_err_set_os(err, errno, "no directory for temporary files can be made in %s", parent);
    }
    made->path = name;
    made->pool = pool;
    apr_pool_cleanup_register(pool, made, remove_made, apr_pool_cleanup_null);
    *path = name;
    return APR_SUCCESS;
}

int64_t mm_temp_room(const char *path)
{
    struct statvfs info;

    return statvfs(path, &info) == 0 ? (int64_t)info.f_bavail * (int64_t)info.f_frsize : INT64_MAX;
}
