/* The options of `clsoftmax run`. */
#ifndef CLSOFTMAX_RUN_OPTIONS_H
#define CLSOFTMAX_RUN_OPTIONS_H

#include "clsoftmax/clsoftmax.h"

typedef struct run_options {
    const char *input, *output, *device;
    const char *temperatures; /* file with a temperature for each row, or NULL */
    const char *labels;       /* file with a label for each row, or NULL */
    const char *statistics;   /* .npy file for the statistics, "" for a table on standard output, or NULL */
    float temperature;
    int axis;
    int has_probabilities; /* INPUT holds probabilities */
    int has_input_dtype;   /* input_dtype was given */
    clsoftmax_dtype input_dtype;
    clsoftmax_problem problem; /* operation, results_dtype, policies, strategy; the rest is for later */
    uint64_t memory;           /* bytes that tiles may take */
    int has_rows;              /* --rows was given: indices [begin, end) of the first axis */
    uint64_t rows_begin, rows_end;
    uint64_t shard_index, shard_count; /* count 0: everything */
    int explain;
    int verify;
    int progress; /* 1 yes, 0 no, -1 where it is a terminal */
} run_options;

/* EXIT_DONE; another status after a complaint; or -1 after --help. */
int run_options_parse(int argc, char **argv, run_options *options);

#endif
