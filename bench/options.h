/* The options of clsoftmax-bench. */
#ifndef CLSOFTMAX_BENCH_OPTIONS_H
#define CLSOFTMAX_BENCH_OPTIONS_H

#include "clsoftmax/clsoftmax.h"
#include "rounds.h"
#include "shapes.h"

enum { MOST_DTYPES = 9, MOST_TEMPERATURES = 32 };

typedef struct dtype_pair {
    clsoftmax_dtype logits, results;
} dtype_pair;

typedef struct bench_options {
    const char *devices; /* NULL: every usable one but reference */
    unsigned strategies; /* a bit for each */
    shape_list shapes;
    dtype_pair dtypes[MOST_DTYPES];
    size_t dtype_count;
    float temperatures[MOST_TEMPERATURES];
    size_t temperature_count;
    int axis; /* 0 or -1 */
    const char *peers;
    round_limits limits;
    int warm;
    unsigned threads;
    int output; /* index of a report */
    const char *file, *plot, *commit;
    int explain;
    int progress;       /* 1 yes, 0 no, -1 where it is a terminal */
    char command[1024]; /* all of them, as they were given */
} bench_options;

/* EXIT_DONE; another status after a complaint; or -1 after --help or --version. */
int bench_options_parse(int argc, char **argv, bench_options *options);
void bench_options_release(bench_options *options);

#endif
