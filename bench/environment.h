/* The machine that a run was made on. */
#ifndef CLSOFTMAX_BENCH_ENVIRONMENT_H
#define CLSOFTMAX_BENCH_ENVIRONMENT_H

#include <stddef.h>

/* Each "" or 0 where the system does not tell. */
typedef struct environment {
    char processor[128];
    char kernel[256];    /* of the system: name, release, machine */
    char governor[64];   /* of the first processor's frequency */
    char huge_pages[64]; /* for shared memory */
    char time[32];       /* UTC */
    long processors;
    size_t last_cache, memory; /* bytes */
    double load;               /* of the last minute */
} environment;

void environment_read(environment *environment);

#endif
