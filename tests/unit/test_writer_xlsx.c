/* The writer of XLSX: that nothing is sent before all is there, its limits, and a disk that is full. What is in the
 * file is read back in tests/httpd/test_xlsx.py. */
#include "unit.h"

#include <dirent.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "report/writer.h"

typedef struct kept {
    FILE *file; /* where it goes; NULL: nowhere */
    char first[4];
    size_t len;
    int fails;
    int leaves_at; /* the question whether somebody still waits, from 1; 0: stays */
} kept_t;

static apr_status_t keep(void *baton, const char *data, size_t len)
{
    kept_t *kept = baton;

    if (len == 0) {
        return --kept->leaves_at ? APR_SUCCESS : APR_ECONNABORTED;
    }
    if (kept->len == 0) {
        memcpy(kept->first, data, 4);
    }
    kept->len += len;
    if (kept->file) {
        assert_int_equal(fwrite(data, 1, len, kept->file), len);
    }
    return kept->fails ? APR_ECONNABORTED : APR_SUCCESS;
}

static const mm_column_t columns[] = {{"resource_id", MM_CELL_TEXT, NULL, NULL},
                                      {"views", MM_CELL_INT, NULL, NULL},
                                      {"downloads", MM_CELL_INT, NULL, NULL},
                                      {"last", MM_CELL_TIME, NULL, NULL},
                                      {"parent_id", MM_CELL_TEXTS, "parents", "id"}};
static const mm_envelope_t envelope = {.columns = columns, .n_columns = 5, .limit = -1};
static const mm_tail_t tail = {-1};

/* Writes n rows with an id of 1000 bytes, a batch of 100 at a time. */
static apr_status_t write_rows(mm_writer_t *writer, int n, const kept_t *kept, mm_err_t *err)
{
    static const char *const parents[] = {"c1", "c\xFF"};
    char id[1001];
    apr_status_t rv = writer->ops->begin(writer, &envelope, err);

    memset(id, 'x', 1000);
    id[1000] = '\0';
    for (int i = 0; i < n && rv == APR_SUCCESS; i++) {
        id[0] = (char)('a' + i % 2);
        const mm_cell_t cells[] = {{.text = id},
                                   {.number = i},
                                   {.number = MM_CELL_NONE},
                                   {.number = i % 2 ? MM_TIME_NONE : -INT64_C(3000000000000)},
                                   {.pieces = {parents, 2}}};
        rv = writer->ops->row(writer, cells, err);
        rv = rv == APR_SUCCESS && i % 100 == 99 ? writer->ops->flush(writer, err) : rv;
    }
    assert_int_equal(kept->len, 0);
    return rv == APR_SUCCESS ? writer->ops->end(writer, &tail, err) : rv;
}

static int entries(const char *path)
{
    DIR *dir = opendir(path);
    int n = 0;

    assert_non_null(dir);
    while (readdir(dir)) {
        n++;
    }
    closedir(dir);
    return n - 2;
}

static apr_status_t make(unit_t *unit, int rows, int64_t per_sheet, int64_t max, kept_t *kept, mm_err_t *err)
{
    const mm_temp_t temp = {unit->dir, max};
    apr_pool_t *pool;

    int files = entries("/proc/self/fd");

    *err = (mm_err_t){0};
    assert_int_equal(apr_pool_create(&pool, unit->pool), APR_SUCCESS);
    apr_status_t rv = write_rows(mm_writer_xlsx(keep, kept, &temp, per_sheet, pool), rows, kept, err);
    apr_pool_destroy(pool);
    assert_int_equal(entries(unit->dir), 0);
    assert_int_equal(entries("/proc/self/fd"), files);
    assert_true((rv == APR_SUCCESS) == (err->text[0] == '\0'));
    return rv;
}

static void test_whole(void **state)
{
    kept_t none = {.len = 0}, some = {.len = 0}, sheets = {.len = 0};
    mm_err_t err;

    assert_int_equal(make(*state, 0, 0, 0, &none, &err), APR_SUCCESS);
    assert_memory_equal(none.first, "PK\3\4", 4);
    assert_int_equal(make(*state, 1000, 0, 0, &some, &err), APR_SUCCESS);
    assert_true(some.len > none.len);
    assert_int_equal(make(*state, 1000, 300, 0, &sheets, &err), APR_SUCCESS);
    assert_true(sheets.len > some.len);
}

/* What Python's zipfile finds: of each sheet its name, and how many rows it holds. */
static const char *sheets_of(unit_t *unit, int rows, int64_t per_sheet)
{
    static const char script[] = "import re, sys, zipfile\n"
                                 "book = zipfile.ZipFile(sys.argv[1])\n"
                                 "names = re.findall(r'<sheet name=\"(.*?)\"', book.read('xl/workbook.xml').decode())\n"
                                 "for n, name in enumerate(names, 1):\n"
                                 "    sheet = book.read(f'xl/worksheets/sheet{n}.xml').decode()\n"
                                 "    filters = re.findall(r'<autoFilter ref=\"(.*?)\"', sheet)\n"
                                 "    frozen = 'frozen' if 'state=\"frozen\"' in sheet else ''\n"
                                 "    print(name, sheet.count('<row '), *filters, frozen, end=';')\n";
    const char *path = apr_pstrcat(unit->pool, unit->dir, ".xlsx", NULL);
    kept_t kept = {.file = fopen(path, "w")};
    char *said = apr_pcalloc(unit->pool, 1000);
    mm_err_t err;

    assert_non_null(kept.file);
    assert_int_equal(make(unit, rows, per_sheet, 0, &kept, &err), APR_SUCCESS);
    fclose(kept.file);
    FILE *python = popen(apr_psprintf(unit->pool, "python3 - %s <<'END'\n%sEND\n", path, script), "r");
    assert_non_null(python);
    fread(said, 1, 999, python);
    assert_int_equal(pclose(python), 0);
    unlink(path);
    return said;
}

/* Each sheet has the header, the filter and the pane; a sheet that is full is not followed by an empty one. */
static void test_sheets(void **state)
{
    assert_string_equal(sheets_of(*state, 10, 10), "Data 11 A1:E11 frozen;Charts 11 ;About 11 ;");
    assert_string_equal(sheets_of(*state, 11, 10), "Data 11 A1:E11 frozen;Data 2 2 A1:E2 frozen;Charts 12 ;About 11 ;");
    assert_string_equal(sheets_of(*state, 23, 10),
                        "Data 11 A1:E11 frozen;Data 2 11 A1:E11 frozen;Data 3 4 A1:E4 frozen;Charts 22 ;About 11 ;");
}

static void test_too_large(void **state)
{
    kept_t kept = {.len = 0};
    mm_err_t err;

    assert_int_equal(make(*state, 3000, 0, 1 << 20, &kept, &err), MM_WRITER_TOO_LARGE);
    assert_non_null(strstr(err.text, "MetricsReportTemp"));
    assert_int_equal(make(*state, 3000, 500, 1 << 20, &kept, &err), MM_WRITER_TOO_LARGE);
    assert_int_equal(kept.len, 0);
    assert_int_equal(make(*state, 800, 0, 1 << 20, &kept, &err), APR_SUCCESS);
}

/* A file that must not grow further fails as one on a full disk does. */
static void test_no_room(void **state)
{
    struct rlimit before, small;
    kept_t kept = {.len = 0};
    mm_err_t err;

    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 100000;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    apr_status_t large = make(*state, 1000, 0, 0, &kept, &err);
    apr_status_t at_the_end = make(*state, 99, 0, 0, &kept, &err);
    small.rlim_cur = 1000;
    setrlimit(RLIMIT_FSIZE, &small);
    apr_status_t packing = make(*state, 1, 0, 0, &kept, &err);
    setrlimit(RLIMIT_FSIZE, &before);
    assert_int_equal(large, MM_WRITER_NO_ROOM);
    assert_int_equal(at_the_end, MM_WRITER_NO_ROOM);
    assert_int_equal(packing, MM_WRITER_NO_ROOM);
    assert_int_equal(kept.len, 0);
    signal(SIGXFSZ, SIG_DFL);
}

/* A directory where the packed file should be. */
static void test_packing_fails(void **state)
{
    unit_t *unit = *state;
    const mm_temp_t temp = {unit->dir, 0};
    int files = entries("/proc/self/fd");
    kept_t kept = {.len = 0};
    const struct dirent *entry;
    const char *blocked = NULL;
    apr_pool_t *pool;
    mm_err_t err = {0};

    assert_int_equal(apr_pool_create(&pool, unit->pool), APR_SUCCESS);
    mm_writer_t *writer = mm_writer_xlsx(keep, &kept, &temp, 0, pool);
    assert_int_equal(writer->ops->begin(writer, &envelope, &err), APR_SUCCESS);
    DIR *dir = opendir(unit->dir);
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] != '.') {
            blocked = apr_psprintf(unit->pool, "%s/%s/report.xlsx", unit->dir, entry->d_name);
        }
    }
    closedir(dir);
    assert_int_equal(mkdir(blocked, 0700), 0);
    assert_int_equal(writer->ops->end(writer, &tail, &err), MM_WRITER_NO_ROOM);
    assert_int_equal(entries("/proc/self/fd"), files);
    assert_int_equal(rmdir(blocked), 0);
    apr_pool_destroy(pool);
    assert_int_equal(entries(unit->dir), 0);
}

static void test_sink_fails(void **state)
{
    kept_t kept = {.fails = 1};
    mm_err_t err;

    assert_int_equal(make(*state, 1000, 0, 0, &kept, &err), APR_ECONNABORTED);
    assert_non_null(strstr(err.text, "could not be sent"));
}

/* Somebody who leaves early is not waited for: no row is written behind that, and nothing is packed. */
static void test_nobody_waits(void **state)
{
    kept_t kept = {.leaves_at = 2};
    mm_err_t err;

    assert_int_equal(make(*state, 1000, 0, 0, &kept, &err), APR_ECONNABORTED);
    assert_non_null(strstr(err.text, "nobody waits"));
    assert_int_equal(kept.leaves_at, 0);
    assert_int_equal(kept.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_whole, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_sheets, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_too_large, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_no_room, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_packing_fails, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_nobody_waits, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_sink_fails, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
