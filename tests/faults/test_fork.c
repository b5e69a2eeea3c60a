/* Children of a process that has used the library: what was made before fork() must answer FORKED, whichever thread
   held what, nothing may hang, and cpu must work. A child ends with the number of the first step that went wrong. */
#include "clsoftmax/clsoftmax_cl.h"
#include "support/device.h"
#include "support/driver.h"
#include "support/leave.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

TestSuite(fork, .timeout = 300);

enum { ROWS = 40, CLASSES = 70, SECONDS = 60, STEP_OF_A_CALL = 99 };

static float x[ROWS * CLASSES], expected[ROWS * CLASSES];

/* What the parent has made before fork(). */
typedef struct inherited {
    clsoftmax_context *context;
    clsoftmax_plan *plan;
    clsoftmax_problem problem;
} inherited;

static clsoftmax_status run_plan(clsoftmax_plan *plan, float *results)
{
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = x;
    arguments.temperature = 0.7f;
    arguments.results = results;
    return clsoftmax_plan_run(plan, &arguments);
}

static inherited prepare(clsoftmax_context *context, clsoftmax_strategy strategy)
{
    inherited made = {context, NULL, CLSOFTMAX_PROBLEM_INIT};
    made.problem.outer = ROWS;
    made.problem.classes = CLASSES;
    made.problem.strategy = strategy;
    for (int i = 0; i < ROWS * CLASSES; i++)
        x[i] = (float)(i * 37 % 101) * 0.1f;
    cr_assert_eq(clsoftmax_plan_create(context, &made.problem, &made.plan), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    cr_assert_eq(run_plan(made.plan, expected), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    return made;
}

static void release(const inherited *made)
{
    clsoftmax_plan_release(made->plan);
    clsoftmax_context_release(made->context);
}

/* Does the work in a child, which must end with 0. It ends with the number of the first step that went wrong, with that
   of any OpenCL call, or by an alarm. */
static void in_child(int (*work)(const inherited *), const inherited *made)
{
    const pid_t child = fork();
    if (child == 0) {
        alarm(SECONDS);
        driver_forbid(STEP_OF_A_CALL);
        leave(work(made));
    }
    int status;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert(WIFEXITED(status), "signal %d%s", WTERMSIG(status), WTERMSIG(status) == SIGALRM ? ": it hangs" : "");
    cr_assert_eq(WEXITSTATUS(status), 0, "step %d", WEXITSTATUS(status));
}

#define STEP(number, condition)                                                                                        \
    if (!(condition))                                                                                                  \
        return (number);

/* Steps 1 to 9: uses what the parent has made, which must be refused with a reason, and releases it. */
static int refuses(const inherited *made)
{
    float p[ROWS * CLASSES];
    clsoftmax_plan *plan = NULL;
    memcpy(p, x, sizeof p);
    STEP(1, run_plan(made->plan, p) == CLSOFTMAX_FORKED)
    STEP(2, strstr(clsoftmax_last_error(), "fork()") && clsoftmax_last_opencl_error() == 0)
    STEP(3, memcmp(p, x, sizeof p) == 0)
    STEP(4, clsoftmax_plan_create(made->context, &made->problem, &plan) == CLSOFTMAX_FORKED && !plan)
    STEP(5, clsoftmax_run(made->context, ROWS, CLASSES, x, 0.7f, p) == CLSOFTMAX_FORKED)
    STEP(6, clsoftmax_context_device(made->context)->usable && clsoftmax_plan_description(made->plan))
    release(made);
    return 0;
}

/* Steps 11 to 19: computes on cpu, also in threads of its own. */
static int computes(void)
{
    clsoftmax_context *fresh = NULL;
    float p[ROWS * CLASSES];
    STEP(11, clsoftmax_context_create("cpu", &fresh) == CLSOFTMAX_OK)
    STEP(12, clsoftmax_run(fresh, ROWS, CLASSES, x, 0.7f, p) == CLSOFTMAX_OK)
    STEP(13, memcmp(p, expected, sizeof p) == 0)
    clsoftmax_context_release(fresh);
    return 0;
}

static int refuses_and_computes(const inherited *made)
{
    const int step = refuses(made);
    return step ? step : computes();
}

/* Forks after cpu was used. */
Test(fork, of_cpu)
{
    setenv("CLSOFTMAX_THREADS", "3", 1);
    const inherited made = prepare(test_open("cpu"), CLSOFTMAX_STRATEGY_AUTO);
    in_child(refuses_and_computes, &made);
    release(&made);
}

/* Forks after the reference was used. */
Test(fork, of_reference)
{
    const inherited made = prepare(test_open("reference"), CLSOFTMAX_STRATEGY_AUTO);
    in_child(refuses, &made);
    release(&made);
}

/* ---------------------------------------------------------------- OpenCL */

static cl_context cl;
static cl_device_id device;
static cl_command_queue queue;
static cl_mem buffer;
static cl_event gate, done;

/* Prepares a context on the caller's OpenCL objects, and scratch memory that a call will use. */
static inherited prepare_opencl(void)
{
    clsoftmax_context_release(test_open_opencl()); /* skips where there is no device */
    cl_platform_id platform;
    cl_int error;
    cr_assert_eq(clGetPlatformIDs(1, &platform, NULL), CL_SUCCESS);
    cr_assert_eq(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, NULL), CL_SUCCESS);
    cl = clCreateContext(NULL, 1, &device, NULL, NULL, &error);
    queue = clCreateCommandQueue(cl, device, 0, &error);
    clsoftmax_context *context = NULL;
    cr_assert_eq(clsoftmax_cl_context_create(cl, device, &context), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    inherited made = prepare(context, CLSOFTMAX_STRATEGY_SPLIT); /* with scratch memory and its event */
    buffer = clCreateBuffer(cl, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, sizeof x, x, &error);
    gate = clCreateUserEvent(cl, &error);
    cr_assert_eq(error, CL_SUCCESS);
    return made;
}

static clsoftmax_status enqueue(const inherited *made)
{
    clsoftmax_cl_arguments arguments = CLSOFTMAX_CL_ARGUMENTS_INIT;
    arguments.logits = arguments.results = buffer;
    arguments.temperature = 0.7f;
    return clsoftmax_cl_enqueue(made->plan, queue, &arguments, 1, &gate, &done);
}

/* Steps 21 to 29: asks for OpenCL devices, which must be refused, and for cpu. */
static int has_no_opencl(const inherited *made)
{
    clsoftmax_context *fresh = NULL;
    clsoftmax_device *devices = NULL;
    size_t count = 0;
    STEP(21, enqueue(made) == CLSOFTMAX_FORKED)
    for (const char *const *selector = (const char *const[]){"0:0", "gpu", "pocl", "no such device", NULL}; *selector;
         selector++)
        STEP(22, clsoftmax_context_create(*selector, &fresh) == CLSOFTMAX_FORKED && !fresh)
    STEP(23, clsoftmax_cl_context_create(cl, device, &fresh) == CLSOFTMAX_FORKED && !fresh)
    STEP(24, clsoftmax_devices_list(&devices, &count) == CLSOFTMAX_OK && count == 2)
    clsoftmax_devices_release(devices);
    STEP(25, clsoftmax_context_create("auto", &fresh) == CLSOFTMAX_OK)
    STEP(26, clsoftmax_context_device(fresh)->type == CLSOFTMAX_DEVICE_CPU)
    STEP(27, strstr(clsoftmax_context_notice(fresh), "fork()"))
    clsoftmax_context_release(fresh);
    return 0;
}

static int refuses_opencl(const inherited *made)
{
    const int step = has_no_opencl(made);
    return step ? step : refuses_and_computes(made);
}

/* Forks after OpenCL was used, and while a call of the parent waits for an event. */
Test(fork, of_opencl)
{
    const inherited made = prepare_opencl();
    in_child(refuses_opencl, &made);
    cr_assert_eq(enqueue(&made), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    in_child(refuses_opencl, &made);
    clSetUserEventStatus(gate, CL_COMPLETE);
    float p[ROWS * CLASSES];
    cr_assert_eq(clEnqueueReadBuffer(queue, buffer, CL_TRUE, 0, sizeof p, p, 1, &done, NULL), CL_SUCCESS);
    cr_expect(memcmp(p, expected, sizeof p) == 0, "the parent's call, behind its children");
    clReleaseEvent(done);
    clReleaseEvent(gate);
    clReleaseMemObject(buffer);
    release(&made);
    clReleaseCommandQueue(queue);
    clReleaseContext(cl);
}

/* ---------------------------------------------------------------- Threads under way */

static atomic_int is_over;

static void *keep_busy(void *made_)
{
    const inherited *made = made_;
    float p[ROWS * CLASSES];
    while (!atomic_load(&is_over)) {
        inherited own = *made;
        if (clsoftmax_plan_create(own.context, &own.problem, &own.plan) == CLSOFTMAX_OK)
            run_plan(own.plan, p);
        clsoftmax_plan_release(own.plan);
    }
    return NULL;
}

/* Forks while threads use the library, and may hold locks of the pool, of the programs and of the allocator. */
Test(fork, while_threads_run)
{
    enum { FORKS = 10 };
#ifdef __SANITIZE_ADDRESS__
    cr_skip_test(
        "a child waits for locks that other threads have of AddressSanitizer's allocator, which does not know fork()");
#endif
    setenv("CLSOFTMAX_THREADS", "3", 1);
    const inherited of_cpu = prepare(test_open("cpu"), CLSOFTMAX_STRATEGY_AUTO),
                    of_opencl = prepare(test_open_opencl(), CLSOFTMAX_STRATEGY_AUTO);
    pthread_t threads[2];
    pthread_create(&threads[0], NULL, keep_busy, (void *)(uintptr_t)&of_cpu);
    pthread_create(&threads[1], NULL, keep_busy, (void *)(uintptr_t)&of_opencl);
    for (int i = 0; i < FORKS; i++) {
        in_child(refuses_and_computes, &of_cpu);
        in_child(refuses_and_computes, &of_opencl);
    }
    atomic_store(&is_over, 1);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    release(&of_opencl);
    release(&of_cpu);
}
