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

/* Rows are handed out in shares of this many elements at least, large beside the hand-out; and so many for each thread at
   most, so that one which is held up holds up no other. */
#define SHARE_ELEMENTS 16384
#define SHARES_PER_THREAD 16

/* Results that no cache holds are written past the caches: more than this for each thread. */
#define STREAM_BYTES ((uint64_t)4 << 20)

typedef struct cpu_isa {
    const char *name;
    unsigned vector_width; /* floats */
    cpu_rows_function *item, *lane, *sweep;
    int available;
} cpu_isa;

typedef struct cpu_context {
    pthreadpool_t pool;
    size_t threads;
    cpu_isa isa;
    size_t scratch_floats;
} cpu_context;

/* ---------------------------------------------------------------- Instruction sets */

/* The best that this processor has, or the one that CLSOFTMAX_CPU_ISA names. */
static clsoftmax_status choose_isa(cpu_isa *chosen)
{
    const cpu_isa isas[] = {
#ifdef CLSOFTMAX_X86
        {"avx512", 16, cls_cpu_item_avx512, cls_cpu_lane_avx512, cls_cpu_sweep_avx512,
         __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma")},
        /* every processor with AVX2 has F16C */
        {"avx2", 8, cls_cpu_item_avx2, cls_cpu_lane_avx2, cls_cpu_sweep_avx2,
         __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")},
#endif
        {"baseline", 4, cls_cpu_item_baseline, cls_cpu_lane_baseline, cls_cpu_sweep_baseline, 1},
    };
    const char *wanted = getenv("CLSOFTMAX_CPU_ISA");
    for (size_t i = 0; i < sizeof isas / sizeof *isas; i++) {
        if (!isas[i].available || (wanted && *wanted && strcmp(wanted, isas[i].name) != 0))
            continue;
        *chosen = isas[i];
        return CLSOFTMAX_OK;
    }
    return cls_fail(CLSOFTMAX_DEVICE_UNUSABLE, "CLSOFTMAX_CPU_ISA is \"%s\"; this processor has: %s", wanted,
                    isas[0].available ? "avx512, avx2, baseline" : "baseline, perhaps avx2");
}

/* ---------------------------------------------------------------- Running */

typedef struct cpu_job {
    cpu_call call;
    cpu_rows_function *rows;
    const cpu_scratch *scratch; /* one per thread */
    uint64_t row_count;
    uint64_t share_rows;
    atomic_uint_fast64_t next_row;
    atomic_uint_fast64_t invalid_rows;
} cpu_job;

/* One thread's work: shares of rows until none is left. */
static void run_shares(void *job_, size_t thread)
{
    cpu_job *job = job_;
    fenv_t callers = float_environment_begin();
    for (;;) {
        uint64_t begin = atomic_fetch_add(&job->next_row, job->share_rows);
        if (begin >= job->row_count)
            break;
        uint64_t end = job->row_count - begin < job->share_rows ? job->row_count : begin + job->share_rows;
        atomic_fetch_add(&job->invalid_rows, job->rows(&job->call, begin, end, &job->scratch[thread]));
    }
    float_environment_end(callers);
}

/* Whole tiles of lanes where rows go side by side. */
static uint64_t choose_share(const clsoftmax_problem *problem, uint64_t rows, size_t threads, int side_by_side)
{
    uint64_t least = (SHARE_ELEMENTS - 1) / (problem->classes * cls_problem_temperatures(problem)) + 1,
             share = rows / (threads * SHARES_PER_THREAD);
    share = share > least ? share : least;
    return side_by_side ? (share + CPU_LANES - 1) / CPU_LANES * CPU_LANES : share;
}

/* In place, the lines are in the cache already. Lines hold whole elements. */
static int choose_stream(const clsoftmax_problem *problem, const clsoftmax_arguments *arguments, uint64_t rows,
                         size_t threads)
{
    uint64_t results = rows * problem->classes * cls_problem_temperatures(problem);
    size_t size = clsoftmax_dtype_size(problem->results_dtype);
    return arguments->results != arguments->logits && (uintptr_t)arguments->results % size == 0 &&
           results * size / threads > STREAM_BYTES;
}

static clsoftmax_status cpu_plan_run(clsoftmax_plan *plan, const clsoftmax_arguments *arguments, uint64_t *invalid_rows)
{
    cpu_context *cpu = plan->context->state;
    const clsoftmax_problem *problem = &plan->problem;
    int side_by_side = plan->decision.variant.strategy != CLSOFTMAX_STRATEGY_ITEM;
    uint64_t rows = cls_problem_rows(problem);
    cpu_job job = {
        .call = {problem, arguments, cls_problem_policies(problem),
                 choose_stream(problem, arguments, rows, cpu->threads)},
        .rows = side_by_side         ? cpu->isa.lane
                : problem->sweep > 0 ? cpu->isa.sweep
                                     : cpu->isa.item,
        .scratch = plan->state,
        .row_count = rows,
        .share_rows = choose_share(problem, rows, cpu->threads, side_by_side),
    };
    uint64_t shares = (rows - 1) / job.share_rows + 1;
    pthreadpool_parallelize_1d(cpu->pool, run_shares, &job, shares < cpu->threads ? (size_t)shares : cpu->threads,
                               PTHREADPOOL_FLAG_YIELD_WORKERS);
    *invalid_rows = atomic_load(&job.invalid_rows);
    return CLSOFTMAX_OK;
}

/* Each thread's scratch memory stands behind the table of all. */
static clsoftmax_status cpu_plan_prepare(clsoftmax_plan *plan)
{
    cpu_context *cpu = plan->context->state;
    size_t table = (cpu->threads * sizeof(cpu_scratch) + 63) / 64 * 64;
    size_t floats = cpu->scratch_floats, room = floats + CPU_SCRATCH_BEHIND;
    char *memory = aligned_alloc(64, table + cpu->threads * room * sizeof(float));
    CLS_FAIL_IF(!memory, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for the scratch rows of %zu threads", cpu->threads);
    cpu_scratch *scratch = plan->state = memory;
    for (size_t i = 0; i < cpu->threads; i++) {
        scratch[i].room = (float *)(void *)(memory + table) + i * room;
        scratch[i].floats = floats;
    }
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

static size_t cache_bytes(int name, size_t otherwise)
{
    long bytes = sysconf(name);
    return bytes > 0 ? (size_t)bytes : otherwise;
}

/* Floats in a thread's scratch memory: its second-level cache, twice a small one, or half of its share of the third, where that is more; a
   second exponential takes longer than the first from there. And four blocks: arrays a power of two apart fall on each other in caches. */
static size_t choose_scratch_floats(size_t threads)
{
    const size_t least = (size_t)1 << 19, small = (size_t)2 << 20, most = (size_t)8 << 20;
    const size_t second = cache_bytes(_SC_LEVEL2_CACHE_SIZE, (size_t)1 << 20);
    const size_t share = cache_bytes(_SC_LEVEL3_CACHE_SIZE, 0) / threads / 2;
    size_t room = second >= small ? second : 2 * second < small ? 2 * second : small;
    room = room > share ? room : share;
    room = room < least ? least : room > most ? most : room;
    return (room / (2 * sizeof(float)) / CPU_BLOCK + 4) * 2 * CPU_BLOCK;
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
    cpu_isa isa = {0};
    size_t threads = 0;
    CLS_FORWARD(choose_isa(&isa));
    CLS_FORWARD(choose_threads(&threads));
    cpu_context *cpu = calloc(1, sizeof *cpu);
    CLS_FAIL_IF(!cpu, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a context");
    context->state = cpu;
    cpu->isa = isa;
    cpu->threads = threads = grantable_threads(threads);
    cpu->pool = threads > 1 ? pthreadpool_create(threads) : NULL; /* NULL runs in the caller's thread */
    if (!cpu->pool)
        cpu->threads = 1;
    cpu->scratch_floats = choose_scratch_floats(cpu->threads);

    clsoftmax_device *device = &context->device;
    device->type = CLSOFTMAX_DEVICE_CPU;
    strcpy(device->selector, "cpu");
    snprintf(device->name, sizeof device->name, "this library's own code");
    snprintf(device->driver, sizeof device->driver, "%s", isa.name);
    device->compute_units = (unsigned)cpu->threads;
    device->usable = 1;
    device->exact = 1;
    context->limits.type = CLSOFTMAX_DEVICE_CPU;
    context->limits.vector_width = isa.vector_width;
    return CLSOFTMAX_OK;
}
