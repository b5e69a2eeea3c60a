/* The protocol of README.md, for peers in C. A peer fills in peer_functions, and its main is
   `return peer_serve(&functions)`. */
#ifndef CLSOFTMAX_BENCH_PEER_H
#define CLSOFTMAX_BENCH_PEER_H

#include <stddef.h>
#include <stdint.h>

typedef struct peer_problem {
    unsigned slots;
    size_t slot_bytes, results_offset, operand_offset, labels_offset; /* 0: the operation does not have it */
    char operation[32];
    uint64_t rows, classes;
    int axis; /* -1: rows x classes; 0: classes x rows */
    char logits_dtype[8], results_dtype[8];
    float temperature;
    unsigned char *memory;
} peer_problem;

/* The arrays of a call. NULL: the operation does not have it. */
typedef struct peer_arrays {
    void *logits, *results;
    const void *operand;   /* of the logits' dtype */
    const int64_t *labels; /* one for each row */
} peer_arrays;

/* What a peer does. Each function but finish returns NULL, or in a few words why it cannot. */
typedef struct peer_functions {
    /* Starts the library, once, and writes its name and version. */
    const char *(*open)(unsigned threads, char *version, size_t size);
    /* Makes ready for a problem. */
    const char *(*prepare)(const peer_problem *problem);
    /* Makes one call, and returns when the results are there. */
    const char *(*run)(const peer_arrays *arrays);
    /* Ends a problem, even if prepare failed. */
    void (*finish)(void);
    int has_operations; /* 1: it has other operations than softmax, or says in prepare that it has not */
} peer_functions;

/* Answers requests until standard input ends. Returns an exit status. */
int peer_serve(const peer_functions *functions);

#endif
