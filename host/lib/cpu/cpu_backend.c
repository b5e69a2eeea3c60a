/* Device "cpu": the numeric core over a pool of threads. Needs nothing but a processor. */
#include "../context.h"
#include "../float_environment.h"
#include "../status.h"
#include "cpu_rows.h"

#include <pthread.h>
#include <pthreadpool.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Rows are handed out in blocks of about this many elements: large beside the hand-out, small beside a matrix. */
#define BLOCK_ELEMENTS 16384

typedef struct cpu_context {
    pthreadpool_t pool;
    size_t threads;
    cpu_rows_function *rows;
} cpu_context;

/* ---------------------------------------------------------------- Instruction sets */

typedef struct cpu_isa {
    const char *name;
    cpu_rows_function *rows;
    int available;
} cpu_isa;

/* The best that this processor has, or the one that CLSOFTMAX_CPU_ISA names. */
static clsoftmax_status choose_isa(const char **name, cpu_rows_function **rows)
{
    const cpu_isa isas[] = {
#ifdef CLSOFTMAX_X86
        {"avx512", cls_cpu_rows_avx512,
         __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma")},
        {"avx2", cls_cpu_rows_avx2, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")},
#endif
        {"baseline", cls_cpu_rows_baseline, 1},
    };
    const char *wanted = getenv("CLSOFTMAX_CPU_ISA");
    for (size_t i = 0; i < sizeof isas / sizeof *isas; i++) {
        if (!isas[i].available || (wanted && *wanted && strcmp(wanted, isas[i].name) != 0))
            continue;
        *name = isas[i].name;
        *rows = isas[i].rows;
        return CLSOFTMAX_OK;
    }
    return cls_fail(CLSOFTMAX_DEVICE_UNUSABLE, "CLSOFTMAX_CPU_ISA is \"%s\"; this processor has: %s", wanted,
                    isas[0].available ? "avx512, avx2, baseline" : "baseline, perhaps avx2");
}

/* ---------------------------------------------------------------- Running */

typedef struct cpu_job {
    cpu_call call;
    cpu_rows_function *rows;
    cpu_scratch *scratch; /* one per thread */
    uint64_t row_count;
    uint64_t block_rows;
    atomic_uint_fast64_t next_row;
    atomic_uint_fast64_t invalid_rows;
} cpu_job;

/* One thread's share: blocks of rows until none is left, so that a thread which is held up holds up no other. */
static void run_share(void *job_, size_t share)
{
    cpu_job *job = job_;
    fenv_t callers = float_environment_begin();
    for (;;) {
        uint64_t begin = atomic_fetch_add(&job->next_row, job->block_rows);
        if (begin >= job->row_count)
            break;
        uint64_t end = job->row_count - begin < job->block_rows ? job->row_count : begin + job->block_rows;
        atomic_fetch_add(&job->invalid_rows, job->rows(&job->call, begin, end, &job->scratch[share]));
    }
    float_environment_end(callers);
}

static clsoftmax_status cpu_plan_run(clsoftmax_plan *plan, const clsoftmax_arguments *arguments, uint64_t *invalid_rows)
{
    cpu_context *cpu = plan->context->state;
    uint64_t block_rows = BLOCK_ELEMENTS / plan->problem.classes;
    cpu_job job = {
        .call = {&plan->problem, arguments, cls_problem_policies(&plan->problem)},
        .rows = cpu->rows,
        .scratch = plan->state,
        .row_count = cls_problem_rows(&plan->problem),
        .block_rows = block_rows > 0 ? block_rows : 1,
    };
    uint64_t blocks = (job.row_count - 1) / job.block_rows + 1;
    pthreadpool_parallelize_1d(cpu->pool, run_share, &job, blocks < cpu->threads ? (size_t)blocks : cpu->threads,
                               PTHREADPOOL_FLAG_YIELD_WORKERS);
    *invalid_rows = atomic_load(&job.invalid_rows);
    return CLSOFTMAX_OK;
}

static clsoftmax_status cpu_plan_prepare(clsoftmax_plan *plan)
{
    cpu_context *cpu = plan->context->state;
    plan->state = calloc(cpu->threads, sizeof(cpu_scratch));
    CLS_FAIL_IF(!plan->state, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for the scratch rows of %zu threads",
                cpu->threads);
    return CLSOFTMAX_OK;
}

static void cpu_plan_release(clsoftmax_plan *plan)
{
    free(plan->state);
}

/* ---------------------------------------------------------------- Context */

static void cpu_context_release(clsoftmax_context *context)
{
    cpu_context *cpu = context->state;
    if (!cpu)
        return;
    if (getpid() == context->process) /* after fork() the threads are not there to be joined */
        pthreadpool_destroy(cpu->pool);
    free(cpu);
}

/* CLSOFTMAX_THREADS, else the processors that this process may use. */
static clsoftmax_status choose_threads(size_t *threads)
{
    const char *wanted = getenv("CLSOFTMAX_THREADS");
    if (wanted && *wanted) {
        char *end;
        unsigned long count = strtoul(wanted, &end, 10);
        CLS_FAIL_IF(*end || wanted[0] == '-' || count < 1 || count > 1024, CLSOFTMAX_INVALID_ARGUMENT,
                    "CLSOFTMAX_THREADS is \"%s\"; it takes a number from 1 to 1024", wanted);
        *threads = count;
        return CLSOFTMAX_OK;
    }
    cpu_set_t set;
    CPU_ZERO(&set);
    *threads = sched_getaffinity(0, sizeof set, &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
    return CLSOFTMAX_OK;
}

static void *wait_for_gate(void *gate)
{
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

/* How many of `wanted` threads, the caller's included, the system grants just now. pthreadpool must not be left to find out: it
   waits for ever for a thread that could not be created. */
static size_t grantable_threads(size_t wanted)
{
    pthread_t *threads = malloc(wanted * sizeof *threads);
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    size_t granted = 1;
    pthread_mutex_lock(&gate); /* all must exist at once */
    while (threads && granted < wanted && pthread_create(&threads[granted], NULL, wait_for_gate, &gate) == 0)
        granted++;
    pthread_mutex_unlock(&gate);
    for (size_t i = 1; i < granted; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    return granted;
}

clsoftmax_status cls_cpu_open(clsoftmax_context *context)
{
    static const cls_backend backend = {cpu_plan_prepare, cpu_plan_run, cpu_plan_release, cpu_context_release};
    context->backend = &backend;
    const char *isa = NULL;
    size_t threads = 0;
    cpu_rows_function *rows = NULL;
    CLS_FORWARD(choose_isa(&isa, &rows));
    CLS_FORWARD(choose_threads(&threads));
    cpu_context *cpu = calloc(1, sizeof *cpu);
    CLS_FAIL_IF(!cpu, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a context");
    context->state = cpu;
    cpu->rows = rows;
    cpu->threads = threads = grantable_threads(threads);
    cpu->pool = threads > 1 ? pthreadpool_create(threads) : NULL; /* NULL runs in the caller's thread */
    if (!cpu->pool)
        cpu->threads = 1;

    clsoftmax_device *device = &context->device;
    device->type = CLSOFTMAX_DEVICE_CPU;
    strcpy(device->selector, "cpu");
    snprintf(device->name, sizeof device->name, "this library's own code");
    snprintf(device->driver, sizeof device->driver, "%s", isa);
    device->compute_units = (unsigned)cpu->threads;
    device->usable = 1;
    device->exact = 1;
    context->limits.type = CLSOFTMAX_DEVICE_CPU;
    return CLSOFTMAX_OK;
}
