/* Writes a made-up report of ROWS rows with one of our writers, without a database and without httpd:
 *
 *     write_report FORMAT ROWS ROWS_OF_A_SHEET DIRECTORY > FILE
 *
 * FORMAT is csv or xlsx; ROWS_OF_A_SHEET 0 is what the format allows; DIRECTORY is where the spreadsheet is built. On
 * standard error: seconds of the processor, and the most memory in KiB. `make bench-spreadsheet`
 * and tests/httpd/libreoffice.py use it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <apr_general.h>
#include <apr_strings.h>

#include "report/writer.h"

#define BATCH 500

static apr_status_t to_stdout(void *baton, const char *data, size_t len)
{
    (void)baton;
    return fwrite(data, 1, len, stdout) == len ? APR_SUCCESS : errno;
}

static const mm_column_t columns[] = {{"resource_id", MM_CELL_TEXT, NULL, NULL},
                                      {"resource_name", MM_CELL_TEXT, NULL, NULL},
                                      {"views", MM_CELL_INT, NULL, NULL},
                                      {"downloads", MM_CELL_INT, NULL, NULL},
                                      {"last_viewed", MM_CELL_TIME, NULL, NULL},
                                      {"last_downloaded", MM_CELL_TIME, NULL, NULL},
                                      {"parent_type", MM_CELL_TEXTS, "parents", "type"},
                                      {"parent_id", MM_CELL_TEXTS, "parents", "id"},
                                      {"parent_name", MM_CELL_TEXTS, "parents", "name"}};
#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

/* Row i: as many views as rows behind it, and a date of its own. */
static apr_status_t write_row(mm_writer_t *writer, int64_t i, int64_t rows, mm_err_t *err)
{
    static const char *const type[] = {"datasets"}, *const parent[] = {"d1"};
    const int64_t ms = INT64_C(1700000000000) + i * 1000;
    char id[32], name[64], series[32];
    const char *const of[] = {series};

    snprintf(id, sizeof(id), "%024llx", (unsigned long long)i);
    snprintf(name, sizeof(name), "measurement %lld, <raw> & \"as is\"", (long long)i);
    snprintf(series, sizeof(series), "Series %lld", (long long)i / 50);
    const mm_cell_t cells[COLUMNS] = {
        {.text = id},          {.text = name},          {.number = rows - i},
        {.number = i % 7},     {.number = ms},          {.number = i % 7 ? ms - 86400000 : MM_TIME_NONE},
        {.pieces = {type, 1}}, {.pieces = {parent, 1}}, {.pieces = {of, 1}}};
    return writer->ops->row(writer, cells, err);
}

static apr_status_t write_report(mm_writer_t *writer, int64_t rows, mm_err_t *err)
{
    const mm_envelope_t envelope = {.generated_ms = INT64_C(1700000000000),
                                    .since_ms = MM_TIME_NONE,
                                    .until_ms = MM_TIME_NONE,
                                    .limit = -1,
                                    .columns = columns,
                                    .n_columns = COLUMNS};
    const mm_tail_t tail = {-1};
    apr_status_t rv = writer->ops->begin(writer, &envelope, err);

    for (int64_t i = 0; i < rows && rv == APR_SUCCESS; i++) {
        rv = write_row(writer, i, rows, err);
        rv = rv == APR_SUCCESS && i % BATCH == BATCH - 1 ? writer->ops->flush(writer, err) : rv;
    }
    return rv == APR_SUCCESS ? writer->ops->end(writer, &tail, err) : rv;
}

int main(int argc, char **argv)
{
    apr_pool_t *pool = NULL;
    struct rusage used;
    mm_err_t err = {0};

    if (argc != 5 || apr_initialize() != APR_SUCCESS || apr_pool_create(&pool, NULL) != APR_SUCCESS) {
        fprintf(stderr, "usage: write_report csv|xlsx ROWS ROWS_OF_A_SHEET DIRECTORY > FILE\n");
        return 2;
    }
    const mm_temp_t temp = {argv[4], 0};
    mm_writer_t *writer = strcmp(argv[1], "xlsx") == 0 ? mm_writer_xlsx(to_stdout, NULL, &temp, atoll(argv[3]), pool)
                                                       : mm_writer_csv(to_stdout, NULL, ',', 0, 0, pool);
    apr_status_t rv = write_report(writer, atoll(argv[2]), &err);
    if (rv != APR_SUCCESS || fflush(stdout) != 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    apr_pool_destroy(pool);
    getrusage(RUSAGE_SELF, &used);
    fprintf(stderr, "%.2f %ld\n",
            (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6,
            used.ru_maxrss);
    return 0;
}
