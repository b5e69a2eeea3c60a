/*
 * Device "cpu": the numeric core over a pool of threads. It needs nothing but a processor. Opened by select.c.
 *
 * cpu_plan_run cuts the rows into shares, and each thread computes one share after another with the functions that were
 * compiled for its instruction set: cpu_item.c, cpu_lane.c or cpu_sweep.c. Where long rows are fewer than the threads,
 * or a few more, all threads compute the last of them together, cut into parts: cpu_parts.c. cpu_plan_prepare decides
 * which rows these are.
 */
#include "../context.h"
#include "../float_environment.h"
#include "../known_answer.h"
#include "../plan/strategy.h"
#include "../process.h"
#include "../status.h"
#include "cpu_pool.h"
#include "cpu_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The ways in which rows go over the CPU, in the order of the functions in a cpu_isa. */
typedef enum cpu_pipeline { CPU_ITEM, CPU_LANE, CPU_SWEEP, CPU_PIPELINES } cpu_pipeline;

/* An instruction set: its name, and the functions that were compiled for it, with the faithful and with the lean
   core. */
typedef struct cpu_isa {
    const char *name;
    unsigned vector_width; /* in floats */
    cpu_rows_function *rows[2][CPU_PIPELINES];
    cpu_parts_function *parts[2];
    int available;
} cpu_isa;

#define CPU_ROWS(isa)                                                                                                  \
    {                                                                                                                  \
        {cls_cpu_item_faithful_##isa, cls_cpu_lane_faithful_##isa, cls_cpu_sweep_faithful_##isa},                      \
            {cls_cpu_item_lean_##isa, cls_cpu_lane_lean_##isa, cls_cpu_sweep_lean_##isa},                              \
    }
#define CPU_PARTS(isa)                                                                                                 \
    {                                                                                                                  \
        cls_cpu_parts_faithful_##isa, cls_cpu_parts_lean_##isa                                                         \
    }

typedef struct cpu_context {
    cpu_pool *pool;
    size_t threads;
    cpu_isa isa;
    size_t room_floats; /* of each thread */
} cpu_context;

/* ---------------------------------------------------------------- Instruction sets */

/* Chooses the best instruction set that this processor has, or the one that CLSOFTMAX_CPU_ISA names. DEVICE_UNUSABLE if
   the processor does not have that. */
static clsoftmax_status choose_isa(cpu_isa *chosen)
{
    const cpu_isa isas[] = {
#ifdef CLSOFTMAX_X86
        {"avx512", 16, CPU_ROWS(avx512), CPU_PARTS(avx512),
         __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("fma")},
        /* Every processor with AVX2 has F16C. */
        {"avx2", 8, CPU_ROWS(avx2), CPU_PARTS(avx2), __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")},
#endif
        {"baseline", 4, CPU_ROWS(baseline), CPU_PARTS(baseline), 1},
    };
    const char *wanted = getenv("CLSOFTMAX_CPU_ISA");
    char available[64] = "";
    size_t length = 0;
    for (size_t i = 0; i < sizeof isas / sizeof *isas; i++) {
        if (!isas[i].available)
            continue;
        if (!wanted || !*wanted || strcmp(wanted, isas[i].name) == 0) {
            *chosen = isas[i];
            return CLSOFTMAX_OK;
        }
        const char *comma = length > 0 ? ", " : "";
        length += (size_t)snprintf(available + length, sizeof available - length, "%s%s", comma, isas[i].name);
    }
    return cls_fail(CLSOFTMAX_DEVICE_UNUSABLE, "CLSOFTMAX_CPU_ISA is \"%s\"; this processor has: %s", wanted,
                    available);
}

/* ---------------------------------------------------------------- Cutting a call */

/* What a plan needs of memory and decisions. */
typedef struct cpu_plan {
    cpu_pipeline pipeline;
    size_t threads, awake_threads;       /* that take part: if they must be woken, and if they are awake */
    uint64_t ranges, range_temperatures; /* see cpu_call */
    cpu_cut cut;
    uint64_t share_rows;
    cpu_room rooms[]; /* one for each thread of the pool */
} cpu_plan;

/* Returns the way in which the rows of a strategy go over the CPU. */
static cpu_pipeline choose_pipeline(const clsoftmax_problem *problem, clsoftmax_strategy strategy)
{
    static const cpu_pipeline pipelines[CLSOFTMAX_STRATEGY_COUNT] = {[CLSOFTMAX_STRATEGY_ITEM] = CPU_ITEM,
                                                                     [CLSOFTMAX_STRATEGY_LANE] = CPU_LANE,
                                                                     [CLSOFTMAX_STRATEGY_COLUMN] = CPU_LANE};
    cpu_pipeline pipeline = cpu_has_operand(problem) ? CPU_ITEM : pipelines[strategy]; /* lanes have no operand */
    return pipeline == CPU_ITEM && problem->sweep > 0 ? CPU_SWEEP : pipeline;
}

/* Returns how many threads take part, if each must have at least thread_elements elements to compute. */
static size_t choose_threads(const cpu_context *cpu, const clsoftmax_problem *problem, uint64_t thread_elements)
{
    uint64_t elements = cls_problem_rows(problem) * problem->classes * cls_problem_temperatures(problem);
    uint64_t threads = elements / thread_elements;
    return threads < 1 ? 1 : threads < cpu->threads ? (size_t)threads : cpu->threads;
}

/* Decides into how many ranges the temperatures of a sweep are cut: one, unless the rows are so few that threads would
   have none, or would wait long for the last. */
static void choose_ranges(const clsoftmax_problem *problem, const cls_tuning *tuning, cpu_plan *plan)
{
    const uint64_t rows = cls_problem_rows(problem), temperatures = cls_problem_temperatures(problem);
    const uint64_t wanted = plan->threads * tuning->few_rows_per_thread;
    const int is_cut = plan->pipeline == CPU_SWEEP && plan->threads > 1 && rows < wanted;
    const uint64_t most = is_cut ? cls_quotient_up(wanted, rows) : 1;
    plan->range_temperatures = cls_quotient_up(temperatures, most);
    plan->ranges = cls_quotient_up(temperatures, plan->range_temperatures);
}

/* Decides which rows all threads compute together: those that are left when each thread has had as many whole rows as
   the others, unless most threads have one more, or so many before that it does not matter. */
static void choose_cut(const clsoftmax_problem *problem, const cls_tuning *tuning, cpu_plan *plan)
{
    const uint64_t rows = cls_problem_rows(problem) * plan->ranges, left = rows % plan->threads;
    plan->cut = (cpu_cut){.first = rows, .threads = plan->threads};
    if (plan->pipeline == CPU_LANE || plan->range_temperatures > 1 || problem->classes < tuning->cut_classes ||
        left * 4 > plan->threads * 3 || rows / plan->threads >= tuning->few_rows_per_thread)
        return;
    const uint64_t most = plan->threads * tuning->shares_per_thread;
    const uint64_t parts = cls_smaller(problem->classes / tuning->part_classes, most);
    const uint64_t classes = cls_quotient_up(problem->classes, parts);
    plan->cut.first = rows - left;
    plan->cut.rows = (size_t)left;
    plan->cut.part_classes = (size_t)cls_quotient_up(classes, CPU_BLOCK) * CPU_BLOCK;
    plan->cut.parts = (size_t)cls_quotient_up(problem->classes, plan->cut.part_classes);
}

/* Returns how many rows a thread gets at a time. They have so many elements that handing them out costs little, and
   each thread has so many shares that one which is held up does not hold up the call. Rows side by side go in whole
   panels, short rows one after another in whole bundles. */
static uint64_t choose_share(const clsoftmax_problem *problem, const cls_tuning *tuning, const cpu_plan *plan)
{
    uint64_t elements = problem->classes * plan->range_temperatures;
    uint64_t share = plan->cut.first / (plan->awake_threads * tuning->shares_per_thread);
    share = cls_larger(share, cls_larger(1, tuning->awake_thread_elements / elements));
    if (plan->pipeline == CPU_LANE)
        return cls_quotient_up(share, CPU_LANES) * CPU_LANES;
    return share < CPU_VECTOR ? share : share / CPU_VECTOR * CPU_VECTOR;
}

/* Decides everything of a plan but its memory. */
static cpu_plan decide(const clsoftmax_plan *plan)
{
    const cpu_context *cpu = plan->context->state;
    const cls_tuning *tuning = cls_limits_tuning(&plan->context->limits);
    cpu_plan decided = {.pipeline = choose_pipeline(&plan->problem, plan->decision.variant.strategy),
                        .threads = choose_threads(cpu, &plan->problem, tuning->thread_elements),
                        .awake_threads = choose_threads(cpu, &plan->problem, tuning->awake_thread_elements)};
    choose_ranges(&plan->problem, tuning, &decided);
    choose_cut(&plan->problem, tuning, &decided);
    decided.share_rows = choose_share(&plan->problem, tuning, &decided);
    return decided;
}

/* Allocates what a plan needs in one piece: the plan itself with the table of rooms, the rows that are cut, their
   parts, and the rooms. Every thread of the pool has a room. */
static clsoftmax_status cpu_plan_prepare(clsoftmax_plan *plan)
{
    const cpu_context *cpu = plan->context->state;
    const cpu_plan decided = decide(plan);
    const size_t parts = decided.cut.rows * decided.cut.parts, stride = cpu->room_floats + CPU_ROOM_BEHIND;
    const size_t bytes[] = {sizeof(cpu_plan) + cpu->threads * sizeof(cpu_room), decided.cut.rows * sizeof(cpu_cut_row),
                            parts * sizeof(cpu_part), CPU_PHASES * parts, cpu->threads * stride * sizeof(float)};
    size_t at[sizeof bytes / sizeof *bytes], end = 0;
    for (size_t i = 0; i < sizeof bytes / sizeof *bytes; i++) {
        at[i] = end;
        end += (bytes[i] + 63) / 64 * 64;
    }
    char *memory = aligned_alloc(64, end);
    CLS_FAIL_IF(!memory, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for the rooms of %zu threads", cpu->threads);
    cpu_plan *made = plan->state = memory;
    *made = decided;
    made->cut.row = (void *)(memory + at[1]);
    made->cut.part = (void *)(memory + at[2]);
    made->cut.claimed = (void *)(memory + at[3]);
    for (size_t i = 0; i < cpu->threads; i++) {
        made->rooms[i].floats = (float *)(void *)(memory + at[4]) + i * stride;
        made->rooms[i].count = cpu->room_floats;
    }
    plan->decision.cut_rows = decided.cut.rows;
    plan->decision.parts = decided.cut.rows > 0 ? (uint32_t)decided.cut.parts : 1;
    return CLSOFTMAX_OK;
}

static void cpu_plan_release(clsoftmax_plan *plan)
{
    free(plan->state);
}

/* ---------------------------------------------------------------- Running */

/* A call, as its threads share it. */
typedef struct cpu_job {
    cpu_call call;
    const cpu_plan *plan;
    cpu_rows_function *rows;
    cpu_parts_function *parts;
    cpu_shares shares;
    atomic_uint_fast64_t invalid_rows;
} cpu_job;

/* Computes shares of rows until none is left, then parts of the rows that are cut, on one thread. */
static void run_shares(void *job_, size_t thread)
{
    cpu_job *job = job_;
    const cpu_plan *plan = job->plan;
    CLS_IN_DEFAULT_ENVIRONMENT;
    uint64_t invalid = job->rows(&job->call, &job->shares, &plan->rooms[thread]);
    if (plan->cut.rows > 0)
        invalid += job->parts(&job->call, &plan->cut, thread, &plan->rooms[thread]);
    atomic_fetch_add(&job->invalid_rows, invalid);
}

/* Returns 1 if results are written past the caches, because these would not hold them. In place they are not: their
   lines are in a cache already. Each line must hold whole elements. */
static int choose_stream(const clsoftmax_problem *problem, const clsoftmax_arguments *arguments,
                         const cls_tuning *tuning, size_t threads)
{
    uint64_t results = cls_problem_rows(problem) * problem->classes * cls_problem_temperatures(problem);
    size_t size = clsoftmax_dtype_size(problem->results_dtype);
    return arguments->results != arguments->logits && (uintptr_t)arguments->results % size == 0 &&
           results * size / threads > tuning->stream_bytes_per_thread;
}

/* Runs the plan: lets the threads compute the rows. */
static clsoftmax_status cpu_plan_run(clsoftmax_plan *plan, const clsoftmax_arguments *arguments, uint64_t *invalid_rows)
{
    cpu_context *cpu = plan->context->state;
    const cpu_plan *decided = plan->state;
    const clsoftmax_problem *problem = &plan->problem;
    cpu_job job = {
        .call = {problem, arguments, cls_problem_policies(problem),
                 choose_stream(problem, arguments, cls_limits_tuning(&plan->context->limits), decided->threads),
                 decided->ranges, decided->range_temperatures},
        .plan = decided,
        .rows = cpu->isa.rows[cls_problem_is_lean(problem)][decided->pipeline],
        .parts = cpu->isa.parts[cls_problem_is_lean(problem)],
        .shares = {.rows = decided->cut.first, .share_rows = decided->share_rows},
    };
    const uint64_t shares = cls_quotient_up(decided->cut.first, decided->share_rows);
    const uint64_t most = decided->cut.rows > 0 ? SIZE_MAX : shares; /* threads that have something to do */
    cpu_cut_begin(&decided->cut);
    cls_cpu_pool_run(cpu->pool, run_shares, &job, (size_t)cls_smaller(decided->threads, most),
                     (size_t)cls_smaller(decided->awake_threads, most));
    *invalid_rows = atomic_load(&job.invalid_rows);
    return CLSOFTMAX_OK;
}

/* ---------------------------------------------------------------- Context */

static void cpu_context_release(clsoftmax_context *context)
{
    cpu_context *cpu = context->state;
    if (!cpu)
        return;
    if (cls_process() == context->process) /* after fork() the threads do not exist and cannot be joined */
        cls_cpu_pool_destroy(cpu->pool);
    free(cpu);
}

/* Returns on how many processors this process may run; 1 if the system does not tell. The kernel refuses a set with
   room for fewer processors than it knows, so the room grows. */
static size_t allowed_processors(void)
{
    for (size_t bytes = sizeof(cpu_set_t); bytes <= (size_t)1 << 17; bytes *= 2) {
        cpu_set_t *set = calloc(1, bytes);
        int error = !set ? ENOMEM : sched_getaffinity(0, bytes, set) == 0 ? 0 : errno;
        size_t count = error ? 1 : (size_t)CPU_COUNT_S(bytes, set);
        free(set);
        if (error != EINVAL)
            return count;
    }
    return 1;
}

/* Reads up to two numbers from a file; those that are not there, as for the word "max", become 0. */
static void read_numbers(const char *path, double *first, double *second)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    FILE *file = descriptor >= 0 ? fdopen(descriptor, "r") : NULL;
    if (!file) {
        if (descriptor >= 0)
            close(descriptor);
        return;
    }
    int count = fscanf(file, "%lf %lf", first, second);
    *first = count >= 1 ? *first : 0;
    *second = count == 2 ? *second : 0;
    fclose(file);
}

/* Returns how many processors' time a container's limit allows, rounded up: that of cgroup v2 or v1. SIZE_MAX without a
   limit. */
static size_t processors_of_quota(void)
{
    double quota = 0, period = 0, unused;
    read_numbers("/sys/fs/cgroup/cpu.max", &quota, &period);
    if (period == 0) {
        quota = 0;
        read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", &quota, &unused); /* -1: none */
        read_numbers("/sys/fs/cgroup/cpu/cpu.cfs_period_us", &period, &unused);
    }
    return quota > 0 && period > 0 && quota / period < 1e6 ? (size_t)ceil(quota / period) : SIZE_MAX;
}

/* Reads the number of threads from CLSOFTMAX_THREADS; by default, as many as processors that this process may use. What
   is_limited points to tells whether a container's limit makes it fewer. */
static clsoftmax_status choose_pool(size_t *threads, int *is_limited)
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
    size_t allowed = allowed_processors(), quota = processors_of_quota();
    *is_limited = quota < allowed;
    *threads = *is_limited ? quota : allowed;
    return CLSOFTMAX_OK;
}

/* Names of caches for sysconf; musl has none, and answers -1. */
#ifdef _SC_LEVEL3_CACHE_SIZE
enum { SECOND_LEVEL = _SC_LEVEL2_CACHE_SIZE, THIRD_LEVEL = _SC_LEVEL3_CACHE_SIZE };
#else
enum { SECOND_LEVEL = -1, THIRD_LEVEL = -1 };
#endif

/* Returns what sysconf says about a cache, in bytes, or `otherwise` if it says nothing. */
static size_t cache_bytes(int name, size_t otherwise)
{
    long bytes = sysconf(name);
    return bytes > 0 ? (size_t)bytes : otherwise;
}

/* Returns the floats in a thread's room: as many as its second-level cache holds, twice as many if that is
   small, or half of its share of the third-level cache if that is more, because it takes longer to compute an
   exponential again than to read it from there (docs/experiments.md, "cpu: item" and "cpu: column"). Four blocks more
   keep the arrays in it from standing a power of two apart, where their lines would displace each other in the
   caches. */
static size_t choose_room_floats(const cls_tuning *tuning, size_t threads)
{
    const size_t least = tuning->least_room_bytes, small = tuning->small_cache_bytes, most = tuning->most_room_bytes;
    const size_t second = cache_bytes(SECOND_LEVEL, (size_t)1 << 20);
    const size_t share = cache_bytes(THIRD_LEVEL, 0) / threads / 2;
    size_t room = second >= small ? second : 2 * second < small ? 2 * second : small;
    room = room > share ? room : share;
    room = room < least ? least : room > most ? most : room;
    return (room / (2 * sizeof(float)) / CPU_BLOCK + 4) * 2 * CPU_BLOCK;
}

/* Checks that both pipelines of one temperature were compiled to what the contract says. */
static clsoftmax_status check_pipelines(clsoftmax_context *context)
{
    CLS_FORWARD(cls_check_known_answer(context, CLSOFTMAX_STRATEGY_ITEM));
    return cls_check_known_answer(context, CLSOFTMAX_STRATEGY_LANE);
}

clsoftmax_status cls_cpu_open(clsoftmax_context *context)
{
    static const cls_backend backend = {cpu_plan_prepare, cpu_plan_run, cpu_plan_release, cpu_context_release};
    context->backend = &backend;
    cpu_isa isa = {0};
    size_t threads = 0;
    int is_limited = 0;
    CLS_FORWARD(choose_isa(&isa));
    CLS_FORWARD(choose_pool(&threads, &is_limited));
    cpu_context *cpu = calloc(1, sizeof *cpu);
    CLS_FAIL_IF(!cpu, CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for a context");
    cpu->isa = isa;
    cpu->pool = cls_cpu_pool_create(threads);
    if (!cpu->pool) {
        free(cpu);
        return cls_fail(CLSOFTMAX_OUT_OF_HOST_MEMORY, "no memory for %zu threads", threads);
    }
    context->state = cpu;
    cpu->threads = cls_cpu_pool_threads(cpu->pool);

    clsoftmax_device *device = &context->device;
    device->type = CLSOFTMAX_DEVICE_CPU;
    strcpy(device->selector, "cpu");
    snprintf(device->name, sizeof device->name, "this library's own code");
    snprintf(device->driver, sizeof device->driver, "%s%s", isa.name,
             is_limited ? ", as many threads as the container's limit of processors allows" : "");
    device->compute_units = (unsigned)cpu->threads;
    device->usable = 1;
    device->exact = 1;
    context->limits.type = CLSOFTMAX_DEVICE_CPU;
    context->limits.vector_width = isa.vector_width;
    context->limits.tuning = cls_tuning_of_device(device);
    cpu->room_floats = choose_room_floats(context->limits.tuning, cpu->threads);
    clsoftmax_status status = check_pipelines(context);
    if (status != CLSOFTMAX_OK) {
        cpu_context_release(context);
        context->state = NULL;
    }
    return status;
}
