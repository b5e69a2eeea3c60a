/* The machine that a run is made on. report_json.c writes it down; main.c needs the size of the cache. */
#ifndef CLSOFTMAX_BENCH_ENVIRONMENT_H
#define CLSOFTMAX_BENCH_ENVIRONMENT_H

#include <stddef.h>

/* Each is "" or 0 where the system does not tell; last_cache is a guess then, 32 MiB, which is rather large. */
typedef struct environment {
    char processor[128];
    char kernel[256];    /* name, release, machine */
    char governor[64];   /* of the frequency of the first processor */
    char huge_pages[64]; /* for shared memory */
    char time[32];       /* UTC */
    long processors;
    size_t last_cache, memory; /* bytes */
    double load;               /* of the last minute */
} environment;

/* Asks the system for all of it. */
void environment_read(environment *environment);

#endif
