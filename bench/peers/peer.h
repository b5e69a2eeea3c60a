/* What the peers in C share: the protocol of README.md. A peer's main is `return peer_serve(&functions)`. */
#ifndef CLSOFTMAX_BENCH_PEER_H
#define CLSOFTMAX_BENCH_PEER_H

#include <stddef.h>
#include <stdint.h>

typedef struct peer_problem {
    unsigned pairs;
    size_t pair_bytes, results_offset;
    uint64_t rows, classes;
    int axis; /* -1: rows x classes; 0: classes x rows */
    char logits_dtype[8], results_dtype[8];
    float temperature;
    unsigned char *memory;
} peer_problem;

/* Each but finish returns NULL, or in a few words why it cannot. */
typedef struct peer_functions {
    const char *(*open)(unsigned threads, char *version, size_t size); /* once; says who it is */
    const char *(*prepare)(const peer_problem *problem);
    const char *(*run)(void *logits, void *results); /* returns when the results are there */
    void (*finish)(void);                            /* of a problem, prepared or not */
} peer_functions;

/* Answers requests until standard input ends. An exit status. */
int peer_serve(const peer_functions *functions);

#endif
