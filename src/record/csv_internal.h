/*
 * What the files of CSV share: the cells of one row, and how they are found in bytes.
 */
#ifndef VINCULO_CSV_INTERNAL_H
#define VINCULO_CSV_INTERNAL_H

#include "vinculo/csv.h"

enum {
    CSV_CELLS_MAX = 64, /* a header without unknown and repeated columns has fewer */
    CSV_BYTE_COUNT = 256
};

enum csv_state {
    CSV_CELL_START,
    CSV_PLAIN,  /* in a cell without quotes */
    CSV_QUOTED, /* in a cell with quotes */
    CSV_QUOTE,  /* behind a quote in such a cell: its end, or the first of two */
    CSV_RETURN  /* behind a carriage return outside quotes */
};

/* Why a row cannot be read. */
enum csv_fault {
    CSV_FAULT_NONE,
    CSV_FAULT_TOO_LONG,
    CSV_FAULT_QUOTE_INSIDE,
    CSV_FAULT_AFTER_QUOTE,
    CSV_FAULT_OPEN_QUOTE,
    CSV_FAULT_LONE_RETURN,
    CSV_FAULT_NUL,
    CSV_FAULT_BYTE,
    CSV_FAULT_COUNT
};

/* Cuts bytes into rows of cells. Knows nothing of kinds. */
struct csv_scanner {
    enum csv_charset charset;
    enum csv_state state;
    char delimiter; /* 0 until the header line shows it */
    bool begun;     /* the byte order mark lies behind */
    size_t bom_length;
    bool stops[CSV_BYTE_COUNT]; /* bytes that end a run of ordinary ones */

    struct buf text; /* the cells one after the other, as UTF-8 */
    size_t ends[CSV_CELLS_MAX];
    size_t cell_count; /* may exceed CSV_CELLS_MAX */
    size_t row_bytes;
    uint64_t line, row_line; /* at hand; where the row begins */
    enum csv_fault fault;    /* the first of the row */
    size_t fault_cell;
};

void csv_scanner_init(struct csv_scanner *scanner, enum csv_charset charset);
/* True where a row is complete; *ret_used bytes were taken. Blank rows are passed over. */
bool csv_scanner_feed(struct csv_scanner *scanner, const char *data, size_t length,
                      size_t *ret_used);
/* The text has ended: true where that completes a row. */
bool csv_scanner_end(struct csv_scanner *scanner);
/* Forgets the row at hand. */
void csv_scanner_next(struct csv_scanner *scanner);
/* A cell's text; cell < cell_count and < CSV_CELLS_MAX. */
const char *csv_scanner_cell(const struct csv_scanner *scanner, size_t cell, size_t *ret_length);
/* Reports why the row at hand cannot be read, if so: faults, then bytes that are not UTF-8. */
MUST_CHECK enum err csv_scanner_check(const struct csv_scanner *scanner, struct problem *problem);

/* Appends a byte ≥ 0x80 of windows-1252 as UTF-8; false where it stands for no character. */
bool csv_add_windows_1252(struct buf *out, unsigned char byte);

#endif
