/*
 * clsoftmax: softmax with temperature for large matrices of logits.
 *
 *     p[i] = exp((x[i] - m) / T) / sum_j exp((x[j] - m) / T),   m = max_j x[j]
 *
 * Every probability is within 1 ULP of the exact real number, at every temperature, and has the same bits on every
 * device, with every strategy, work-group size, thread count and batch size. docs/numerics.md says how.
 *
 * Read this header from top to bottom; it is the tutorial. The whole of it in use:
 *
 *     clsoftmax_context *context = NULL;
 *     clsoftmax_status status = clsoftmax_context_create("auto", &context);   // a device, or the CPU path
 *     if (status == CLSOFTMAX_OK)
 *         status = clsoftmax_run(context, rows, classes, logits, 0.7f, probabilities);
 *     if (status != CLSOFTMAX_OK)
 *         fprintf(stderr, "%s\n", clsoftmax_last_error());
 *     clsoftmax_context_release(context);
 *
 * The library never prints, never exits, and never leaves a result half written without saying so in its status.
 */
#ifndef CLSOFTMAX_CLSOFTMAX_H
#define CLSOFTMAX_CLSOFTMAX_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CLSOFTMAX_VERSION_MAJOR 0
#define CLSOFTMAX_VERSION_MINOR 1
#define CLSOFTMAX_VERSION_PATCH 0
#define CLSOFTMAX_VERSION_STRING "0.1.0"

#if defined(__GNUC__)
#define CLSOFTMAX_API __attribute__((visibility("default")))
#else
#define CLSOFTMAX_API
#endif

/* The version of the library that runs, which may be newer than this header: "major.minor.patch". */
CLSOFTMAX_API const char *clsoftmax_version(void);

/* ---------------------------------------------------------------- 1. Status and errors */

/* Every function that can fail returns one of these; results come out by pointer. Groups leave room to grow. */
#define CLSOFTMAX_STATUS_LIST(X)                                                                                       \
    X(OK, 0, "done")                                                                                                   \
    X(INVALID_ARGUMENT, 10, "an argument is NULL, out of range, or at odds with another")                              \
    X(INVALID_TEMPERATURE, 11, "the temperature is negative or NaN")                                                   \
    X(INVALID_SHAPE, 12, "a matrix without classes, or one whose size no memory can hold")                             \
    X(UNSUPPORTED, 13, "this device cannot do what was asked for by name")                                             \
    X(BUFFER_TOO_SMALL, 14, "an OpenCL buffer does not hold the array that it is to hold")                             \
    X(WRONG_CONTEXT, 15, "a queue or buffer of another OpenCL context than the plan's")                                \
    X(WRONG_DEVICE, 16, "a queue of another OpenCL device than the plan's, or a plan without one")                     \
    X(OUT_OF_HOST_MEMORY, 20, "the host has no memory left")                                                           \
    X(OUT_OF_DEVICE_MEMORY, 21, "the device has no memory left")                                                       \
    X(DEVICE_NOT_FOUND, 30, "no such device, or no OpenCL on this machine")                                            \
    X(DEVICE_UNUSABLE, 31, "the device is there but cannot run the kernels")                                           \
    X(DEVICE_FAILED, 32, "an OpenCL call failed; clsoftmax_last_opencl_error() has its code")                          \
    X(FORKED, 40, "made before fork(); a fresh \"cpu\" context works in the child")

typedef enum clsoftmax_status {
#define CLSOFTMAX_STATUS_ENUM(name, value, meaning) CLSOFTMAX_##name = value,
    CLSOFTMAX_STATUS_LIST(CLSOFTMAX_STATUS_ENUM)
#undef CLSOFTMAX_STATUS_ENUM
} clsoftmax_status;

/* "INVALID_TEMPERATURE" for CLSOFTMAX_INVALID_TEMPERATURE; "UNKNOWN" for a number that is no status. */
CLSOFTMAX_API const char *clsoftmax_status_name(clsoftmax_status status);

/* What went wrong in this thread's last failed call: the reason, the name of OpenCL's error, the build log.
   "" before any failure. Valid until this thread's next call of the library. */
CLSOFTMAX_API const char *clsoftmax_last_error(void);

/* OpenCL's own error code behind this thread's last failure, 0 if there was none. */
CLSOFTMAX_API int clsoftmax_last_opencl_error(void);

/* ---------------------------------------------------------------- 2. Devices */

typedef enum clsoftmax_device_type {
    CLSOFTMAX_DEVICE_REFERENCE,   /* "reference": double precision, reads like the formula; for verification */
    CLSOFTMAX_DEVICE_CPU,         /* "cpu": this library's own code, no OpenCL needed */
    CLSOFTMAX_DEVICE_OPENCL_CPU,  /* an OpenCL device: a CPU ... */
    CLSOFTMAX_DEVICE_ACCELERATOR, /* ... an accelerator ... */
    CLSOFTMAX_DEVICE_GPU          /* ... or a GPU */
} clsoftmax_device_type;

typedef struct clsoftmax_device {
    clsoftmax_device_type type;
    char selector[24];      /* what names it here: "0:1" (platform:device), "cpu", "reference" */
    char name[128];         /* what its maker calls it */
    char platform[128];     /* the OpenCL platform and its version; "" for the native devices */
    char driver[128];       /* driver version; for "cpu" the instruction set in use */
    uint64_t global_memory; /* bytes; 0 for the native devices */
    unsigned compute_units; /* of the device; threads for the native devices */
    int usable;             /* 1: can be opened by name */
    int exact;        /* 1: meets the conditions of the numeric promise (subnormals, round to nearest, full profile) */
    int automatic;    /* 1: this is the one that "auto" takes */
    char reason[256]; /* why it is not usable, not exact, or (not) taken by "auto" */
} clsoftmax_device;

/* All devices, the native ones last: *devices has *count entries, to be given back with clsoftmax_devices_release. A
   machine without OpenCL is no error; it has the two native devices. Opens every OpenCL device and builds a trivial
   kernel on it, which may take a second each on the first call. */
CLSOFTMAX_API clsoftmax_status clsoftmax_devices_list(clsoftmax_device **devices, size_t *count);
CLSOFTMAX_API void clsoftmax_devices_release(clsoftmax_device *devices);

/* The tuning numbers, by which plans for a device are made: work-group sizes, limits between strategies, sizes of tiles. They
   change how fast a result comes, and never a bit of it. */
typedef struct clsoftmax_tuning {
    const char *name;
    const char *meaning;
    uint64_t value;
} clsoftmax_tuning;

/* Writes the device's tuning number `index`, counted from 0, and returns 1; returns 0 behind the last. */
CLSOFTMAX_API int clsoftmax_device_tuning(const clsoftmax_device *device, size_t index, clsoftmax_tuning *number);

/* A context is a device made ready. Contexts may be shared between threads. */
typedef struct clsoftmax_context clsoftmax_context;

/* Opens a device. selector:
     NULL, "" or "auto"    the environment's CLSOFTMAX_DEVICE if set; else the first usable GPU, then accelerator, then OpenCL
                           CPU device, then "cpu". Never fails for want of a device: see clsoftmax_context_notice
     "cpu"                 the library's own code. Threads: CLSOFTMAX_THREADS, or all processors this process may use
     "reference"           double precision, one thread, slow
     "gpu"                 the first OpenCL GPU
     "P:D"                 OpenCL platform P, device D, as clsoftmax_devices_list counts them
     other text            the first OpenCL device whose name contains it, whatever the case of the letters
   DEVICE_NOT_FOUND or DEVICE_UNUSABLE if a device named so is not there or cannot run kernels. After fork(), a child of a
   process that has used OpenCL gets "cpu" from "auto", and FORKED for a named OpenCL device: drivers do not survive it. */
CLSOFTMAX_API clsoftmax_status clsoftmax_context_create(const char *selector, clsoftmax_context **context);

/* Gives everything back. Plans of this context must be released before. NULL is allowed. */
CLSOFTMAX_API void clsoftmax_context_release(clsoftmax_context *context);

/* The device behind the context. Valid as long as the context. */
CLSOFTMAX_API const clsoftmax_device *clsoftmax_context_device(const clsoftmax_context *context);

/* A sentence that a user should see, or NULL: why "auto" fell back to "cpu", or what a named device cannot promise. */
CLSOFTMAX_API const char *clsoftmax_context_notice(const clsoftmax_context *context);

/* ---------------------------------------------------------------- 3. Softmax of a matrix in host memory */

/* probabilities[r][c] = softmax(logits[r] / temperature)[c] for a row-major matrix of `rows` rows of `classes` f32 values.
   The two matrices may be the same memory, and must not overlap otherwise.

   temperature, in [0, inf]:
     T = 0         the limit: the mass split evenly over the largest logits of the row
     T = inf       the limit: uniform over the classes whose logit is not -inf
     T < 0, NaN    INVALID_TEMPERATURE, nothing written
   logits:
     -inf          probability exactly 0 (a mask)
     a row of -inf NaN throughout, as PyTorch
     +inf          NaN throughout the row, as PyTorch
     NaN           NaN throughout the row
   shapes:
     rows = 0      nothing to do
     classes = 1   probability 1, NaN by the rules above
     classes = 0   INVALID_SHAPE
   NaN is written as 0x7FC00000 (f16 0x7E00, bf16 0x7FC0), zero as +0.

   Equal to a plan made, run once and released: see below. */
CLSOFTMAX_API clsoftmax_status clsoftmax_run(clsoftmax_context *context, uint64_t rows, uint64_t classes,
                                             const float *logits, float temperature, float *probabilities);

/* ---------------------------------------------------------------- 4. Problems: types, shapes, operations, policies */

/* Logits and results may be of different types; the computation is in f32, with one rounding at the end, so that 16-bit
   results are within 0.51 ULP of their type. */
#define CLSOFTMAX_DTYPE_LIST(X)                                                                                        \
    X(F32, "f32", 4)                                                                                                   \
    X(F16, "f16", 2)                                                                                                   \
    X(BF16, "bf16", 2)

typedef enum clsoftmax_dtype {
#define CLSOFTMAX_DTYPE_ENUM(name, text, bytes) CLSOFTMAX_##name,
    CLSOFTMAX_DTYPE_LIST(CLSOFTMAX_DTYPE_ENUM)
#undef CLSOFTMAX_DTYPE_ENUM
        CLSOFTMAX_DTYPE_COUNT
} clsoftmax_dtype;

/* "f16" for CLSOFTMAX_F16; NULL for a number that is no dtype. Bytes of an element; 0 likewise. */
CLSOFTMAX_API const char *clsoftmax_dtype_name(clsoftmax_dtype dtype);
CLSOFTMAX_API size_t clsoftmax_dtype_size(clsoftmax_dtype dtype);

/* What is written for each logit. Log-probabilities are within 1 ULP plus classes * 2^-44 of the exact ones, then half an ULP of
   a 16-bit type; below the type's range they are -inf; ln 1 is +0; at T = 0 they are -ln(number of ties) and -inf. */
#define CLSOFTMAX_OPERATION_LIST(X)                                                                                    \
    X(NONE, "none", "nothing: statistics only")                                                                        \
    X(SOFTMAX, "softmax", "p = exp((x - m) / T) / sum")                                                                \
    X(LOG_SOFTMAX, "log_softmax", "ln p = (x - m) / T - ln(sum)")

typedef enum clsoftmax_operation {
#define CLSOFTMAX_OPERATION_ENUM(name, text, meaning) CLSOFTMAX_OPERATION_##name,
    CLSOFTMAX_OPERATION_LIST(CLSOFTMAX_OPERATION_ENUM)
#undef CLSOFTMAX_OPERATION_ENUM
        CLSOFTMAX_OPERATION_COUNT
} clsoftmax_operation;

/* "softmax" for CLSOFTMAX_OPERATION_SOFTMAX; NULL for a number that is no operation. */
CLSOFTMAX_API const char *clsoftmax_operation_name(clsoftmax_operation operation);

/* How rows are laid over a device: the idea, and when "auto" takes it, which takes the first whose rule holds. Every
   strategy gives the same bits. */
#define CLSOFTMAX_STRATEGY_LIST(X)                                                                                     \
    X(AUTO, "auto", "chosen from the device, its limits and the shape", "by default")                                  \
    X(COLUMN, "column", "neighbouring columns on neighbouring lanes",                                                  \
      "the softmax axis is not the last, so that columns are neighbours in memory and classes are not; or statistics " \
      "alone at 12 temperatures or more on an OpenCL CPU device: the temperatures of a row are its columns")           \
    X(LANE, "lane", "rows side by side, each on a lane of its own",                                                    \
      "at most 64 classes, on CPUs more where classes are neighbours in memory (OpenCL: 96 or 160, cpu: 127 to 255): " \
      "most of the work is done once a row")                                                                           \
    X(ITEM, "item", "rows one after another, in explicit vectors",                                                     \
      "cpu and OpenCL CPU devices: barriers are expensive there, and vectors cheap")                                   \
    X(SPLIT, "split", "several work-groups to a row, three kernels (OpenCL)",                                          \
      "more than 65536 classes, or 24576 in fewer rows than compute units: one work-group is too small")               \
    X(GROUP, "group", "one work-group to a row, which it keeps in registers (OpenCL)",                                 \
      "everything else: neighbouring work-items read neighbouring logits")                                             \
    X(PLAIN, "plain", "one work-group to a row, as a textbook has it (OpenCL)",                                        \
      "never: it is there to be read, and to be a lower bar")

typedef enum clsoftmax_strategy {
#define CLSOFTMAX_STRATEGY_ENUM(name, text, idea, rule) CLSOFTMAX_STRATEGY_##name,
    CLSOFTMAX_STRATEGY_LIST(CLSOFTMAX_STRATEGY_ENUM)
#undef CLSOFTMAX_STRATEGY_ENUM
        CLSOFTMAX_STRATEGY_COUNT
} clsoftmax_strategy;

/* "group" for CLSOFTMAX_STRATEGY_GROUP; NULL for a number that is no strategy. */
CLSOFTMAX_API const char *clsoftmax_strategy_name(clsoftmax_strategy strategy);

/* Its idea, and its rule with the reason, for people; NULL likewise. */
CLSOFTMAX_API const char *clsoftmax_strategy_idea(clsoftmax_strategy strategy);
CLSOFTMAX_API const char *clsoftmax_strategy_rule(clsoftmax_strategy strategy);

/* 1 if the context's device can run the strategy. */
CLSOFTMAX_API int clsoftmax_strategy_supported(const clsoftmax_context *context, clsoftmax_strategy strategy);

/* A row of which every logit is -inf: probabilities of NaN (as PyTorch), 0 (as oneDNN's inf_as_zero), or 1 / classes. */
typedef enum clsoftmax_neg_inf_rows {
    CLSOFTMAX_NEG_INF_ROWS_NAN,
    CLSOFTMAX_NEG_INF_ROWS_ZERO,
    CLSOFTMAX_NEG_INF_ROWS_UNIFORM
} clsoftmax_neg_inf_rows;

/* A row with +inf among its logits: NaN throughout (as PyTorch), or the mass split evenly over the +inf logits. */
typedef enum clsoftmax_pos_inf { CLSOFTMAX_POS_INF_NAN, CLSOFTMAX_POS_INF_LIMIT } clsoftmax_pos_inf;

/* Where element [o][c][i] of an array stands: at offset + o * outer_stride + c * class_stride + i * inner_stride, in
   elements. A layout of zeros is dense: offset 0, strides classes * inner, inner, 1. The stride of a dimension of size 1 does not
   matter. Of the results, each stride must step over all that the smaller ones span, so that no two share a place; logits may
   repeat (outer stride 0: one row for all). */
typedef struct clsoftmax_layout {
    uint64_t offset;
    uint64_t outer_stride;
    uint64_t class_stride;
    uint64_t inner_stride;
} clsoftmax_layout;

/* What is to be computed. An array of any number of dimensions is (outer, classes, inner): the dimensions before the softmax
   axis, that axis, and those behind it; a matrix with softmax along its last axis has inner = 1. There are outer * inner rows;
   row r stands at outer index r / inner and inner index r % inner.

   Start from CLSOFTMAX_PROBLEM_INIT, or from clsoftmax_problem_init where macros are out of reach. Both set `size`, by which
   a later library, whose problem has more fields at its end, knows those that the program has; the others get their
   defaults. */
typedef struct clsoftmax_problem {
    size_t size; /* of this struct in the program: sizeof(clsoftmax_problem) */
    uint64_t outer;
    uint64_t classes;
    uint64_t inner;
    clsoftmax_operation operation;
    clsoftmax_dtype logits_dtype;
    clsoftmax_dtype results_dtype;
    clsoftmax_layout logits_layout;
    clsoftmax_layout results_layout;
    int temperature_per_row; /* 1: an array of outer * inner temperatures, in the order of the rows */
    int statistics;          /* 1: a clsoftmax_statistics for each row, in the same pass */
    clsoftmax_neg_inf_rows neg_inf_rows;
    clsoftmax_pos_inf pos_inf;
    clsoftmax_strategy strategy; /* AUTO, or one by name: UNSUPPORTED if the device cannot */
    uint32_t work_group_size;    /* 0: chosen; else work-items per work-group, rounded down to what the kernel allows */
    uint64_t tile_outer;         /* 0: chosen; else at most so many outer indices in a tile: see clsoftmax_plan_run */
    uint64_t sweep;              /* 0; or K, for each row at each of K temperatures: see section 7 */
    uint64_t sweep_stride;       /* elements from a result at one temperature to that at the next; 0: dense */
} clsoftmax_problem;

/* clang-format off */
#define CLSOFTMAX_PROBLEM_INIT                                                                                         \
    { sizeof(clsoftmax_problem), 0, 0, 1, CLSOFTMAX_OPERATION_SOFTMAX, CLSOFTMAX_F32, CLSOFTMAX_F32, {0, 0, 0, 0}, {0, 0, 0, 0}, 0, 0,           \
      CLSOFTMAX_NEG_INF_ROWS_NAN, CLSOFTMAX_POS_INF_NAN, CLSOFTMAX_STRATEGY_AUTO, 0, 0, 0, 0 }
/* clang-format on */

/* Sets a problem of `size` bytes, sizeof(clsoftmax_problem) of the program, to CLSOFTMAX_PROBLEM_INIT. */
CLSOFTMAX_API void clsoftmax_problem_init(clsoftmax_problem *problem, size_t size);

/* Sets outer, classes and inner for a dense array of `dimensions` sizes and softmax along `axis`, counted as NumPy does: 0 is
   the first, -1 the last. INVALID_SHAPE for an axis that is not there, or sizes whose product overflows. */
CLSOFTMAX_API clsoftmax_status clsoftmax_problem_set_shape(clsoftmax_problem *problem, unsigned dimensions,
                                                           const uint64_t *shape, int axis);

/* ---------------------------------------------------------------- 5. Statistics of a row */

/* Of a row at its temperature; ln is the natural logarithm, S the sum of exp((x - m) / T). Errors against the exact values,
   for C classes:
     maximum                  exact; NaN if a logit is NaN
     argmax                   exact: the first of the largest logits, or the first NaN (as NumPy)
     largest_probability      1 / S, within 1 ULP
     margin                   largest minus second largest probability: within 1 ULP of the largest (0 for one -inf alone, uniform)
     log_sum_exp              ln sum exp(x / T) = m / T + ln S: within 1 ULP + |ln S| 2^-25 + C 2^-44
     entropy                  -sum p ln p: within 4 ULP + C 2^-42
     negative_log_likelihood  -ln p[label]: as log-probabilities; NaN without a label in [0, classes)
   A row that is NaN throughout has its maximum and argmax; the rest is NaN, but for log_sum_exp, which is the maximum where that
   is infinite and the temperature is one. A row of zeros (CLSOFTMAX_NEG_INF_ROWS_ZERO) has entropy, largest probability and
   margin 0, and the negative log-likelihood inf. NaN is 0x7FC00000. */
typedef struct clsoftmax_statistics {
    float maximum;
    float log_sum_exp;
    float entropy;
    float largest_probability;
    float margin;
    float negative_log_likelihood;
    int64_t argmax;
} clsoftmax_statistics;

/* ---------------------------------------------------------------- 6. Plans: many calls of one problem */

/* A plan: the problem, the strategy chosen for it, the kernel built. One thread at a time may use it. */
typedef struct clsoftmax_plan clsoftmax_plan;

/* Plans the problem on the context's device; builds what is not built yet. INVALID_ARGUMENT or INVALID_SHAPE for a problem that
   makes no sense, UNSUPPORTED for a strategy that the device or the layout rules out. */
CLSOFTMAX_API clsoftmax_status clsoftmax_plan_create(clsoftmax_context *context, const clsoftmax_problem *problem,
                                                     clsoftmax_plan **plan);

/* The arrays of one call, in host memory. What the plan's problem does not ask for stays NULL. Start from
   CLSOFTMAX_ARGUMENTS_INIT or clsoftmax_arguments_init, as with a problem. */
typedef struct clsoftmax_arguments {
    size_t size; /* of this struct in the program: sizeof(clsoftmax_arguments) */
    const void *logits;
    void *results;     /* may be logits where dtypes and layouts are equal; else their spans must not meet */
    float temperature; /* for all rows */
    /* one for each row, if temperature_per_row: a negative or NaN one makes its row NaN; or those of the sweep */
    const float *temperatures;
    /* one for each row, if statistics: -1, or any number outside [0, classes), for no label; may be NULL */
    const int64_t *labels;
    clsoftmax_statistics *statistics; /* one for each row, if statistics */
    uint64_t *invalid_rows; /* if not NULL: becomes the number of rows whose temperature was negative or NaN */
} clsoftmax_arguments;

/* clang-format off */
#define CLSOFTMAX_ARGUMENTS_INIT { sizeof(clsoftmax_arguments), NULL, NULL, 1.0f, NULL, NULL, NULL, NULL }
/* clang-format on */

/* Sets arguments of `size` bytes, sizeof(clsoftmax_arguments) of the program, to CLSOFTMAX_ARGUMENTS_INIT. */
CLSOFTMAX_API void clsoftmax_arguments_init(clsoftmax_arguments *arguments, size_t size);

/* Runs the plan; returns when the results are there. An OpenCL device that shares its memory with the host works on the arrays as they
   are; for others they are copied, in tiles, of which upload, computation and download overlap, so that arrays and even rows may be
   larger than its memory (docs/host-memory.md; CLSOFTMAX_HOST_MEMORY=copy or share in the environment takes the other way, for
   measurements). No tiles change a bit, and nothing of the arrays is in use once this has returned. After a failure of the device, what results and statistics hold is not
   specified; after any other failure they are untouched. */
CLSOFTMAX_API clsoftmax_status clsoftmax_plan_run(clsoftmax_plan *plan, const clsoftmax_arguments *arguments);

/* One line that names everything the plan decided. Valid as long as the plan. */
CLSOFTMAX_API const char *clsoftmax_plan_description(const clsoftmax_plan *plan);

/* NULL is allowed. */
CLSOFTMAX_API void clsoftmax_plan_release(clsoftmax_plan *plan);

/* ---------------------------------------------------------------- 7. Sweeps: many temperatures, one read of the logits */

/* A problem whose `sweep` is K computes every row at each of the K numbers in arguments.temperatures. The result of temperature k
   stands k * sweep_stride elements behind that of temperature 0, which is in results_layout; statistics of row r at temperature
   k are statistics[k * rows + r]. So results of zeros in layout and stride are [K][outer][classes][inner]; with an outer stride
   of K * classes and a sweep stride of classes, [rows][K][classes]. The bits are those of K separate calls. A row is
   read from memory once for all temperatures (on "cpu" for 64 at a time) as long as caches hold it, and what depends on the row
   alone is done once.
     INVALID_ARGUMENT     a sweep together with temperature_per_row; results that meet the logits
     INVALID_TEMPERATURE  one of the temperatures is negative or NaN; nothing is written (device buffers, which the host
                          cannot see: NaN throughout, counted as so many invalid rows) */

/* The sweep of a row-major matrix of f32 logits: probabilities [count][rows][classes], statistics [count][rows]; either may be
   NULL, not both. count = 0: nothing to do. */
CLSOFTMAX_API clsoftmax_status clsoftmax_sweep(clsoftmax_context *context, uint64_t rows, uint64_t classes,
                                               const float *logits, uint64_t count, const float *temperatures,
                                               float *probabilities, clsoftmax_statistics *statistics);

#ifdef __cplusplus
}
#endif

#endif
