/*
 * From a JSON object to a record in normal form, with all errors of its fields at once.
 */
#include "internal.h"

#include "vinculo/json.h"
#include "vinculo/timestamp.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MICROSECONDS_PER_DAY (86400 * MICROSECONDS_PER_SECOND)
/* 1900-01-01T00:00:00Z */
#define EARLIEST_US (INT64_C(-25567) * MICROSECONDS_PER_DAY)
/* The last moment of the year 9999: an offset may carry a text of four digits beyond. */
#define LATEST_US (INT64_C(2932897) * MICROSECONDS_PER_DAY - 1)

enum { UNKNOWN_NAME_MAX = 128, CHOICES_TEXT_MAX = 200 };

_Static_assert(RECORD_FIELDS_MAX <= 32, "struct record holds a bit per field");

/* One parse on its way. Texts of the record point into the JSON, the context and here, until
 * record_own_texts copies them. */
struct parse {
    struct record record;
    const struct record_context *context;
    struct problem *problem;
    const json_t *given[RECORD_FIELDS_MAX];
    size_t unknown_count;
    struct buf metadata; /* as compact JSON; a kind has one such field at most */
    const json_t *metadata_json;
    char made_id[37];
};

void record_refuse(struct record *record, struct problem *problem, size_t field,
                   enum field_err code, const char *format, ...) {
    char detail[PROBLEM_DETAIL_MAX], pointer[64];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(detail, sizeof detail, format, arguments);
    va_end(arguments);

    snprintf(pointer, sizeof pointer, "/%s", record->spec->fields[field].name);
    (void)problem_add_field(problem, pointer, code, "%s", detail);
    record->refused |= UINT32_C(1) << field;
    record->values[field].present = false;
}

bool record_is_refused(const struct record *record, size_t field) {
    return (record->refused >> field & 1) != 0;
}

bool record_is_given(const struct record *record, size_t field) {
    return record->values[field].present || record_is_refused(record, field);
}

void record_default_integer(struct record *record, size_t field, int64_t integer) {
    if (!record_is_given(record, field))
        record->values[field] = (struct value){.present = true, .integer = integer};
}

void record_default_text(struct record *record, size_t field, const char *text) {
    if (!record_is_given(record, field))
        record->values[field] =
            (struct value){.present = true, .text = text, .length = strlen(text)};
}

void record_set_server_time(struct record *record, size_t field, int64_t moment) {
    record->values[field] = (struct value){.present = true, .integer = moment};
    record->from_server |= UINT32_C(1) << field;
}

bool record_is_from_server(const struct record *record, size_t field) {
    return (record->from_server >> field & 1) != 0;
}

void record_check_not_before(struct record *record, size_t field, size_t start,
                             struct problem *problem) {
    const struct value *first = &record->values[start];
    const struct value *moment = &record->values[field];
    if (!first->present || !moment->present || moment->integer >= first->integer)
        return;
    char text[TIMESTAMP_TEXT_MAX];
    timestamp_format(first->integer, text);
    record_refuse(record, problem, field, FIELD_OUT_OF_RANGE,
                  "must not be before %s, which is %s%s", record->spec->fields[start].name, text,
                  record_is_from_server(record, start) ? ", the present, as none was sent" : "");
}

static void set_text(struct parse *parse, size_t field, const char *text, size_t length) {
    parse->record.values[field] = (struct value){.present = true, .text = text, .length = length};
}

static void set_integer(struct parse *parse, size_t field, int64_t integer) {
    parse->record.values[field] = (struct value){.present = true, .integer = integer};
}

#define REFUSE(parse, field, ...)                                                                  \
    record_refuse(&(parse)->record, (parse)->problem, field, __VA_ARGS__)

static const char *type_name(const json_t *json) {
    switch (json_typeof(json)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "an integer";
    case JSON_REAL:
        return "a number with a decimal point or exponent";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        break;
    }
    return "null";
}

/* True where the value is a string; refuses it otherwise. */
static bool expect_string(struct parse *parse, size_t field, const json_t *json, const char *what) {
    if (json_is_string(json))
        return true;
    REFUSE(parse, field, FIELD_WRONG_TYPE, "must be %s, not %s", what, type_name(json));
    return false;
}

/* True where the text has 1 to `max` code points; refuses it otherwise. */
static bool expect_length(struct parse *parse, size_t field, size_t points) {
    int64_t max = parse->record.spec->fields[field].max;
    if (points == 0)
        REFUSE(parse, field, FIELD_OUT_OF_RANGE,
               "must have 1 to %" PRId64 " characters; leave it out or send null for none", max);
    else if ((int64_t)points > max)
        REFUSE(parse, field, FIELD_TOO_LONG, "must have 1 to %" PRId64 " characters, not %zu", max,
               points);
    else
        return true;
    return false;
}

static void check_id(struct parse *parse, size_t field, const char *text, size_t length) {
    size_t points = 0;
    bool has_control = false;
    bool is_utf8 = text_measure(text, length, &points, &has_control);
    if (is_utf8 && !expect_length(parse, field, points))
        return;
    if (!record_id_is_valid(text, length))
        REFUSE(parse, field, FIELD_OUT_OF_RANGE,
               "must not be \".\" or \"..\" nor hold control characters");
    else
        set_text(parse, field, text, length);
}

static void parse_id(struct parse *parse, size_t field, const json_t *json) {
    if (expect_string(parse, field, json, "a string"))
        check_id(parse, field, json_string_value(json), json_string_length(json));
}

static void parse_text(struct parse *parse, size_t field, const json_t *json) {
    if (!expect_string(parse, field, json, "a string"))
        return;
    const char *text = json_string_value(json);
    size_t length = json_string_length(json), points = 0;
    bool has_control;
    (void)text_measure(text, length, &points, &has_control); /* jansson has checked the UTF-8 */
    if (expect_length(parse, field, points))
        set_text(parse, field, text, length);
}

static void parse_enum(struct parse *parse, size_t field, const json_t *json) {
    const char *const *choices = parse->record.spec->fields[field].choices;
    char list[CHOICES_TEXT_MAX] = "";
    size_t length = 0;
    for (size_t i = 0; choices[i] != NULL && length < sizeof list; i++)
        length += (size_t)snprintf(list + length, sizeof list - length, "%s%s",
                                   i == 0 ? "one of " : ", ", choices[i]);

    if (!expect_string(parse, field, json, list))
        return;
    for (size_t i = 0; choices[i] != NULL; i++) {
        if (strcmp(choices[i], json_string_value(json)) == 0) {
            set_text(parse, field, choices[i], strlen(choices[i]));
            return;
        }
    }
    REFUSE(parse, field, FIELD_OUT_OF_RANGE, "must be %s", list);
}

static void parse_integer(struct parse *parse, size_t field, const json_t *json) {
    if (json_is_integer(json))
        set_integer(parse, field, json_integer_value(json));
    else if (json_is_real(json))
        REFUSE(parse, field, FIELD_WRONG_TYPE,
               "must be an integer, written without decimal point and exponent: 5, not 5.0 (%s)",
               parse->record.spec->fields[field].help);
    else
        REFUSE(parse, field, FIELD_WRONG_TYPE, "must be an integer, not %s", type_name(json));
}

static void parse_boolean(struct parse *parse, size_t field, const json_t *json) {
    if (json_is_boolean(json))
        set_integer(parse, field, json_is_true(json));
    else
        REFUSE(parse, field, FIELD_WRONG_TYPE, "must be true or false, not %s", type_name(json));
}

static void parse_time(struct parse *parse, size_t field, const json_t *json) {
    if (!expect_string(parse, field, json, "a string such as \"2026-09-14T12:00:00Z\""))
        return;
    int64_t moment;
    if (!timestamp_parse(json_string_value(json), json_string_length(json), &moment)) {
        REFUSE(parse, field, FIELD_OUT_OF_RANGE,
               "must be an RFC 3339 date and time with offset, such as 2026-09-14T12:00:00Z or "
               "2026-09-14T09:00:00-03:00");
        return;
    }
    int days = parse->record.spec->fields[field].future_days;
    if (moment < EARLIEST_US)
        REFUSE(parse, field, FIELD_OUT_OF_RANGE, "must not be before 1900-01-01T00:00:00Z");
    else if (days != FIELD_ANY_FUTURE &&
             moment > parse->context->now_us + days * MICROSECONDS_PER_DAY)
        REFUSE(parse, field, FIELD_IN_FUTURE, "must be at most %d %s after the present",
               days == 1 ? 24 : days, days == 1 ? "hours" : "days");
    else if (moment > LATEST_US)
        REFUSE(parse, field, FIELD_OUT_OF_RANGE, "must not be after the year 9999");
    else
        set_integer(parse, field, moment);
}

static void parse_metadata(struct parse *parse, size_t field, const json_t *json) {
    if (!json_is_object(json)) {
        REFUSE(parse, field, FIELD_WRONG_TYPE, "must be an object, not %s", type_name(json));
        return;
    }
    if (json_depth(json, METADATA_DEPTH_MAX) > METADATA_DEPTH_MAX) {
        REFUSE(parse, field, FIELD_OUT_OF_RANGE, "must be at most %d objects and arrays deep",
               METADATA_DEPTH_MAX);
        return;
    }
    json_put_value(&parse->metadata, json);
    if (parse->metadata.length > METADATA_BYTES_MAX) {
        REFUSE(parse, field, FIELD_TOO_LONG, "must be at most %d bytes as compact JSON, not %zu",
               METADATA_BYTES_MAX, parse->metadata.length);
        return;
    }
    parse->metadata_json = json;
    set_text(parse, field, buf_text(&parse->metadata), parse->metadata.length);
}

static void parse_field(struct parse *parse, size_t field) {
    static void (*const parsers[])(struct parse *, size_t, const json_t *) = {
        [FIELD_TYPE_ID] = parse_id,           [FIELD_TYPE_LABEL] = parse_text,
        [FIELD_TYPE_TEXT] = parse_text,       [FIELD_TYPE_ENUM] = parse_enum,
        [FIELD_TYPE_INTEGER] = parse_integer, [FIELD_TYPE_BOOLEAN] = parse_boolean,
        [FIELD_TYPE_TIME] = parse_time,       [FIELD_TYPE_METADATA] = parse_metadata,
    };
    parsers[parse->record.spec->fields[field].type](parse, field, parse->given[field]);
}

bool record_is_read_only(const char *name) {
    return strcmp(name, "created_at") == 0 || strcmp(name, "updated_at") == 0;
}

static void collect_members(struct parse *parse, const json_t *json) {
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)json, name, value) {
        int field = record_field_index(parse->record.spec, name);
        if (field < 0)
            parse->unknown_count += !record_is_read_only(name);
        else if (!json_is_null(value))
            parse->given[field] = value;
    }
}

/* The id: the body's, else the caller's, else one of the server's making. */
static void settle_id(struct parse *parse) {
    const struct record_context *context = parse->context;
    struct value *id = &parse->record.values[0];
    if (parse->given[0] != NULL) {
        if (id->present && context->id_must_equal && context->default_id != NULL &&
            strcmp(id->text, context->default_id) != 0)
            REFUSE(parse, 0, FIELD_ID_MISMATCH, "must be left out or equal the id in the path");
    } else if (context->default_id != NULL) {
        check_id(parse, 0, context->default_id, strlen(context->default_id));
    } else if (!parse->record.spec->fields[0].required) {
        record_make_id(parse->made_id);
        set_text(parse, 0, parse->made_id, strlen(parse->made_id));
    } else {
        REFUSE(parse, 0, FIELD_REQUIRED, "must be given: 1 to %d characters of your own choice",
               FIELD_ID_MAX);
    }
}

static void settle_required(struct parse *parse) {
    const struct kind_spec *spec = parse->record.spec;
    enum record_source source = parse->context->source;
    bool clock_may_help = source == RECORD_POST_ONE || source == RECORD_PUBLISHABLE;
    for (size_t i = 1; i < spec->field_count; i++) {
        const struct field_spec *field = &spec->fields[i];
        if (!field->required || parse->given[i] != NULL)
            continue;
        if (clock_may_help && strcmp(field->name, spec->time_field) == 0) {
            record_set_server_time(&parse->record, i, parse->context->now_us);
        } else {
            REFUSE(parse, i, FIELD_REQUIRED, "must be given: %s", field->help);
        }
    }
}

/* After the rules between fields, which know narrower bounds and say so. */
static void check_bounds(struct parse *parse) {
    const struct kind_spec *spec = parse->record.spec;
    for (size_t i = 0; i < spec->field_count; i++) {
        const struct field_spec *field = &spec->fields[i];
        const struct value *value = &parse->record.values[i];
        if (field->type == FIELD_TYPE_INTEGER && value->present &&
            (value->integer < field->min || value->integer > field->max))
            REFUSE(parse, i, FIELD_OUT_OF_RANGE, "must be an integer from %" PRId64 " to %" PRId64,
                   field->min, field->max);
    }
}

static void list_fields(const struct kind_spec *spec, char *ret_list, size_t size) {
    size_t length = 0;
    for (size_t i = 0; i < spec->field_count && length < size; i++)
        length += (size_t)snprintf(ret_list + length, size - length, "%s%s", i == 0 ? "" : ", ",
                                   spec->fields[i].name);
}

/* JSON pointer to a member: "~" and "/" escaped, a name without end cut short. */
static void write_pointer(struct buf *out, const char *name) {
    size_t length = strlen(name), shown = text_prefix(name, length, UNKNOWN_NAME_MAX);
    buf_add_char(out, '/');
    for (size_t i = 0; i < shown; i++) {
        if (name[i] == '~')
            buf_add_str(out, "~0");
        else if (name[i] == '/')
            buf_add_str(out, "~1");
        else
            buf_add_char(out, name[i]);
    }
    if (shown < length)
        buf_add_str(out, "…");
}

enum err record_refuse_name(const struct kind_spec *spec, const char *name,
                            struct problem *problem) {
    char fields[PROBLEM_DETAIL_MAX];
    list_fields(spec, fields, sizeof fields);
    BUF_SCOPED pointer = {0};
    write_pointer(&pointer, name);
    if (!buf_ok(&pointer))
        return problem_set(problem, ERR_UNAVAILABLE, "out of memory");
    (void)problem_add_field(problem, buf_text(&pointer), FIELD_UNKNOWN,
                            "the fields of a record of %s are %s", spec->collection, fields);
    return ERR_OK;
}

static enum err refuse_unknown(struct parse *parse, const json_t *json) {
    const struct kind_spec *spec = parse->record.spec;
    enum err err = ERR_OK;
    size_t reported = 0;
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)json, name, value) {
        if (record_field_index(spec, name) >= 0 || record_is_read_only(name))
            continue;
        if (err != ERR_OK || reported++ == PROBLEM_ERRORS_MAX)
            break;
        err = record_refuse_name(spec, name, parse->problem);
    }
    return err;
}

static enum err finish(struct parse *parse) {
    if (!buf_ok(&parse->metadata))
        return problem_set(parse->problem, ERR_UNAVAILABLE, "out of memory");
    if (parse->record.refused != 0 || parse->unknown_count != 0)
        return problem_set(parse->problem, ERR_INVALID_RECORD,
                           "the record is not one of %s: see errors",
                           parse->record.spec->collection);
    if (record_hash(&parse->record, parse->metadata_json) != ERR_OK ||
        record_own_texts(&parse->record) != ERR_OK)
        return problem_set(parse->problem, ERR_UNAVAILABLE, "out of memory");
    return ERR_OK;
}

enum err record_parse(const struct kind_spec *spec, const json_t *json,
                      const struct record_context *context, struct record *ret_record,
                      struct problem *problem) {
    if (!json_is_object(json)) {
        (void)problem_add_field(problem, "", FIELD_WRONG_TYPE, "must be a JSON object, not %s",
                                type_name(json));
        return problem_set(problem, ERR_INVALID_RECORD, "a record is a JSON object");
    }
    struct parse parse = {.record = {.spec = spec}, .context = context, .problem = problem};
    collect_members(&parse, json);
    for (size_t i = 0; i < spec->field_count; i++) {
        if (parse.given[i] != NULL)
            parse_field(&parse, i);
    }
    settle_id(&parse);
    settle_required(&parse);
    if (spec->check != NULL)
        spec->check(&parse.record, context, problem);
    check_bounds(&parse);

    enum err err = refuse_unknown(&parse, json);
    if (err == ERR_OK)
        err = finish(&parse);
    buf_free(&parse.metadata);
    if (err == ERR_OK)
        *ret_record = parse.record;
    return err;
}
