/* The problems whose bits tests/numbers/digests.txt records, and the digest of a result. test_digest.c runs them on the
   devices of the library; digest.c runs them on one compilation of the CPU path, for builds that the library itself is
   not built with.

   A line of the table is an operation with the types, temperatures, layout and statistics of its problems. Each line
   has a digest for each band of class counts. All data come from integer arithmetic, so that they are the same with
   every C library. */
#ifndef CLSOFTMAX_DIGEST_PROBLEMS_H
#define CLSOFTMAX_DIGEST_PROBLEMS_H

#include "clsoftmax/clsoftmax.h"

#define DIGEST_BAND_LIST(X)                                                                                            \
    X(FEW, "few", 1, 2, 3, 8, 10, 16, 31, 64)                                                                          \
    X(SOME, "some", 65, 96, 128, 160, 161, 255, 256, 300)                                                              \
    X(MANY, "many", 1000, 1024, 4097, 20000)

typedef enum digest_band {
#define DIGEST_BAND_ENUM(name, text, ...) DIGEST_##name,
    DIGEST_BAND_LIST(DIGEST_BAND_ENUM)
#undef DIGEST_BAND_ENUM
        DIGEST_BANDS
} digest_band;

#define DIGEST_TEMPERATURES_LIST(X)                                                                                    \
    X(ONE, "one")                                                                                                      \
    X(PER_ROW, "per_row")                                                                                              \
    X(SWEEP, "sweep")

/* dense: rows without gaps. padded: an offset, and a gap behind each row. columns: the softmax axis is not the last.
   scattered: columns whose logits and results lie differently, with gaps everywhere. in_place: the results replace the
   logits. */
#define DIGEST_LAYOUT_LIST(X)                                                                                          \
    X(DENSE, "dense")                                                                                                  \
    X(PADDED, "padded")                                                                                                \
    X(COLUMNS, "columns")                                                                                              \
    X(SCATTERED, "scattered")                                                                                          \
    X(IN_PLACE, "in_place")

#define DIGEST_ENUM(name, text) DIGEST_##name,
typedef enum digest_temperatures { DIGEST_TEMPERATURES_LIST(DIGEST_ENUM) DIGEST_TEMPERATURE_KINDS } digest_temperatures;
typedef enum digest_layout { DIGEST_LAYOUT_LIST(DIGEST_ENUM) DIGEST_LAYOUTS } digest_layout;
#undef DIGEST_ENUM

typedef struct digest_line {
    clsoftmax_operation operation;
    clsoftmax_dtype logits, results;
    digest_temperatures temperatures;
    digest_layout layout;
    int statistics;
    clsoftmax_accuracy accuracy;
} digest_line;

enum { DIGEST_MOST_LINES = 1400 };

/* Writes all lines, in the order of the table, and returns how many there are. */
unsigned digest_lines(digest_line lines[DIGEST_MOST_LINES]);

/* Names a line as the table does: "softmax f32 f16 per_row dense statistics", with " fast" behind it for that
   accuracy. */
void digest_line_name(const digest_line *line, char *text, size_t size);

const char *digest_band_name(digest_band band);

/* Runs one problem. Returns 0, or another number that digest_of hands on. */
typedef int digest_runner(void *with, const clsoftmax_problem *problem, const clsoftmax_arguments *arguments);

/* Runs every problem of a line and band. *digest becomes the digest of all bytes of results, gaps between them,
   statistics and counts of invalid rows. Returns what the runner returned first that was not 0, or -1 without memory.
   */
int digest_of(const digest_line *line, digest_band band, digest_runner *run, void *with, uint64_t *digest);

/* Reads the expected digests of all lines from the table. Returns 0 if a line is missing, or not the one that belongs
   there. */
int digest_table_read(const char *path, uint64_t table[DIGEST_MOST_LINES][DIGEST_BANDS]);

/* Writes the table anew. Returns 0 where that fails. */
int digest_table_write(const char *path, uint64_t table[DIGEST_MOST_LINES][DIGEST_BANDS]);

#endif
