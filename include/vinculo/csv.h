/*
 * Records as CSV (RFC 4180), both ways. Pure: no I/O.
 *
 * Read: bytes go in as they arrive, in pieces of any size; rows come out one by one as the JSON
 * objects that record_parse takes, so that all rules are the same as for JSON. Memory does not grow
 * with the text. The first line names the columns, in any order: fields of the kind, created_at and
 * updated_at (ignored). It also decides whether `,` or `;` separates. A byte order mark, CRLF or
 * LF, quoted line breaks and doubled quotes are understood; blank rows are passed over.
 *
 *     csv_reader_new -> csv_reader_feed until the bytes are used up, csv_reader_row after each
 *     CSV_ROW -> csv_reader_end until it says CSV_MORE, csv_reader_row after CSV_ROW -> _free
 */
#ifndef VINCULO_CSV_H
#define VINCULO_CSV_H

#include "vinculo/record.h"

enum { CSV_ROW_BYTES_MAX = 64 * 1024 }; /* line end not counted; the header line too */

enum csv_charset { CSV_UTF_8, CSV_WINDOWS_1252 };

/* A charset's name as in a Content-Type, any case: utf-8; windows-1252, iso-8859-1 and the like. */
bool csv_charset_find(const char *name, size_t length, enum csv_charset *ret_charset);

enum csv_event {
    CSV_MORE,   /* all bytes are used, no row is complete */
    CSV_ROW,    /* a row is complete; it stays until the next feed or end */
    CSV_REFUSED /* the header line is wrong, or memory has ended; so it stays */
};

struct csv_reader;

/* NULL where memory has ended. A byte order mark for UTF-8 overrules the charset. */
struct csv_reader *csv_reader_new(const struct kind_spec *spec, enum csv_charset charset);
void csv_reader_free(struct csv_reader *reader);

/* Takes bytes up to the end of the next row; *ret_used says how many. CSV_REFUSED fills problem:
 * ERR_INVALID_RECORD with an error for each unknown (unknown_field) or repeated (not_allowed_here)
 * column, ERR_MALFORMED_CSV, ERR_TOO_LARGE or ERR_UNAVAILABLE. */
enum csv_event csv_reader_feed(struct csv_reader *reader, const char *data, size_t length,
                               size_t *ret_used, struct problem *problem);

/* The text has ended: CSV_ROW for a last row without line end, then CSV_MORE; CSV_REFUSED where
 * there was no header line. */
enum csv_event csv_reader_end(struct csv_reader *reader, struct problem *problem);

/* The line, from 1 and the header's included, on which the row at hand begins. */
uint64_t csv_reader_line(const struct csv_reader *reader);

/* The row at hand as a JSON object, for the caller to release: empty cells left out, integers,
 * booleans (true false 1 0 sim não nao, any case) and metadata (JSON) as such; what is not of its
 * field's type stays a string, which record_parse refuses. A row that cannot be read is
 * ERR_MALFORMED_CSV or ERR_TOO_LARGE, with line and column in the detail; the next row can be read
 * all the same. ERR_UNAVAILABLE where memory has ended. */
MUST_CHECK enum err csv_reader_row(const struct csv_reader *reader, json_t **ret_json,
                                   struct problem *problem);

/* Write: one cell, quoted where it must be, and its bytes as they are: a text that a spreadsheet
 * would take for a formula is not altered. A comma follows, which csv_end_row replaces: a row is
 * written into one buffer. */
void csv_put_cell(struct buf *out, const char *text, size_t length);
void csv_end_row(struct buf *out); /* CRLF */
/* Takes back csv_end_row: further cells may follow. */
void csv_reopen_row(struct buf *out);

/* The header line: every field of the kind, then created_at, updated_at. */
void csv_write_header(struct buf *out, const struct kind_spec *spec);
/* A record as one row under that header: absent values empty, moments in UTC, booleans true or
 * false, metadata as compact JSON. */
void csv_write_record(struct buf *out, const struct record *record);

#endif
