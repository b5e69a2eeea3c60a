/* Whatever runs a workload and is timed: this library, a copy, a peer. */
#ifndef CLSOFTMAX_BENCH_CONTENDER_H
#define CLSOFTMAX_BENCH_CONTENDER_H

#include "bench_device.h"
#include "samples.h"
#include "workload.h"

typedef struct contender contender;

/* prepare, run and fetch return 1, or 0 after contender_fail. */
typedef struct contender_functions {
    int (*prepare)(contender *contender);
    void (*wake)(contender *contender); /* before runs; NULL: nothing sleeps */
    int (*run)(contender *contender, unsigned first, unsigned passes,
               double *seconds);        /* pairs first, first + 1, ... */
    void (*rest)(contender *contender); /* behind runs; NULL likewise */
    int (*fetch)(contender *contender,
                 unsigned pair);          /* brings results into the workload's memory; NULL: they are there */
    void (*finish)(contender *contender); /* of a workload, prepared or not */
    void (*release)(contender *contender);
} contender_functions;

typedef enum contender_kind {
    CONTENDER_LIBRARY,    /* on a device's own buffers, or for a native device on host memory */
    CONTENDER_END_TO_END, /* the same device and strategy from host memory to host memory */
    CONTENDER_COPY,
    CONTENDER_PEER
} contender_kind;

struct contender {
    contender_kind kind;
    const contender_functions *functions;
    void *state;
    bench_device *device; /* NULL: a peer, or a copy, of this computer's processor */
    clsoftmax_strategy strategy;
    char name[64];    /* strategy, kind of copy, or peer */
    char detail[512]; /* of a peer its version; of the library what its plan decided */
    int is_dead;      /* does not come back: a peer whose process has ended */

    /* Of the workload at hand. */
    const workload *workload;
    char reason[512];     /* why it does not run it; "" if it does */
    double build_seconds; /* until a first run could begin; 0 if there is nothing to build */
    double ulp;
    samples samples;
};

/* "cpu" or "0:1". */
const char *contender_device(const contender *contender);

/* 1 if it moves memory of the host by its processor, so that host copies are its limit. */
int contender_is_on_host(const contender *contender);

/* Notes why it cannot; 0. */
int contender_fail(contender *contender, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same with the library's last error. */
int contender_fail_library(contender *contender);

/* All that take part. */
typedef struct contender_list {
    contender *items;
    size_t count;
} contender_list;

/* A new zeroed contender at the end, or NULL without memory. Pointers to others become invalid. */
contender *contender_list_add(contender_list *list, contender_kind kind, const contender_functions *functions);
void contender_list_release(contender_list *list);

/* Each adds its own kind. EXIT_DONE, or another status after a complaint. */
int add_host_copies(contender_list *list, unsigned threads);
int add_device_copies(contender_list *list, bench_device *device);
int add_library(contender_list *list, bench_device *device, unsigned strategies);
int add_peers(contender_list *list, const char *peers, unsigned threads, int descriptor);

#endif
