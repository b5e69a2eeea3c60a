/* A run of softmax over rows from a source to files or standard output: what command_run.c sets up and run_tiles.c does; at
   one temperature, or, in a sweep, at many. A picture takes its rows from one, too. */
#ifndef CLSOFTMAX_RUN_H
#define CLSOFTMAX_RUN_H

#include "files/source.h"
#include "run/compare.h"
#include "run/devices.h"
#include "run/result_file.h"
#include "run/run_options.h"
#include "run/slabs.h"
#include "run/statistics_report.h"

typedef struct run {
    run_options options;
    clsoftmax_problem problem; /* of all rows */
    uint64_t rows;             /* of the input; rows of it are computed as the tiling says */
    uint64_t first_row;        /* where row 0 stands among temperatures and labels */
    source input, temperatures, labels;
    devices devices, cpu, reference; /* the last two if the results are verified */
    result_file results, statistics;
    int has_results_file, has_statistics_file;
    int in_place; /* results take the place of the logits in a tile */
    int in_order; /* tiles are written one after another: to standard output, a pipe, or into a sum over rows */
    tiling tiling;
    unsigned workers;

    /* What the rows have come to. */
    uint64_t rows_computed, invalid_rows;
    comparison bits, ulp;    /* against cpu, and against reference */
    label_summary *labelled; /* at each temperature */
} run;

/* Zeroes what is to be opened; gives everything back. */
void run_begin(run *run);
void run_end(run *run);

/* Opens the input and the files of a number for each row, and leaves --rows; the problem has its shape then. */
int run_open_input(run *run);

/* The logits of a tile of the tiling, dense, in the input's dtype. */
int run_read_logits(const run *run, const tiling *tiling, const tile *tile, void *logits);

/* How many temperatures each row has: those of a sweep, or 1. */
uint64_t run_temperatures(const run *run);

/* The problem of a tile alone. */
clsoftmax_problem run_tile_problem(const run *run, const tile *tile);

/* Bytes of memory that a row takes while it is worked on. */
uint64_t run_row_bytes(const run *run);

/* Computes and writes all rows of the tiling. EXIT_DONE, or another status after a complaint. */
int run_tiles(run *run);

#endif
