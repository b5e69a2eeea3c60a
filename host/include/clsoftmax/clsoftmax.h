/*
 * clsoftmax: softmax with temperature for large matrices of logits.
 *
 *     p[i] = exp((x[i] - m) / T) / sum_j exp((x[j] - m) / T),   m = max_j x[j]
 *
 * Every probability is within 1 ULP of the exact real number, at every temperature, and has the same bits on every
 * device, with every strategy, work-group size, thread count and batch size. docs/numerics.md says how.
 *
 * Read this header from top to bottom; it is the tutorial. A whole program needs no more than this:
 *
 *     clsoftmax_context *context = NULL;
 *     clsoftmax_status status = clsoftmax_context_create("auto", &context);   // a device, or the CPU path
 *     if (status == CLSOFTMAX_OK)
 *         status = clsoftmax_run(context, rows, classes, logits, 0.7f, probabilities);
 *     if (status != CLSOFTMAX_OK)
 *         fprintf(stderr, "%s\n", clsoftmax_last_error());
 *     clsoftmax_context_release(context);
 *
 * Section 3 is that call. Sections 4 to 6 are for other types, shapes and operations, for statistics, and for many
 * calls of one problem; section 7 is for many temperatures, sections 8 to 10 for losses, gradients and other
 * derivatives. clsoftmax_cl.h is for programs that have OpenCL buffers.
 *
 * The library never prints and never exits. Whenever a result is incomplete, the status says so.
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

/* Returns the version of the library that runs, as "major.minor.patch". It may be newer than this header. */
CLSOFTMAX_API const char *clsoftmax_version(void);

/* ---------------------------------------------------------------- 1. Status and errors */

/* Every function that can fail returns a status, and its results by pointer. The numbers leave room in each group: from
   10 on the call is wrong, from 20 on there is no memory, from 30 on the device is the reason. */
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

/* Returns the name of a status, "INVALID_TEMPERATURE" for CLSOFTMAX_INVALID_TEMPERATURE; "UNKNOWN" for a number that is
   no status. */
CLSOFTMAX_API const char *clsoftmax_status_name(clsoftmax_status status);

/* Returns what went wrong in this thread's last call that failed: the reason, the name of OpenCL's error, the build
   log. Returns "" before any failure. The text is valid until this thread's next call of the library. */
CLSOFTMAX_API const char *clsoftmax_last_error(void);

/* Returns OpenCL's error code behind this thread's last failure; 0 if there was none. */
CLSOFTMAX_API int clsoftmax_last_opencl_error(void);

/* ---------------------------------------------------------------- 2. Devices */

typedef enum clsoftmax_device_type {
    CLSOFTMAX_DEVICE_REFERENCE,   /* "reference": double precision, reads like the formula; for verification */
    CLSOFTMAX_DEVICE_CPU,         /* "cpu": this library's own code, needs no OpenCL */
    CLSOFTMAX_DEVICE_OPENCL_CPU,  /* an OpenCL device: a CPU ... */
    CLSOFTMAX_DEVICE_ACCELERATOR, /* ... an accelerator ... */
    CLSOFTMAX_DEVICE_GPU          /* ... or a GPU */
} clsoftmax_device_type;

/* A device, and whether this library can use it. */
typedef struct clsoftmax_device {
    clsoftmax_device_type type;
    char selector[24];      /* names it for clsoftmax_context_create: "0:1" (platform:device), "cpu", "reference" */
    char name[128];         /* as its maker calls it */
    char platform[128];     /* the OpenCL platform and its version; "" for the native devices */
    char driver[128];       /* its driver's version; for "cpu" the instruction set in use */
    uint64_t global_memory; /* in bytes; 0 for the native devices */
    unsigned compute_units; /* threads, for the native devices */
    int usable;             /* 1: it can be opened by name */
    int exact;              /* 1: it keeps the numeric promise (subnormals, round to nearest, full profile) */
    int automatic;          /* 1: "auto" takes this one */
    char reason[256];       /* why it is not usable, not exact, or (not) taken by "auto" */
} clsoftmax_device;

/* Lists all devices, the native ones last. *devices gets *count entries, and must be given back to
   clsoftmax_devices_release. A machine without OpenCL is no error; it has the two native devices. The function opens
   every OpenCL device and builds a trivial kernel on it, which may take a second for each on the first call. */
CLSOFTMAX_API clsoftmax_status clsoftmax_devices_list(clsoftmax_device **devices, size_t *count);
CLSOFTMAX_API void clsoftmax_devices_release(clsoftmax_device *devices);

/* A tuning number. Plans for a device are made by such numbers: work-group sizes, limits between strategies, sizes of
   tiles. They change how fast a result comes, and never a bit of it. */
typedef struct clsoftmax_tuning {
    const char *name;
    const char *meaning;
    uint64_t value;
} clsoftmax_tuning;

/* Writes the device's tuning number `index`, counted from 0, and returns 1. Returns 0 behind the last one. */
CLSOFTMAX_API int clsoftmax_device_tuning(const clsoftmax_device *device, size_t index, clsoftmax_tuning *number);

/* A device made ready. Threads may share a context. */
typedef struct clsoftmax_context clsoftmax_context;

/* Opens a device. The selector is one of these:
     NULL, "" or "auto"    what CLSOFTMAX_DEVICE in the environment names, if it is set; otherwise the first usable GPU,
                           or else "cpu". No other device is opened. Never fails because no device is there: see
                           clsoftmax_context_notice
     "cpu"                 the library's own code, with CLSOFTMAX_THREADS threads, or as many as processors that this
                           process may use, by its affinity and the limit of its container (cgroup)
     "reference"           double precision, one thread, slow
     "opencl"              the first usable OpenCL device: a GPU, or else an accelerator, or else an OpenCL CPU device
     "gpu", "accelerator", "opencl-cpu"   the first OpenCL device of this type
     "P:D"                 device D of OpenCL platform P, as clsoftmax_devices_list counts them
     other text            the first OpenCL device whose name contains it, whatever the case of the letters
   DEVICE_NOT_FOUND if no device is named so, DEVICE_UNUSABLE if it cannot run kernels. After fork(), a child of a
   process that has used OpenCL gets "cpu" from "auto", and FORKED for a named OpenCL device: drivers do not survive
   fork(). */
CLSOFTMAX_API clsoftmax_status clsoftmax_context_create(const char *selector, clsoftmax_context **context);

/* Releases a context. Its plans must be released before. NULL is allowed. */
CLSOFTMAX_API void clsoftmax_context_release(clsoftmax_context *context);

/* Returns the device of the context. It is valid as long as the context. */
CLSOFTMAX_API const clsoftmax_device *clsoftmax_context_device(const clsoftmax_context *context);

/* Returns a sentence that a user should see, or NULL: why "auto" fell back to "cpu", or what a named device cannot
   promise. */
CLSOFTMAX_API const char *clsoftmax_context_notice(const clsoftmax_context *context);

/* ---------------------------------------------------------------- 3. Softmax of a matrix in host memory */

/* Computes probabilities[r][c] = softmax(logits[r] / temperature)[c] for row-major matrices of `rows` rows of `classes`
   f32 values. The two matrices may be the same memory, and must not overlap otherwise.

   temperature, in [0, inf]:
     T = 0         the limit: the mass is split evenly over the largest logits of the row
     T = inf       the limit: the mass is split evenly over the classes whose logit is not -inf
     T < 0, NaN    INVALID_TEMPERATURE, and nothing is written
   logits:
     -inf          probability exactly 0 (a mask)
     a row of -inf NaN throughout, as in PyTorch
     +inf          NaN throughout the row, as in PyTorch
     NaN           NaN throughout the row
   shapes:
     rows = 0      nothing to do
     classes = 1   probability 1, or NaN by the rules above
     classes = 0   INVALID_SHAPE
   NaN is written as 0x7FC00000 (f16 0x7E00, bf16 0x7FC0), zero as +0.

   The call makes a plan, runs it once, and releases it: see section 6. */
CLSOFTMAX_API clsoftmax_status clsoftmax_run(clsoftmax_context *context, uint64_t rows, uint64_t classes,
                                             const float *logits, float temperature, float *probabilities);

/* ---------------------------------------------------------------- 4. Problems: types, shapes, operations, policies */

/* Logits and results may have different types. The computation is in f32, with one rounding at the end, so that 16-bit
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

/* Return the name of a dtype, "f16" for CLSOFTMAX_F16, and the bytes of its elements; NULL and 0 for a number that is
   no dtype. */
CLSOFTMAX_API const char *clsoftmax_dtype_name(clsoftmax_dtype dtype);
CLSOFTMAX_API size_t clsoftmax_dtype_size(clsoftmax_dtype dtype);

/* What is written for each logit. Log-probabilities are within 1 ULP plus classes * 2^-44 of themselves, also
   next to 0 (-1.27e-14 for the first class of the row 32, 0), and then half an ULP of a 16-bit type. Below the range of
   the type they are -inf, and ln 1 is +0. At T = 0 they are -ln(number of ties) and -inf.

   The list can be extended: kernels/operations/operations.h in the source tells what an operation consists of, and
   every device and strategy then computes it. */
#define CLSOFTMAX_OPERATION_LIST(X)                                                                                    \
    X(NONE, "none", "nothing: statistics only")                                                                        \
    X(SOFTMAX, "softmax", "p = exp((x - m) / T) / sum")                                                                \
    X(LOG_SOFTMAX, "log_softmax", "ln p = (x - m) / T - ln(sum)")                                                      \
    X(CROSS_ENTROPY, "cross_entropy", "nothing for a class; for each row the loss w (-ln p[label]) + z lse^2")         \
    X(CROSS_ENTROPY_GRADIENT, "cross_entropy_gradient", "((w + 2 z lse) p - w [class = label]) s / T; and the loss")   \
    X(SOFTMAX_BACKWARD, "softmax_backward", "p (g - sum of p g) / T, for a gradient from above g")                     \
    X(LOG_SOFTMAX_BACKWARD, "log_softmax_backward", "(g - p sum of g) / T")                                            \
    X(SENSITIVITY, "sensitivity", "dp / dT = p (E[x] - x) / T^2")                                                      \
    X(DISTILLATION, "distillation", "nothing for a class; for each row the loss w KL(q || p) T^2, for a teacher's q")  \
    X(DISTILLATION_GRADIENT, "distillation_gradient", "(p - q) w s T, for a teacher's probabilities q; and the loss")  \
    X(CROSS_ENTROPY_OF_TARGETS, "cross_entropy_of_targets",                                                            \
      "nothing for a class; for each row the loss w sum of t (-ln p) + z lse^2, for target probabilities t")           \
    X(CROSS_ENTROPY_OF_TARGETS_GRADIENT, "cross_entropy_of_targets_gradient",                                          \
      "((w sum of t + 2 z lse) p - w t) s / T; and the loss")                                                          \
    X(SMOOTHED_CROSS_ENTROPY, "smoothed_cross_entropy", "cross_entropy with a share of the label spread over all")     \
    X(SMOOTHED_CROSS_ENTROPY_GRADIENT, "smoothed_cross_entropy_gradient", "its gradient; and the loss")                \
    X(SOFTMAX_TEMPERATURE_GRADIENT, "softmax_temperature_gradient",                                                    \
      "nothing for a class; for each row the sum of g dp / dT, for a gradient from above g")                           \
    X(LOG_SOFTMAX_TEMPERATURE_GRADIENT, "log_softmax_temperature_gradient",                                            \
      "nothing for a class; for each row the sum of g d(ln p) / dT")                                                   \
    X(REVERSE_DISTILLATION, "reverse_distillation",                                                                    \
      "nothing for a class; for each row the loss w KL(p || q) T^2, for a teacher's q")                                \
    X(REVERSE_DISTILLATION_GRADIENT, "reverse_distillation_gradient",                                                  \
      "p (ln p - ln q - KL(p || q)) w s T, for a teacher's probabilities q; and the loss")                             \
    X(JENSEN_SHANNON, "jensen_shannon",                                                                                \
      "nothing for a class; for each row the loss w (b KL(q || m) + (1 - b) KL(p || m)) T^2, m = b q + (1 - b) p")     \
    X(JENSEN_SHANNON_GRADIENT, "jensen_shannon_gradient", "(1 - b) p (ln p - ln m - KL(p || m)) w s T; and the loss")

typedef enum clsoftmax_operation {
#define CLSOFTMAX_OPERATION_ENUM(name, text, meaning) CLSOFTMAX_OPERATION_##name,
    CLSOFTMAX_OPERATION_LIST(CLSOFTMAX_OPERATION_ENUM)
#undef CLSOFTMAX_OPERATION_ENUM
        CLSOFTMAX_OPERATION_COUNT
} clsoftmax_operation;

/* Returns the name of an operation, "softmax" for CLSOFTMAX_OPERATION_SOFTMAX; NULL for a number that is no
   operation. */
CLSOFTMAX_API const char *clsoftmax_operation_name(clsoftmax_operation operation);

/* Tell what an operation has: results for the classes, a loss for each row (sections 8 and 10), labels that its loss
   needs (section 8), an operand (sections 8 to 10), an operand that is target probabilities (section 8), and one that
   is a teacher's logits (section 10). Each returns 1 or 0. */
CLSOFTMAX_API int clsoftmax_operation_has_results(clsoftmax_operation operation);
CLSOFTMAX_API int clsoftmax_operation_has_loss(clsoftmax_operation operation);
CLSOFTMAX_API int clsoftmax_operation_has_labels(clsoftmax_operation operation);
CLSOFTMAX_API int clsoftmax_operation_has_operand(clsoftmax_operation operation);
CLSOFTMAX_API int clsoftmax_operation_has_targets(clsoftmax_operation operation);
CLSOFTMAX_API int clsoftmax_operation_has_teacher(clsoftmax_operation operation);

/* How near results are to the exact numbers, against how long they take. Both have the same bits on every device and
   with every strategy, and the same values for logits and temperatures that are not ordinary numbers.

     faithful  probabilities within 1 ULP; log-probabilities and statistics as said where they are declared
     fast      probabilities and log-probabilities within 4 ULP, the latter plus classes * 2^-44 of themselves, in half
               of the arithmetic; of the statistics the largest probability and the margin within 4 ULP, the others
               within 4 times their bounds

   Probabilities and log-probabilities of 16 bits without statistics take the arithmetic of "fast" in both, since it is
   exact enough for them: they are within 0.51 ULP of their type. */
#define CLSOFTMAX_ACCURACY_LIST(X)                                                                                     \
    X(FAITHFUL, "faithful")                                                                                            \
    X(FAST, "fast")

typedef enum clsoftmax_accuracy {
#define CLSOFTMAX_ACCURACY_ENUM(name, text) CLSOFTMAX_ACCURACY_##name,
    CLSOFTMAX_ACCURACY_LIST(CLSOFTMAX_ACCURACY_ENUM)
#undef CLSOFTMAX_ACCURACY_ENUM
        CLSOFTMAX_ACCURACY_COUNT
} clsoftmax_accuracy;

/* Returns the name of an accuracy, "fast" for CLSOFTMAX_ACCURACY_FAST; NULL for a number that is none. */
CLSOFTMAX_API const char *clsoftmax_accuracy_name(clsoftmax_accuracy accuracy);

/* How rows are laid over a device. Each strategy has a name, its idea, and its rule: when "auto" takes it. "auto" takes
   the first strategy whose rule holds. Every strategy gives the same bits. */
#define CLSOFTMAX_STRATEGY_LIST(X)                                                                                     \
    X(AUTO, "auto", "chosen from the device, its limits and the shape", "by default")                                  \
    X(COLUMN, "column", "neighbouring columns on neighbouring lanes",                                                  \
      "the softmax axis is not the last, so that columns are neighbours in memory and classes are not; or statistics " \
      "alone at 12 temperatures or more on an OpenCL CPU device: the temperatures of a row are its columns")           \
    X(LANE, "lane", "rows side by side, each on a lane of its own",                                                    \
      "at most 64 classes, on CPUs more where classes are neighbours in memory (OpenCL: 96 or 160, cpu: 111 to 255): " \
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

/* Returns the name of a strategy, "group" for CLSOFTMAX_STRATEGY_GROUP; NULL for a number that is no strategy. */
CLSOFTMAX_API const char *clsoftmax_strategy_name(clsoftmax_strategy strategy);

/* Return the idea of a strategy, and its rule with the reason, for people; NULL for a number that is no strategy. */
CLSOFTMAX_API const char *clsoftmax_strategy_idea(clsoftmax_strategy strategy);
CLSOFTMAX_API const char *clsoftmax_strategy_rule(clsoftmax_strategy strategy);

/* Returns 1 if the context's device can run the strategy. */
CLSOFTMAX_API int clsoftmax_strategy_supported(const clsoftmax_context *context, clsoftmax_strategy strategy);

/* The policy for a row in which every logit is -inf: probabilities of NaN (as PyTorch), of 0 (as oneDNN's inf_as_zero),
   or of 1 / classes. */
typedef enum clsoftmax_neg_inf_rows {
    CLSOFTMAX_NEG_INF_ROWS_NAN,
    CLSOFTMAX_NEG_INF_ROWS_ZERO,
    CLSOFTMAX_NEG_INF_ROWS_UNIFORM
} clsoftmax_neg_inf_rows;

/* The policy for a row with +inf among its logits: NaN throughout (as PyTorch), or the mass split evenly over the +inf
   logits. */
typedef enum clsoftmax_pos_inf { CLSOFTMAX_POS_INF_NAN, CLSOFTMAX_POS_INF_LIMIT } clsoftmax_pos_inf;

/* Where the elements of an array stand: element [o][c][i] is at offset + o * outer_stride + c * class_stride + i *
   inner_stride, counted in elements. A layout of zeros is dense: offset 0, strides classes * inner, inner and 1. The
   stride of a dimension of size 1 does not matter. No two results may share a place, so each of their strides must step
   over everything that the smaller ones span; logits may repeat (outer stride 0: one row for all). */
typedef struct clsoftmax_layout {
    uint64_t offset;
    uint64_t outer_stride;
    uint64_t class_stride;
    uint64_t inner_stride;
} clsoftmax_layout;

/* What is to be computed. An array of any number of dimensions is seen as [outer][classes][inner]: the dimensions
   before the softmax axis, that axis, and the dimensions behind it. A matrix with softmax along its last axis has inner
   = 1. There are outer * inner rows; row r stands at outer index r / inner and inner index r % inner.

   Start from CLSOFTMAX_PROBLEM_INIT, or from clsoftmax_problem_init where macros are out of reach. Both set `size`. By
   it a later library, whose problem has more fields at its end, knows which of them the program has; the others get
   their defaults. */
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
    int temperature_per_row; /* 1: each row has its own, in an array of outer * inner */
    int statistics;          /* 1: a clsoftmax_statistics is written for each row, too */
    clsoftmax_neg_inf_rows neg_inf_rows;
    clsoftmax_pos_inf pos_inf;
    clsoftmax_strategy strategy; /* AUTO, or one by name: UNSUPPORTED if the device cannot run it */
    uint32_t work_group_size;    /* work-items; 0: chosen; rounded down to what the kernel allows */
    uint64_t tile_outer;         /* most outer indices of a tile, see clsoftmax_plan_run; 0: chosen */
    uint64_t sweep;              /* K, for each row at each of K temperatures, see section 7; 0: none */
    uint64_t sweep_stride;       /* elements from a result at one temperature to the next; 0: dense */
    clsoftmax_accuracy accuracy;
    clsoftmax_dtype operand_dtype; /* of operations that take an operand, see sections 9 and 10 */
    clsoftmax_layout operand_layout;
    int temperature_squared; /* 1: a distillation is multiplied by T^2, see section 10 */
} clsoftmax_problem;

/* clang-format off */
#define CLSOFTMAX_PROBLEM_INIT                                                                                         \
    { sizeof(clsoftmax_problem), 0, 0, 1, CLSOFTMAX_OPERATION_SOFTMAX, CLSOFTMAX_F32, CLSOFTMAX_F32,                   \
      {0, 0, 0, 0}, {0, 0, 0, 0}, 0, 0,                                                                                \
      CLSOFTMAX_NEG_INF_ROWS_NAN, CLSOFTMAX_POS_INF_NAN, CLSOFTMAX_STRATEGY_AUTO, 0, 0, 0, 0,                      \
      CLSOFTMAX_ACCURACY_FAITHFUL, CLSOFTMAX_F32, {0, 0, 0, 0}, 1 }
/* clang-format on */

/* Sets a problem to CLSOFTMAX_PROBLEM_INIT. `size` is that of the struct in the program: sizeof(clsoftmax_problem). */
CLSOFTMAX_API void clsoftmax_problem_init(clsoftmax_problem *problem, size_t size);

/* Sets outer, classes and inner for a dense array with these `dimensions` sizes and softmax along `axis`, counted as
   NumPy does: 0 is the first, -1 the last. INVALID_SHAPE for an axis that does not exist, or sizes whose product
   overflows. */
CLSOFTMAX_API clsoftmax_status clsoftmax_problem_set_shape(clsoftmax_problem *problem, unsigned dimensions,
                                                           const uint64_t *shape, int axis);

/* ---------------------------------------------------------------- 5. Statistics of a row */

/* The statistics of a row at its temperature. ln is the natural logarithm, and S the sum of exp((x - m) / T). These are
   the errors against the exact values, for C classes:
     maximum                  exact; NaN if a logit is NaN
     argmax                   exact: the first of the largest logits, or the first NaN (as NumPy)
     largest_probability      1 / S, within 1 ULP
     margin                   largest minus second largest probability, within 1 ULP of the largest (0 for a row of one
                              class that is -inf, under the policy UNIFORM)
     log_sum_exp              ln sum exp(x / T) = m / T + ln S, within 1 ULP + |ln S| 2^-25 + C 2^-44
     entropy                  -sum p ln p, within 4 ULP + C 2^-42
     negative_log_likelihood  -ln p[label], within the error of log-probabilities; NaN without a label in [0, classes)
   In a row that is NaN throughout, maximum and argmax are those of its logits and the others are NaN; but log_sum_exp
   is the maximum if that is infinite and the temperature is valid. In a row of zeros (CLSOFTMAX_NEG_INF_ROWS_ZERO),
   entropy, largest probability and margin are 0, and the negative log-likelihood is inf. NaN is 0x7FC00000. */
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

/* A problem made ready on a device, with the strategy chosen for it and its kernels built. One thread at a time may use
   a plan. */
typedef struct clsoftmax_plan clsoftmax_plan;

/* Plans the problem on the context's device, and builds what has not been built yet. INVALID_ARGUMENT or INVALID_SHAPE
   for a problem that makes no sense; UNSUPPORTED for a strategy that the device does not have, for more columns or
   classes than a launch takes, and for a field of a newer header that this library does not know. */
CLSOFTMAX_API clsoftmax_status clsoftmax_plan_create(clsoftmax_context *context, const clsoftmax_problem *problem,
                                                     clsoftmax_plan **plan);

/* The arrays of one call, in host memory. An array that the plan's problem does not ask for stays NULL. Start from
   CLSOFTMAX_ARGUMENTS_INIT or clsoftmax_arguments_init, as with a problem. */
typedef struct clsoftmax_arguments {
    size_t size; /* of this struct in the program: sizeof(clsoftmax_arguments) */
    const void *logits;
    void *results;     /* may be logits if dtypes and layouts are equal; otherwise must not overlap them */
    float temperature; /* of all rows */
    /* With temperature_per_row, one for each row; a negative or NaN one makes its row NaN. In a sweep, its
       temperatures. */
    const float *temperatures;
    /* With statistics, one for each row; -1, or any number outside [0, classes), is no label. May be NULL. */
    const int64_t *labels;
    clsoftmax_statistics *statistics; /* with statistics, one for each row */
    uint64_t *invalid_rows;           /* becomes the number of rows with a negative or NaN temperature; may be NULL */
    /* For losses, see section 8: */
    const float *weights;  /* one for each row, not negative; NULL: all are 1 */
    float *losses;         /* one for each row; with a gradient it may be NULL */
    float scale;           /* of the gradient */
    float z_loss;          /* the weight of lse^2, not negative */
    const void *operand;   /* see sections 8 to 10; results may take its place as they may take that of logits */
    float label_smoothing; /* the share of a label that all classes have together, in [0, 1]; see section 8 */
    float teacher_share;   /* of a teacher in its mixture with the student, in (0, 1); see section 10 */
} clsoftmax_arguments;

/* clang-format off */
#define CLSOFTMAX_ARGUMENTS_INIT                                                                                       \
    { sizeof(clsoftmax_arguments), NULL, NULL, 1.0f, NULL, NULL, NULL, NULL, NULL, NULL, 1.0f, 0.0f, NULL,  \
      0.0f, 0.5f }
/* clang-format on */

/* Sets arguments to CLSOFTMAX_ARGUMENTS_INIT. `size` is that of the struct in the program:
   sizeof(clsoftmax_arguments). */
CLSOFTMAX_API void clsoftmax_arguments_init(clsoftmax_arguments *arguments, size_t size);

/* Runs the plan, and returns when the results are there. Afterwards nothing of the arrays is in use.

   An OpenCL device that shares its memory with the host works on the arrays as they are. For other devices they are
   copied in tiles, of which upload, computation and download overlap; so arrays, and even rows, may be larger than the
   device's memory. No tiling changes a bit. (docs/host-memory.md; for measurements, CLSOFTMAX_HOST_MEMORY=copy or share
   in the environment overrides the choice.)

   After a failure of the device, the contents of results and statistics are not specified. After any other failure they
   are untouched. */
CLSOFTMAX_API clsoftmax_status clsoftmax_plan_run(clsoftmax_plan *plan, const clsoftmax_arguments *arguments);

/* Returns one line that names everything the plan decided. It is valid as long as the plan. */
CLSOFTMAX_API const char *clsoftmax_plan_description(const clsoftmax_plan *plan);

/* Releases a plan. NULL is allowed. */
CLSOFTMAX_API void clsoftmax_plan_release(clsoftmax_plan *plan);

/* ---------------------------------------------------------------- 7. Sweeps: many temperatures, one read of logits */

/* A problem whose `sweep` is K computes every row at each of the K numbers in arguments.temperatures. The bits are
   those of K separate calls. A row is read from memory once for all temperatures (on "cpu" for 64 at a time) as long as
   caches hold it, and what depends on the row alone is done once.

   The result at temperature k stands k * sweep_stride elements behind the one at temperature 0, whose place is in
   results_layout. So a layout and a stride of zeros give results [K][outer][classes][inner]; an outer stride of K *
   classes and a sweep stride of classes give [rows][K][classes]. The statistics of row r at temperature k are
   statistics[k * rows + r].
     INVALID_ARGUMENT     a sweep together with temperature_per_row; results that overlap the logits
     INVALID_TEMPERATURE  one of the temperatures is negative or NaN; nothing is written. (The host cannot see those in
                          device buffers: there the results are NaN throughout, and the rows count as invalid rows, once
                          for each such temperature.) */

/* Computes the sweep of a row-major matrix of f32 logits: probabilities [count][rows][classes] and statistics
   [count][rows]. Either may be NULL, but not both. count = 0: nothing to do. */
CLSOFTMAX_API clsoftmax_status clsoftmax_sweep(clsoftmax_context *context, uint64_t rows, uint64_t classes,
                                               const float *logits, uint64_t count, const float *temperatures,
                                               float *probabilities, clsoftmax_statistics *statistics);

/* ---------------------------------------------------------------- 8. Losses: cross-entropy at a temperature */

/* The operations CROSS_ENTROPY and CROSS_ENTROPY_GRADIENT compute, for each row with a label,

       loss              w (-ln p[label]) + z lse^2,   p = softmax(x / T), lse = ln of the sum of exp(x / T)
       gradient of c     ((w + 2 z lse) p[c] - w [c = label]) s / T, the derivative of s * loss by x[c]

   with the row's weight w (arguments.weights; the weights of classes are those of the rows with such a label), the
   weight z of the z-loss (arguments.z_loss), and the scale s of the gradient (arguments.scale, such as 1 / rows for a
   mean). A row whose label is outside [0, classes) is ignored: its loss is 0, and so is its gradient. Losses are f32,
   one for each row, in arguments.losses; in a sweep that of row r at temperature k is losses[k * rows + r]. The
   gradient is in arguments.results, and may take the place of the logits.

   Errors against the exact values, for C classes, z = 0 and accuracy "faithful" (4 times as much for "fast"):
     loss              1 ULP + C 2^-44 of itself
     gradient          2 ULP + C 2^-44 of itself, also at the label: there 1 - p is made of the other classes, so that
                       nothing cancels as p goes to 1 (below 1 - p = 2^-127 add C 2^-171 w s / T)
   With a z-loss, lse adds its own error (section 5), and the gradient at the label is within 2 ULP of the larger of its
   two terms.

   A loss is infinite if the label's logit is -inf, or if -ln p is beyond f32. A row that softmax makes NaN has a loss
   and a gradient of NaN. At T = 0 the gradient is its limit, which is 0 or infinite.

   Two pairs of operations take more than a label. CROSS_ENTROPY_OF_TARGETS and its gradient have target probabilities
   t, which are arguments.operand, an array as the logits are (problem.operand_dtype, operand_layout):

       loss              w sum of t (-ln p) + z lse^2
       gradient of c     ((w sum of t + 2 z lse) p[c] - w t[c]) s / T

   t may add up to any number, so it may be multiplied by weights of the classes. SMOOTHED_CROSS_ENTROPY and its
   gradient spread the share e of a label (arguments.label_smoothing) over all classes of the row that are not masked
   (-inf): t is (1 - e) [c = label], and e divided by their number for each of them. (PyTorch counts masked classes,
   too, so that its loss is infinite.) Rows without a label are ignored as above. loss              3 ULP + C 2^-42 of
   itself; with e = 0, that of CROSS_ENTROPY gradient          half an ULP of itself, and half an ULP + C 2^-43 of the
   larger of its two terms A loss is infinite if a class with a target is masked, or if its -ln p, or their sum, is
   beyond f32. A row with a target that is negative or not finite is NaN. In a row of zeros
   (CLSOFTMAX_NEG_INF_ROWS_ZERO) losses are infinite. INVALID_ARGUMENT  labels is NULL; a weight is negative or not
   finite; z or s is not finite, or z is negative; e is not in [0, 1]. (The host cannot see weights and targets in
   device buffers.) */

/* Computes the mean cross-entropy of a row-major matrix of f32 logits over the rows that have a label, and the gradient
   of that mean. gradient may be logits, or NULL; losses may be NULL. The losses are summed exactly and then divided, so
   the mean does not depend on the order of rows; without labelled rows it is NaN. */
CLSOFTMAX_API clsoftmax_status clsoftmax_loss(clsoftmax_context *context, uint64_t rows, uint64_t classes,
                                              const float *logits, float temperature, const int64_t *labels,
                                              float *gradient, float *losses, double *mean);

/* Computes the same with target probabilities, a matrix as the logits are, in place of labels; the mean is that of all
   rows. gradient may be logits or targets. */
CLSOFTMAX_API clsoftmax_status clsoftmax_loss_of_targets(clsoftmax_context *context, uint64_t rows, uint64_t classes,
                                                         const float *logits, float temperature, const float *targets,
                                                         float *gradient, float *losses, double *mean);

/* An exact sum of f32, whatever the order: parts of the rows may be added by several threads, devices, tiles or
   processes, and merge to the same number. Processes may add up the digits and counts themselves, element by element as
   64-bit integers (MPI_SUM on the whole struct). Start from CLSOFTMAX_TOTAL_INIT. */
#define CLSOFTMAX_TOTAL_DIGITS 11
typedef struct clsoftmax_total {
    int64_t digits[CLSOFTMAX_TOTAL_DIGITS];            /* of 32 bits; the first counts units of 2^-149 */
    int64_t nan, positive_infinity, negative_infinity; /* how many of each were added */
} clsoftmax_total;

/* clang-format off */
#define CLSOFTMAX_TOTAL_INIT {{0}, 0, 0, 0}
/* clang-format on */

/* Adds values to a total. */
CLSOFTMAX_API void clsoftmax_total_add(clsoftmax_total *total, const float *values, uint64_t count);

/* Adds a total to another. */
CLSOFTMAX_API void clsoftmax_total_merge(clsoftmax_total *total, const clsoftmax_total *other);

/* Returns the sum, rounded once to double; NaN if a NaN or infinities of both signs were added. */
CLSOFTMAX_API double clsoftmax_total_value(const clsoftmax_total *total);

/* ---------------------------------------------------------------- 9. Derivatives of probabilities */

/* Three operations compute derivatives of p = softmax(x / T), with E[y] for the sum of p y over a row:

       SOFTMAX_BACKWARD        p[c] (g[c] - E[g]) / T, the derivative by x[c] of a loss whose gradient by p is g
       LOG_SOFTMAX_BACKWARD    (g[c] - p[c] sum of g) / T, the same where g is its gradient by ln p
       SENSITIVITY             p[c] (E[x] - x[c]) / T^2, the derivative of p[c] by T

   and two the derivative by T, for a temperature that is learned: a number for each row, which is written to
   arguments.losses, times the row's weight if there are weights:

       SOFTMAX_TEMPERATURE_GRADIENT      sum of g p (E[x] - x) / T^2 = (E[g d] - E[g] E[d]) / T
       LOG_SOFTMAX_TEMPERATURE_GRADIENT  sum of g (E[x] - x) / T^2 = (sum of g d - (sum of g) E[d]) / T

   g is arguments.operand, an array as the logits are, with a dtype and a layout of its own (problem.operand_dtype,
   operand_layout; an outer stride of 0 gives all rows the same). The results may take its place, or that of the logits.

   Errors against the exact values, for C classes, u = 2^-24 and accuracy "faithful", where G is the largest |g| of the
   row and d[c] = (max - x[c]) / T:
     SOFTMAX_BACKWARD       4 u p (|g| + E[|g|]) / T + C 2^-44 p G / T
     LOG_SOFTMAX_BACKWARD   4 u (|g| + p |sum of g|) / T + C 2^-44 p G / T
     SENSITIVITY            6 u p (d + E[d]) / T + C 2^-43 p / T
     ..TEMPERATURE_GRADIENT 8 u (E[|g| d] + E[|g|] E[d]) / T, of log-softmax 8 u (sum of |g| d + |sum of g| E[d]) / T,
   and C 2^-42 of the largest |g| d and G (1 + E[d]), over T With "fast" it is 4 times as much. Where p is as small as
   2^-149, add what an error of that size in p makes. The sums are of integers, so no order changes a bit.

   A row that softmax makes NaN is NaN, and so is one with a NaN or an infinite number in its operand. In a row of zeros
   (CLSOFTMAX_NEG_INF_ROWS_ZERO), and at T = 0, where a softmax is a step, all results are 0. The derivative of a
   log-softmax by T is infinite if a class whose g is not 0 is masked, or if its d is beyond f32. */

/* ---------------------------------------------------------------- 10. Distillation */

/* The operations DISTILLATION and DISTILLATION_GRADIENT compare each row with a teacher's. With p = softmax(x / T) of
   the row's logits and q = softmax(y / T) of the teacher's, which are arguments.operand, they compute

       loss              w KL(q || p) T^2,   KL(q || p) = sum of q (ln q - ln p)
       gradient of c     (p[c] - q[c]) w s T, the derivative of s * loss by x[c]

   with the row's weight w and the scale s of the gradient (section 8). T^2 makes up for the 1 / T^2 by which gradients
   shrink at a high temperature (Hinton et al., 2015); with problem.temperature_squared = 0 it is left out, and the
   gradient is (p - q) w s / T. The teacher's dtype and layout are problem.operand_dtype and operand_layout. Losses and
   gradients go where those of section 8 go; the gradient may take the place of the logits or of the teacher's.

   REVERSE_DISTILLATION and its gradient have the reverse divergence in its place:

       loss              w KL(p || q) T^2,   KL(p || q) = sum of p (ln p - ln q)
       gradient of c     p[c] (ln p[c] - ln q[c] - KL(p || q)) w s T

   It is infinite where the teacher excludes a class that the student does not; the gradient is then infinite, too:
   positive for such a class, and negative for the others.

   JENSEN_SHANNON and its gradient have the divergence of both rows from their mixture m = b q + (1 - b) p, with the
   teacher's share b (arguments.teacher_share, between 0 and 1):

       loss              w (b KL(q || m) + (1 - b) KL(p || m)) T^2
       gradient of c     (1 - b) p[c] (ln p[c] - ln m[c] - KL(p || m)) w s T

   It is never infinite, and at T = 0, where a softmax is a step, its gradient is 0.

   A loss is never negative, and exactly 0 where a row equals its teacher's. KL(q || p) is infinite only if the student
   excludes a class (a logit of -inf) that the teacher does not, at T = 0 without T^2 if they differ, or where ln p of a
   class or the loss itself is beyond f32.

   Errors against the exact values, for C classes and accuracy "faithful" (for "fast" 4 times as much, and 8 times for
   a gradient, since both probabilities have 4 ULP):
     loss        4 ULP, and C 2^-42 (1 + the largest q |ln q - ln p|) w T^2
     gradient    half an ULP of itself, and half an ULP of the larger of both probabilities, times w s T
     of REVERSE_DISTILLATION
                 half an ULP, and p (4 u (|ln p - ln q| + KL) + u + C 2^-42 (1 + the largest p |ln p - ln q|)) times
                 w s T, with u = 2^-24
     of JENSEN_SHANNON
                 half an ULP, and (1 - b) p (6 u (|ln p - ln m| + KL(p || m)) + u + C 2^-38) times w s T

   A row that softmax makes NaN has a loss and a gradient of NaN, and so has one whose teacher's row is; a teacher's row
   of -inf is NaN under the policy UNIFORM, too. Where one of both is a row of zeros, loss and gradient are 0.
     INVALID_ARGUMENT     b is not between 0 and 1
     INVALID_TEMPERATURE  T^2 overflows, with temperature_squared; a row whose own T^2 does is NaN */

/* Computes the mean of the losses of row-major matrices of f32 logits, times T^2, and the gradient of that mean by the
   student's logits. gradient may be student or teacher, or NULL; losses may be NULL. The losses are summed exactly. */
CLSOFTMAX_API clsoftmax_status clsoftmax_distill(clsoftmax_context *context, uint64_t rows, uint64_t classes,
                                                 const float *student, const float *teacher, float temperature,
                                                 float *gradient, float *losses, double *mean);

/* What becomes of the classes that a teacher does not list, its tail. */
typedef enum clsoftmax_tail {
    CLSOFTMAX_TAIL_RENORMALIZE, /* they have no probability; the others are made to add up to 1 */
    CLSOFTMAX_TAIL_BUCKET,      /* they are one class together: with the sum of their probabilities, q_t and p_t */
    CLSOFTMAX_TAIL_DROP,        /* they are left out; the others keep their probabilities */
    CLSOFTMAX_TAIL_COUNT
} clsoftmax_tail;

/* Makes a teacher for the operations above of the most likely classes of each row and ln of their probabilities q,
   which are row-major matrices of `top` columns: logits of all classes, in `teacher`, and a weight for each row, in
   `weights`. An entry whose class is outside [0, classes) is none. q has the temperature T (temperatures, one for each
   row, or NULL: `temperature`). Then the distillation with this teacher and these weights is that of, over the listed
   classes,

       RENORMALIZE   KL(q / Q || p), where Q is the sum of q. So it takes logits as well, or any other numbers that
                     differ from them by one for the row; and it holds at other temperatures than T
       BUCKET        sum of q (ln q - ln p), plus q_t (ln q_t - ln p_t) with q_t = 1 - Q
       DROP          Q KL(q / Q || p), whose gradient is that of the sum of q (ln q - ln p); the weight is Q

   BUCKET and DROP hold at the temperature T alone. BUCKET takes the student's logits, and spreads q_t over its tail as
   the student does; if all of that is masked, it is RENORMALIZE. For other tails student may be NULL; weights, which
   are 1 except for DROP, may be NULL then. teacher must not overlap an input; after an error its contents are not
   specified.
     INVALID_ARGUMENT     a class is listed twice in a row, or a row lists none with a q above 0; a log-probability is
                          NaN or infinite, or beyond f32 once it is multiplied by T; for BUCKET or DROP one is above
                          0, or the q of a row add up to more than 1, by more than 0.001; an array is missing
     INVALID_TEMPERATURE  a temperature is not above 0 and finite */
CLSOFTMAX_API clsoftmax_status clsoftmax_top_teacher(uint64_t rows, uint64_t classes, uint64_t top,
                                                     const int64_t *top_classes, const float *log_probabilities,
                                                     float temperature, const float *temperatures, clsoftmax_tail tail,
                                                     const float *student, float *teacher, float *weights);

/* A student that learns from labels as well has a mix of two losses, with a share alpha in [0, 1] of the labels:

       loss of a row     alpha CE + (1 - alpha) KL T^2

   where CE is the cross-entropy of its label at T = 1, and KL T^2 the loss above; its gradient is the same mix of their
   gradients. A row without a label has the second term alone. Where alpha is 0 or 1, the loss without a share does not
   matter, even if it is infinite or NaN. */

/* Computes such a mix of row-major matrices of f32 logits: for each row into losses, and the gradient of *mean by the
   student's logits. gradient may be student or teacher, or NULL; losses and mean may be NULL. *mean is alpha times the
   mean cross-entropy of the rows that have a label (0 if no row has one) plus 1 - alpha times the mean of the other
   losses, which all rows have; so a training step in PyTorch that adds up cross_entropy and kl_div has it. With alpha =
   0 all results are those of clsoftmax_distill, and with alpha = 1 those of clsoftmax_loss at T = 1, bit by bit. In
   between the call takes memory for another gradient.
     INVALID_ARGUMENT  alpha is outside [0, 1] or NaN; and as in sections 8 and 10 */
CLSOFTMAX_API clsoftmax_status clsoftmax_distill_labelled(clsoftmax_context *context, uint64_t rows, uint64_t classes,
                                                          const float *student, const float *teacher, float temperature,
                                                          const int64_t *labels, float alpha, float *gradient,
                                                          float *losses, double *mean);

/* Mixes losses or gradients that two plans have computed as f32, CROSS_ENTROPY(_GRADIENT) and
   DISTILLATION(_GRADIENT): mixed[i] becomes alpha of_labels[i] + (1 - alpha) of_teacher[i], made in double (2^-53 of
   the larger term) and rounded once to the dtype. mixed may be an array of f32 that is mixed. With alpha = 0 of_labels
   is not read and may be NULL, with alpha = 1 of_teacher. INVALID_ARGUMENT  alpha is outside [0, 1] or NaN; dtype is
   none; an array that is needed is NULL */
CLSOFTMAX_API clsoftmax_status clsoftmax_mix(float alpha, uint64_t count, const float *of_labels,
                                             const float *of_teacher, clsoftmax_dtype dtype, void *mixed);

#ifdef __cplusplus
}
#endif

#endif
