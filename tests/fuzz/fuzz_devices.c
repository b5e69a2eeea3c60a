/* Small problems on an OpenCL device. The oracle is cpu, bit for bit. The first byte chooses one of a few sets of what
   is compiled in, so that all kernels are soon there; what is an argument of kernels can be anything.
   CLSOFTMAX_FUZZ_DEVICE names another device than 0:0. */
#include "fuzz_problem.h"

enum { KINDS = CLSOFTMAX_OPERATION_COUNT * CLSOFTMAX_DTYPE_COUNT };

/* The device is opened twice: with arrays that are shared with the host, and with copied ones. */
static clsoftmax_context *cpu, *devices[2];

static void open_contexts(void)
{
    static const char *const ways[2] = {"share", "copy"};
    const char *name = getenv("CLSOFTMAX_FUZZ_DEVICE");
    setenv("CLSOFTMAX_THREADS", "1", 1);
    if (!name)
        setenv("POCL_DEVICES", "basic", 0); /* PoCL then runs on the calling thread, which saves waking another */
    FUZZ_CHECK(clsoftmax_context_create("cpu", &cpu) == CLSOFTMAX_OK);
    for (int i = 0; i < 2; i++) {
        setenv("CLSOFTMAX_HOST_MEMORY", ways[i], 1);
        FUZZ_CHECK(clsoftmax_context_create(name ? name : "0:0", &devices[i]) == CLSOFTMAX_OK);
    }
}

/* Chooses what is compiled in and follows from the problem: one of KINDS sets, in which every operation meets every
   dtype and the rest takes turns. */
static void choose_kind(clsoftmax_problem *problem, unsigned kind)
{
    const unsigned operation = kind % CLSOFTMAX_OPERATION_COUNT, dtype = kind / CLSOFTMAX_OPERATION_COUNT;
    problem->operation = (clsoftmax_operation)operation;
    problem->logits_dtype = (clsoftmax_dtype)dtype;
    problem->results_dtype = (clsoftmax_dtype)((operation + dtype) % CLSOFTMAX_DTYPE_COUNT);
    problem->statistics = problem->operation == CLSOFTMAX_OPERATION_NONE || kind / 2 % 2 == 1;
    problem->temperature_per_row = (kind + dtype) % 2 == 1;
    problem->sweep = problem->temperature_per_row ? 0 : problem->sweep;
    if (kind % 2 == 1) { /* policies that make no ties */
        problem->neg_inf_rows = (clsoftmax_neg_inf_rows)(problem->neg_inf_rows % 2);
        problem->pos_inf = CLSOFTMAX_POS_INF_NAN;
    } else if (problem->neg_inf_rows != CLSOFTMAX_NEG_INF_ROWS_UNIFORM) {
        problem->pos_inf = CLSOFTMAX_POS_INF_LIMIT;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!cpu)
        open_contexts();
    fuzz_bytes bytes = {data, data + size};
    unsigned kind = (unsigned)fuzz_number(&bytes, 1);
    uint64_t choices = fuzz_number(&bytes, 1);
    clsoftmax_problem problem = fuzz_problem_read(&bytes), on_device;
    choose_kind(&problem, kind % KINDS);
    on_device = problem;
    clsoftmax_context *device = devices[fuzz_choice(&choices, 2)];
    on_device.tile_outer = fuzz_choice(&choices, 8);                                          /* 0: one tile */
    on_device.strategy = (clsoftmax_strategy)fuzz_choice(&choices, CLSOFTMAX_STRATEGY_COUNT); /* last: it grows */
    clsoftmax_plan *plan = fuzz_find_plan(device, &on_device);
    if (!plan)
        return 0;
    fuzz_case read;
    fuzz_case_read(&bytes, &problem, &read);
    fuzz_outcome outcome = fuzz_run(plan, &read, 0);
    fuzz_outcome expected =
        fuzz_run(fuzz_find_plan(cpu, &problem), &read, 0); /* it may take the place of the other plan */
    fuzz_check_equal(&read, &expected, &outcome);
    fuzz_outcome_release(&expected);
    fuzz_outcome_release(&outcome);
    fuzz_case_release(&read);
    return 0;
}
