/* What a harvester of COUNTER reports asks for, and what is said to it besides the report: the SUSHI interface of the
 * Code of Practice for Research Data. It is another dialect than that of the other reports (route.h): other names of
 * parameters, and one that is not known is no mistake but a warning. Paths are outside bytes; no httpd here.
 *
 *   path                      parameters
 *   /counter/status           none
 *   /counter/reports          none
 *   /counter/reports/dsr      begin_date, end_date, and granularity, access_method, metric_type, dataset_id, format
 *
 * The id of a report is taken in upper case as well.
 */
#ifndef MM_SUSHI_H
#define MM_SUSHI_H

#include <stdbool.h>
#include <apr_pools.h>
#include <apr_tables.h>
#include "route/route.h"

/* The numbers of the Code of Practice, Appendix B; what they are called is in the table of sushi.c. */
typedef enum mm_sushi_code {
    MM_SUSHI_NOT_AVAILABLE = 1000,
    MM_SUSHI_BUSY = 1010,
    MM_SUSHI_NOT_AUTHORIZED = 2000,
    MM_SUSHI_NO_SUCH_REPORT = 3000,
    MM_SUSHI_BAD_DATES = 3020,
    MM_SUSHI_NO_USAGE = 3030,
    MM_SUSHI_NOT_READY = 3031,
    MM_SUSHI_PARTIAL = 3040,
    MM_SUSHI_UNKNOWN_PARAMETER = 3050,
    MM_SUSHI_BAD_FILTER = 3060,
    MM_SUSHI_BAD_ATTRIBUTE = 3062,
    MM_SUSHI_FILTER_MISSING = 3070
} mm_sushi_code_t;

typedef struct mm_sushi_exception {
    int code;
    const char *severity, *message; /* as the Code of Practice has them */
    const char *data;               /* a sentence on this case */
} mm_sushi_exception_t;

typedef enum mm_sushi_endpoint { MM_SUSHI_STATUS, MM_SUSHI_REPORTS, MM_SUSHI_DSR } mm_sushi_endpoint_t;

/* Whose uses, and which of them: bits of a set. */
enum { MM_SUSHI_REGULAR = 1 << 0, MM_SUSHI_MACHINE = 1 << 1, MM_SUSHI_METHODS = 3 };
enum {
    MM_SUSHI_TOTAL_INVESTIGATIONS = 1 << 0,
    MM_SUSHI_TOTAL_REQUESTS = 1 << 1,
    MM_SUSHI_UNIQUE_INVESTIGATIONS = 1 << 2,
    MM_SUSHI_UNIQUE_REQUESTS = 1 << 3,
    MM_SUSHI_METRICS = 15
};
#define MM_SUSHI_N_METHODS 2
#define MM_SUSHI_N_METRICS 4

/* What bit i of them is called in a report. */
const char *mm_sushi_method_name(size_t i); /* Regular */
const char *mm_sushi_metric_name(size_t i); /* Total_Dataset_Investigations */

typedef struct mm_sushi {
    mm_sushi_endpoint_t endpoint;
    int64_t begin_ms, end_ms; /* whole days of one month, in UTC; end is behind the last */
    unsigned methods, metrics;
    const char *const *dataset_ids; /* any of these n_dataset_ids; NULL: all */
    size_t n_dataset_ids;
    mm_format_t format;                       /* what the parameter asks for */
    apr_array_header_t *filters, *attributes; /* of mm_given_t: those that were given and taken */
    apr_array_header_t *exceptions;           /* of mm_sushi_exception_t */
} mm_sushi_t;

/* Whether a path below the handler's Location speaks this dialect. */
bool mm_sushi_is_path(const char *path);

/* args is the raw query string, or NULL. 0: sushi is what is asked for, and its exceptions are warnings; otherwise the
 * HTTP status (400, 404, 406), and the last of exceptions says why. now_ms is what makes a month one that is not over.
 * Strings are pool's. What exceptions repeat of the request is short and printable ASCII. */
int mm_sushi_parse(mm_sushi_t *sushi, const char *path, const char *args, int64_t now_ms, apr_pool_t *pool);

/* Appends an exception; data must live as long. */
void mm_sushi_add(apr_array_header_t *exceptions, mm_sushi_code_t code, const char *data);

/* The number of the Code of Practice for an HTTP status of ours. */
mm_sushi_code_t mm_sushi_code_of(int status);

#endif
