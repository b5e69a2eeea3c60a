/*
 * Contenders: whatever runs a workload and is timed. contender_library.c has this library, contender_copy.c has copies
 * of the same bytes, contender_peer.c has other libraries. rounds.c runs them, report.h shows what came of it.
 */
#ifndef CLSOFTMAX_BENCH_CONTENDER_H
#define CLSOFTMAX_BENCH_CONTENDER_H

#include "bench_device.h"
#include "samples.h"
#include "workload.h"

typedef struct contender contender;

/* What a kind of contender does. prepare, run and fetch return 1, or 0 after contender_fail. */
typedef struct contender_functions {
    /* Makes ready for the workload. */
    int (*prepare)(contender *contender);
    /* Wakes it before it runs; NULL: it does not sleep. */
    void (*wake)(contender *contender);
    /* Runs `passes` calls, on the slots from `first` on, and sets the seconds that they took together. */
    int (*run)(contender *contender, unsigned first, unsigned passes, double *seconds);
    /* Puts it to sleep after it ran; NULL: it does not sleep. */
    void (*rest)(contender *contender);
    /* Brings the results of a slot into the workload's memory; NULL: run leaves them there. */
    int (*fetch)(contender *contender, unsigned slot);
    /* Ends a workload, prepared or not; NULL: there is nothing to end. */
    void (*finish)(contender *contender);
    void (*release)(contender *contender);
} contender_functions;

typedef enum contender_kind {
    CONTENDER_LIBRARY,    /* on the buffers of an OpenCL device, or with a native device on host memory */
    CONTENDER_END_TO_END, /* an OpenCL device and strategy, from host memory to host memory */
    CONTENDER_COPY,
    CONTENDER_PEER
} contender_kind;

struct contender {
    contender_kind kind;
    const contender_functions *functions;
    void *state;
    bench_device *device; /* NULL: a peer or a copy that runs on this computer's processor */
    clsoftmax_strategy strategy;
    clsoftmax_accuracy accuracy;
    char name[64];     /* the strategy, with " fast" for that accuracy, the kind of copy, or the peer */
    char detail[512];  /* the version of a peer, or what the library's plan decided */
    int is_dead;       /* a peer whose process has ended */
    int keeps_kernels; /* this library: kernels are built once, not for each workload */

    /* Of the current workload. */
    const workload *workload;
    char reason[512];     /* why it is not measured; "" if it is */
    double build_seconds; /* for building kernels; 0 if there is nothing to build */
    double ulp;
    samples samples;
};

/* Returns the selector of the contender's device: "cpu" or "0:1". */
const char *contender_device(const contender *contender);

/* Returns 1 if the host's processor moves its memory, so that copies on the host are its limit. */
int contender_is_on_host(const contender *contender);

/* Notes why the contender is not measured, and returns 0. */
int contender_fail(contender *contender, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Notes the library's last error, and returns 0. */
int contender_fail_library(contender *contender);

typedef struct contender_list {
    contender *items;
    size_t count;
} contender_list;

/* Adds a zeroed contender at the end, which makes pointers to others invalid. Returns NULL after a complaint. */
contender *contender_list_add(contender_list *list, contender_kind kind, const contender_functions *functions);
void contender_list_release(contender_list *list);

/* Each adds the contenders of one kind. EXIT_DONE, or another status after a complaint. */
int add_host_copies(contender_list *list, unsigned threads);
int add_device_copies(contender_list *list, bench_device *device);
int add_library(contender_list *list, bench_device *device, unsigned strategies, clsoftmax_accuracy accuracy);
int add_peers(contender_list *list, const char *peers, unsigned threads, int descriptor);

#endif
