/* threads [--plant]: uses from several threads what they may share, and checks that results and errors are right.
   `./dev sanitize thread` builds it with ThreadSanitizer, which does not start under Criterion, so it is plain C; built
   without, it is a test of results. --plant shares one plan between threads, which is forbidden, to show that
   ThreadSanitizer sees it. Exit status: 0 nothing is wrong, 1 something is, 2 wrong use; 66 is ThreadSanitizer's. */
#include "clsoftmax/clsoftmax.h"
#include "support/leave.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { THREADS = 4, ROUNDS = 6, ROWS = 4000, CLASSES = 33 }; /* enough for three threads of a pool */

static const char *device;                                        /* under test */
static float logits[ROWS * CLASSES], expected[2][ROWS * CLASSES]; /* of a matrix, and of one row */
static pthread_barrier_t all_ready;
static atomic_int found;

static void fault(const char *what, const char *why)
{
    fprintf(stderr, "threads: %s: %s: %s\n", device, what, why);
    atomic_store(&found, 1);
}

static int is_one_row(unsigned number)
{
    return number % 3 == 2;
}

/* Returns a matrix, for the strategies `lane` and `item`, or one row, which the threads of cpu compute together. */
static clsoftmax_problem problem_of(unsigned number)
{
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    problem.outer = is_one_row(number) ? 1 : ROWS;
    problem.classes = is_one_row(number) ? ROWS * CLASSES : CLASSES;
    problem.strategy = number % 3 ? CLSOFTMAX_STRATEGY_ITEM : CLSOFTMAX_STRATEGY_LANE;
    return problem;
}

static void run_plan(clsoftmax_plan *plan, unsigned number, float *results)
{
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = logits;
    arguments.temperature = 0.7f;
    arguments.results = results;
    if (clsoftmax_plan_run(plan, &arguments) != CLSOFTMAX_OK)
        fault("run", clsoftmax_last_error());
    else if (memcmp(results, expected[is_one_row(number)], sizeof *expected) != 0)
        fault("run", "other bits than those of one thread");
}

/* ---------------------------------------------------------------- What a thread does */

typedef struct task {
    clsoftmax_context *context;
    clsoftmax_plan *plan; /* with --plant: the plan that all share */
    unsigned number;      /* of the thread */
} task;

/* Shares a context, with a plan for each thread. All make the same kernels at once, then different ones. */
static void *share_context(void *task_)
{
    const task *task = task_;
    float *results = malloc(sizeof *expected);
    for (unsigned round = 0; round < ROUNDS && results; round++) {
        const unsigned number = round < ROUNDS / 2 ? round : round + task->number;
        clsoftmax_problem problem = problem_of(number);
        clsoftmax_plan *plan = NULL;
        pthread_barrier_wait(&all_ready);
        if (clsoftmax_plan_create(task->context, &problem, &plan) != CLSOFTMAX_OK)
            fault("plan", clsoftmax_last_error());
        else
            run_plan(plan, number, results);
        clsoftmax_plan_release(plan);
    }
    free(results);
    return NULL;
}

/* Shares a plan, which is forbidden. */
static void *share_plan(void *task_)
{
    const task *task = task_;
    float *results = malloc(sizeof *expected);
    pthread_barrier_wait(&all_ready);
    if (results)
        run_plan(task->plan, 0, results);
    free(results);
    return NULL;
}

/* Makes and releases contexts. The first of all threads load OpenCL. */
static void *make_contexts(void *task_)
{
    const task *task = task_;
    float *results = malloc(sizeof *expected);
    for (unsigned round = 0; round < 2 && results; round++) {
        clsoftmax_context *context = NULL;
        clsoftmax_plan *plan = NULL;
        clsoftmax_problem problem = problem_of(task->number);
        pthread_barrier_wait(&all_ready);
        if (clsoftmax_context_create(device, &context) != CLSOFTMAX_OK ||
            clsoftmax_plan_create(context, &problem, &plan) != CLSOFTMAX_OK)
            fault("context", clsoftmax_last_error());
        else
            run_plan(plan, task->number, results);
        clsoftmax_plan_release(plan);
        clsoftmax_context_release(context);
    }
    free(results);
    return NULL;
}

/* Fails in a way of its own in each thread, and reads its own error, while others fail and succeed. */
static void *keep_errors(void *task_)
{
    const task *task = task_;
    for (unsigned round = 0; round < ROUNDS; round++) {
        clsoftmax_problem problem = problem_of(task->number);
        clsoftmax_plan *plan = NULL;
        char own[64];
        problem.operation = (clsoftmax_operation)(100 + task->number);
        snprintf(own, sizeof own, "there is no operation %u", 100 + task->number);
        pthread_barrier_wait(&all_ready);
        if (task->number > 0 && clsoftmax_plan_create(task->context, &problem, &plan) != CLSOFTMAX_INVALID_ARGUMENT)
            fault("errors", "a wrong problem was planned");
        pthread_barrier_wait(&all_ready);
        if (task->number > 0 ? !strstr(clsoftmax_last_error(), own) : clsoftmax_last_error()[0] != '\0')
            fault("errors", clsoftmax_last_error());
    }
    return NULL;
}

/* ---------------------------------------------------------------- All threads */

/* Runs the work in all threads at once. */
static void in_threads(void *(*work)(void *), clsoftmax_context *context, clsoftmax_plan *plan)
{
    pthread_t threads[THREADS];
    task tasks[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        tasks[i] = (task){context, plan, i};
        if (pthread_create(&threads[i], NULL, work, &tasks[i]) != 0) {
            fprintf(stderr, "threads: no threads\n");
            exit(2);
        }
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

static clsoftmax_context *open_device(void)
{
    clsoftmax_context *context = NULL;
    if (clsoftmax_context_create(device, &context) != CLSOFTMAX_OK)
        fault("context", clsoftmax_last_error());
    return context;
}

/* Returns 1 if the device can be opened. It asks in a child, whose answer this process forgets, so that its threads are
   the first to load OpenCL. */
static int has_device(void)
{
    const pid_t child = fork();
    if (child == 0) {
        clsoftmax_context *context = NULL;
        leave(clsoftmax_context_create(device, &context) != CLSOFTMAX_OK);
    }
    int status = 0;
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) > 1)
        fault("fork", "no answer");
    else if (WEXITSTATUS(status) == 1 && getenv("CLSOFTMAX_REQUIRE_DEVICE"))
        fault("device", "there is none");
    else if (WEXITSTATUS(status) == 1)
        fprintf(stderr, "threads: %s: skipped: there is none\n", device);
    else
        return 1;
    return 0;
}

static void plant(void)
{
    clsoftmax_context *context = open_device();
    clsoftmax_problem problem = problem_of(0);
    clsoftmax_plan *plan = NULL;
    if (context && clsoftmax_plan_create(context, &problem, &plan) == CLSOFTMAX_OK)
        in_threads(share_plan, context, plan);
    clsoftmax_plan_release(plan);
    clsoftmax_context_release(context);
}

static void watch(void)
{
    in_threads(make_contexts, NULL, NULL);
    clsoftmax_context *context = open_device();
    if (context) {
        in_threads(share_context, context, NULL);
        in_threads(keep_errors, context, NULL);
    }
    clsoftmax_context_release(context);
}

/* Computes the expected results on cpu, in a single thread. */
static void expect(void)
{
    device = "cpu";
    const char *threads = getenv("CLSOFTMAX_THREADS");
    char *kept = strdup(threads ? threads : "3"); /* a pool of threads, however few processors there are */
    setenv("CLSOFTMAX_THREADS", "1", 1);
    clsoftmax_context *context = open_device();
    if (!context || clsoftmax_run(context, ROWS, CLASSES, logits, 0.7f, expected[0]) != CLSOFTMAX_OK ||
        clsoftmax_run(context, 1, ROWS * CLASSES, logits, 0.7f, expected[1]) != CLSOFTMAX_OK)
        fault("run", clsoftmax_last_error());
    clsoftmax_context_release(context);
    setenv("CLSOFTMAX_THREADS", kept, 1);
    free(kept);
}

int main(int argc, char **argv)
{
    const int is_planted = argc == 2 && strcmp(argv[1], "--plant") == 0;
    if (argc != 1 && !is_planted) {
        fprintf(stderr, "usage: threads [--plant]\n");
        return 2;
    }
    for (unsigned i = 0; i < ROWS * CLASSES; i++)
        logits[i] = (float)(i * 37 % 101) * 0.1f;
    pthread_barrier_init(&all_ready, NULL, THREADS);
    expect();
    const char *named = getenv("CLSOFTMAX_TEST_DEVICE"), *const devices[] = {"cpu", named ? named : "0:0"};
    for (unsigned i = 0; i < 2; i++) {
        device = devices[i];
        if (!has_device())
            continue;
        if (is_planted)
            plant();
        else
            watch();
    }
    return atomic_load(&found);
}
