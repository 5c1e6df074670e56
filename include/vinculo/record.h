/*
 * Record kinds: one table of kinds, each with its table of fields, and what is derived from them:
 * checking a JSON record, its normal form, its content hash, and writing it out again.
 * Pure: no I/O but the given clock. Rules: docs in openapi.yaml, design section "Records".
 */
#ifndef VINCULO_RECORD_H
#define VINCULO_RECORD_H

#include "vinculo/buf.h"
#include "vinculo/err.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum record_kind {
    KIND_CUSTOMER,
    KIND_SURVEY,
    KIND_INTERACTION,
    KIND_CANCELLATION,
    KIND_REACTIVATION,
    KIND_PAYMENT,
    KIND_COST,
    KIND_ACTION,
    KIND_COUNT
};

enum field_type {
    FIELD_TYPE_ID,      /* 1–128 code points, no control characters, not "." or ".." */
    FIELD_TYPE_LABEL,   /* 1–64 code points */
    FIELD_TYPE_TEXT,    /* 1–max code points */
    FIELD_TYPE_ENUM,    /* one of choices */
    FIELD_TYPE_INTEGER, /* min–max */
    FIELD_TYPE_BOOLEAN,
    FIELD_TYPE_TIME,    /* RFC 3339 with offset */
    FIELD_TYPE_METADATA /* object, ≤ 4 KiB as compact JSON, depth ≤ 8 */
};

enum {
    RECORD_FIELDS_MAX = 24,
    RECORD_HASH_BYTES = 16,
    FIELD_ID_MAX = 128,
    FIELD_LABEL_MAX = 64,
    FIELD_ANY_FUTURE = -1,
    METADATA_BYTES_MAX = 4096,
    METADATA_DEPTH_MAX = 8,
    RECORD_JSON_DEPTH_MAX = 32
};

struct field_spec {
    const char *name; /* member in JSON and column in the kind's table */
    enum field_type type;
    bool required;
    int64_t min, max;           /* integers: bounds; id, label, text: max in code points */
    const char *const *choices; /* enums: NULL-terminated */
    int future_days;            /* times: how many days ahead of now are allowed, or any */
    const char *help;           /* one line: meaning and unit */
};

struct record;
struct record_context;

struct kind_spec {
    enum record_kind kind;
    const char *name;       /* "survey": also the table's name */
    const char *collection; /* "surveys" */
    const struct field_spec *fields;
    size_t field_count;     /* fields[0] is always id */
    const char *time_field; /* its own time: the field the server's clock may fill in */
    /* The field that stands for it where it is absent, as in the index <kind>_time. NULL: none. */
    const char *time_otherwise;
    /* The text that is searched; the column <field>_language has the language. NULL: none. */
    const char *searched_field;
    /* Rules between fields; fills in defaults. Adds field errors to problem. May be NULL. */
    void (*check)(struct record *record, const struct record_context *context,
                  struct problem *problem);
};

/* One field's value in normal form. */
struct value {
    bool present;
    int64_t integer;  /* INTEGER; BOOLEAN 0/1; TIME in µs since 1970 UTC */
    const char *text; /* ID LABEL TEXT ENUM; METADATA as compact JSON; NUL-terminated */
    size_t length;    /* bytes of text */
};

/* A record in normal form. Owns its texts (one block, so it may be moved by assignment); release
 * with record_clear. */
struct record {
    const struct kind_spec *spec;
    struct value values[RECORD_FIELDS_MAX]; /* by position in spec->fields */
    unsigned char hash[RECORD_HASH_BYTES];  /* of the content as sent, server-set times left out */
    bool stored;                            /* created_us, updated_us are known */
    int64_t created_us, updated_us;
    uint32_t from_server; /* private: bit per field that was filled in from the clock */
    uint32_t refused;     /* private: bit per field that was sent but failed its own check */
    char *texts;          /* private: one block with all texts */
};

/* How the record arrives: decides which times the server's clock may supply. */
enum record_source {
    RECORD_POST_ONE,    /* own time may be left out */
    RECORD_PUBLISHABLE, /* POST of one survey with a publishable key: answered_at may not be sent */
    RECORD_BULK,        /* own time required */
    RECORD_PUT,  /* as bulk, but a survey's answered_at, an action's done_at may be left out */
    RECORD_PATCH /* the merged record; as PUT */
};

struct record_context {
    enum record_source source;
    int64_t now_us;
    /* The workspace's (ISO 4217): the default of amounts and the only one allowed. */
    const char *currency;
    /* Used where the body has no id (path, Idempotency-Key). NULL: a UUIDv7 is made, except for
     * kinds whose id is required. */
    const char *default_id;
    bool id_must_equal; /* PUT, PATCH: a body id other than default_id is id_mismatch */
};

/* The kinds, indexed by enum record_kind. */
extern const struct kind_spec record_kinds[KIND_COUNT];
/* By collection name of `length` bytes, or NULL. */
const struct kind_spec *record_kind_find(const char *collection, size_t length);
/* Position of a field, or -1. */
int record_field_index(const struct kind_spec *spec, const char *name);

/* Parses JSON text strictly: UTF-8, no duplicate keys, no NUL, depth ≤ 32; any value may stand
 * alone. ERR_MALFORMED_JSON with line and column in the detail, or ERR_UNAVAILABLE (memory). The
 * caller releases *ret_json. */
MUST_CHECK enum err record_json_parse(const char *text, size_t length, json_t **ret_json,
                                      struct problem *problem);

/* Checks one JSON object against the kind and brings it into normal form: defaults filled in,
 * moments in UTC, hash computed. created_at and updated_at are ignored, null means absent. All
 * field errors at once, each with its pointer (not an object: wrong_type at pointer ""). Returns
 * ERR_INVALID_RECORD or ERR_UNAVAILABLE (memory); *ret_record is then untouched. */
MUST_CHECK enum err record_parse(const struct kind_spec *spec, const json_t *json,
                                 const struct record_context *context, struct record *ret_record,
                                 struct problem *problem);

/* A stored row: PostgreSQL text values, NULL for absent ones, in field order, then created_at and
 * updated_at; times as PostgreSQL prints them with TimeZone=UTC. The hash is not computed.
 * ERR_UNAVAILABLE where memory ends or a value is not of its column's type. */
MUST_CHECK enum err record_from_row(const struct kind_spec *spec, const char *const *columns,
                                    struct record *ret_record);

/* Applies an RFC 7396 merge patch to a stored record; *ret_json is what record_parse then checks
 * (created_at, updated_at left out). patch must be an object, else ERR_INVALID_RECORD. */
MUST_CHECK enum err record_merge_patch(const struct record *stored, const json_t *patch,
                                       json_t **ret_json, struct problem *problem);

/* The record as clients see it: every field of the kind, absent ones null, created_at, updated_at
 * (null where not stored yet). */
void record_write_json(struct buf *out, const struct record *record);

/* Records of one kind as an array of PostgreSQL's type <kind>_row (migrations/0002), in binary
 * form, in an empty buffer. `row_type` is its OID. */
void record_rows_begin(struct buf *out, unsigned row_type);
/* `ord` is the row's column of that name, for the caller to know it again. */
void record_rows_add(struct buf *out, const struct record *record, int workspace_id, size_t ord);
void record_rows_end(struct buf *out, size_t count); /* how many were added */
/* Is the stored hash (a bytea as PostgreSQL writes it) the record's? */
bool record_has_hash(const struct record *record, const char *stored);

/* Two records of one kind with the same content (times of storing aside). */
bool record_equal(const struct record *a, const struct record *b);
const char *record_id(const struct record *record);
void record_clear(struct record *record);
/* An id of the client's own in a path or header: true where it obeys FIELD_TYPE_ID. */
bool record_id_is_valid(const char *text, size_t length);
/* The same for a label, such as a filter's. */
bool record_label_is_valid(const char *text, size_t length);
/* 36 characters and NUL; time-ordered (RFC 9562 version 7). */
void record_make_id(char ret_id[37]);

#endif
