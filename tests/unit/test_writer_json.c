/* The writer of JSON and of NDJSON, to the byte; and that what breaks off is no JSON. */
#include "unit_sink.h"

#include <bson/bson.h>
#include "report/writer.h"

static const mm_column_t columns[] = {{"id", MM_CELL_TEXT, NULL, NULL},
                                      {"views", MM_CELL_INT, NULL, NULL},
                                      {"last", MM_CELL_TIME, NULL, NULL},
                                      {"parent_type", MM_CELL_TEXTS, "parents", "type"},
                                      {"parent_id", MM_CELL_TEXTS, "parents", "id"},
                                      {"tags", MM_CELL_TEXTS, NULL, NULL}};

static void write_row(mm_writer_t *writer, int full)
{
    static const char *const types[] = {"collections", "spaces"}, *const ids[] = {"c\"1", "s\xFF"},
                             *const tags[] = {"a", ""};
    const mm_cell_t all[] = {{.text = "d1"},         {.number = 3},        {.number = 1999},
                             {.pieces = {types, 2}}, {.pieces = {ids, 2}}, {.pieces = {tags, 2}}};
    const mm_cell_t none[] = {{.text = NULL},        {.number = MM_CELL_NONE}, {.number = MM_TIME_NONE},
                              {.pieces = {NULL, 0}}, {.pieces = {NULL, 0}},    {.pieces = {NULL, 0}}};
    mm_err_t err;

    assert_int_equal(writer->ops->row(writer, full ? all : none, &err), APR_SUCCESS);
}

static bool is_json(const char *text)
{
    bson_t *document = bson_new_from_json((const uint8_t *)text, -1, NULL);

    bson_destroy(document);
    return document != NULL;
}

static const char *write_report(unit_t *unit, int lines, mm_envelope_t *envelope, int rows, int64_t next)
{
    kept_t *kept = apr_pcalloc(unit->pool, sizeof(*kept));
    mm_writer_t *writer = mm_writer_json(keep, kept, lines, unit->pool);
    mm_tail_t tail = {next};
    mm_err_t err;

    envelope->columns = columns;
    envelope->n_columns = sizeof(columns) / sizeof(columns[0]);
    assert_int_equal(writer->ops->begin(writer, envelope, &err), APR_SUCCESS);
    for (int i = 0; i < rows; i++) {
        write_row(writer, i == 0);
        assert_int_equal(writer->ops->flush(writer, &err), APR_SUCCESS);
        assert_true(lines || !is_json(kept->data));
    }
    assert_int_equal(writer->ops->end(writer, &tail, &err), APR_SUCCESS);
    return kept->data;
}

#define COLUMNS                                                                                                        \
    "\"columns\":[{\"name\":\"id\",\"kind\":\"text\"},{\"name\":\"views\",\"kind\":\"integer\"},"                      \
    "{\"name\":\"last\",\"kind\":\"time\"},{\"name\":\"parents\",\"kind\":\"list\"},"                                  \
    "{\"name\":\"tags\",\"kind\":\"list\"}]"
#define ROW_1                                                                                                          \
    "{\"id\":\"d1\",\"views\":3,\"last\":\"1970-01-01T00:00:01Z\",\"parents\":"                                        \
    "[{\"type\":\"collections\",\"id\":\"c\\\"1\"},{\"type\":\"spaces\",\"id\":\"s%FF\"}],\"tags\":[\"a\",null]}"
#define ROW_2 "{\"id\":null,\"views\":null,\"last\":null,\"parents\":[],\"tags\":[]}"

static void test_document(void **state)
{
    mm_envelope_t envelope = {.limit = -1, .since_ms = MM_TIME_NONE, .until_ms = MM_TIME_NONE};

    assert_string_equal(
        write_report(*state, 0, &envelope, 2, -1),
        "{\"generated\":\"1970-01-01T00:00:00Z\",\n\"parameters\":{\"limit\":null,\"offset\":0},\n" COLUMNS
        ",\n\"rows\":[\n" ROW_1 ",\n" ROW_2 "\n]}\n");
    assert_string_equal(
        write_report(*state, 0, &envelope, 0, -1),
        "{\"generated\":\"1970-01-01T00:00:00Z\",\n\"parameters\":{\"limit\":null,\"offset\":0},\n" COLUMNS
        ",\n\"rows\":[]}\n");
}

static void test_lines(void **state)
{
    mm_envelope_t envelope = {.limit = -1};

    assert_string_equal(write_report(*state, 1, &envelope, 2, 5), ROW_1 "\n" ROW_2 "\n");
    assert_string_equal(write_report(*state, 1, &envelope, 0, -1), "");
}

static void test_period_parameters_and_next(void **state)
{
    unit_t *unit = *state;
    apr_array_header_t *given = apr_array_make(unit->pool, 4, sizeof(mm_given_t));
    mm_envelope_t envelope = {.limit = 2, .offset = 4, .since_ms = 0, .until_ms = MM_TIME_NONE, .given = given};

    APR_ARRAY_PUSH(given, mm_given_t) = (mm_given_t){"offset", "4"};
    APR_ARRAY_PUSH(given, mm_given_t) = (mm_given_t){"user", "a&b =\"\xC3\xBC\xFF"};
    APR_ARRAY_PUSH(given, mm_given_t) = (mm_given_t){"limit", "2"};
    const char *report = write_report(unit, 0, &envelope, 1, 6);
    assert_non_null(strstr(report, ",\n\"period\":{\"since\":\"1970-01-01T00:00:00Z\",\"until\":null},\n"));
    assert_non_null(strstr(report, "\"parameters\":{\"limit\":2,\"offset\":4,\"user\":\"a&b =\\\"\xC3\xBC%FF\"},\n"));
    assert_non_null(strstr(report, "\n],\n\"next\":\"?user=a%26b%20%3D%22%C3%BC%FF&limit=2&offset=6\"}\n"));
    assert_true(is_json(report));
}

static void test_sink_fails(void **state)
{
    unit_t *unit = *state;
    kept_t kept = {.status = APR_ECONNABORTED};
    mm_envelope_t envelope = {.columns = columns, .n_columns = 1};
    mm_writer_t *writer = mm_writer_json(keep, &kept, 0, unit->pool);
    mm_err_t err = {0};

    assert_int_equal(writer->ops->begin(writer, &envelope, &err), APR_SUCCESS);
    assert_int_equal(writer->ops->flush(writer, &err), APR_ECONNABORTED);
    assert_non_null(strstr(err.text, "could not be sent"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_document, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_lines, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_period_parameters_and_next, unit_setup, unit_teardown),
        cmocka_unit_test_setup_teardown(test_sink_fails, unit_setup, unit_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
