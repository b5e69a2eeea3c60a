/* Every call of the C library that the command makes fails, one after another, in every plausible way: memory, files, streams, threads,
   processes. After each: a documented exit status, one line that says why, under the final name the older file or the right one, no
   temporary file, no process left, no crash, no hang. See docs/reliability.md. usage: file_faults COMMAND RUINABLE [SCENARIO...]: the
   command as it is, and the same one over libc_layer.c. Everything with CLSOFTMAX_TEST_LONG, else a sample. */
#include "file_errors.h"
#include "file_scenarios.h"
#include "injection.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SAMPLE_STRIDE = 17, HANG_SECONDS = 200, MOST_ARGUMENTS = 20 };

/* What can go wrong; each is also planted by the self-test, as what a ruined command does. */
#define VIOLATION_LIST(X)                                                                                              \
    X(CRASH, "a signal ended the command")                                                                             \
    X(HANG, "no end")                                                                                                  \
    X(STATUS, "an exit status other than the documented one")                                                          \
    X(MESSAGE, "not one line that says why")                                                                           \
    X(IGNORED, "no consequence of a failed call on which the result hangs")                                            \
    X(BITS, "exit status 0, but not the right bytes")                                                                  \
    X(OLDER, "under the final name neither the older file nor the right one")                                          \
    X(LEFT, "a temporary file left, or in the way of the next run")                                                    \
    X(LEAK, "memory or descriptors not given back at the end")                                                         \
    X(CHILD, "a process of its own that it has not waited for")                                                        \
    X(UNREACHED, "a function that no scenario calls")

typedef enum violation {
#define VIOLATION_ENUM(name, text) VIOLATION_##name,
    VIOLATION_LIST(VIOLATION_ENUM)
#undef VIOLATION_ENUM
        VIOLATION_COUNT
} violation;

static const char *const violation_texts[] = {
#define VIOLATION_TEXT(name, text) #name ": " text,
    VIOLATION_LIST(VIOLATION_TEXT)};

static const char *command, *ruinable;
static injection_findings findings;
static libc_board *board;
static char board_path[] = "/tmp/clsoftmax-board-XXXXXX";
static libc_plant planted;
static int is_reached[LIBC_CALL_COUNT];
static int has_skipped; /* a scenario, for want of a device */
static unsigned long stride = SAMPLE_STRIDE;
static struct {
    unsigned long calls, cases, by_reach[LIBC_REACH_COUNT], ended[3];
} numbers, sums;

static void report(violation kind, const char *detail)
{
    injection_report(&findings, (int)kind, violation_texts[kind], detail);
}

/* ---------------------------------------------------------------- Running */

/* What a command has left: its files, of size -1 where there is none. */
typedef struct outcome {
    int status;   /* as waitpid gives it */
    int children; /* 1: it left processes, which have ended since; -1: which do not end */
    long sizes[FILE_NAMES];
    char bytes[FILE_NAMES][FILE_MOST_BYTES + 1];
} outcome;

static void become(const char *program, const char *arguments)
{
    static char words[1000];
    char *argv[MOST_ARGUMENTS + 2] = {words}, *rest = words;
    snprintf(words, sizeof words, "clsoftmax %s", arguments);
    for (int count = 0; count <= MOST_ARGUMENTS && (argv[count] = strsep(&rest, " "));)
        count++;
    setpgid(0, 0);
    int input = open(strstr(arguments, " - ") ? "x.txt" : "/dev/null", O_RDONLY);
    int output = open(file_names[FILE_OUTPUT], O_WRONLY | O_CREAT | O_TRUNC, 0666);
    int errors = open(file_names[FILE_ERRORS], O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0)
        _exit(126);
    alarm(planted == LIBC_PLANT_HANG ? 1 : HANG_SECONDS);
    execv(program, argv);
    _exit(127);
}

/* What the command started and did not wait for is this process's now. */
static int end_children(pid_t group)
{
    int children = kill(-group, 0) == 0, waits = 0;
    while (waitpid(-group, NULL, WNOHANG) >= 0 && waits++ < 100 * HANG_SECONDS)
        usleep(10000);
    if (kill(-group, SIGKILL) == 0)
        children = -1;
    while (waitpid(-group, NULL, 0) > 0)
        continue;
    return children;
}

static void run_command(const file_scenario *scenario, const char *program, const char *arguments, outcome *outcome)
{
    char threads[20];
    snprintf(threads, sizeof threads, scenario->threads > 0 ? "%d" : "", scenario->threads);
    setenv("CLSOFTMAX_THREADS", threads, 1);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0)
        become(program, arguments);
    if (child < 0 || waitpid(child, &outcome->status, 0) < 0)
        abort();
    outcome->children = end_children(child);
    for (int i = 0; i < FILE_NAMES; i++) {
        outcome->sizes[i] = file_read(scenario, i, outcome->bytes[i]);
        outcome->bytes[i][outcome->sizes[i] > 0 ? outcome->sizes[i] : 0] = '\0';
    }
}

/* The ruinable command, under the fault. */
static void run_ruined(const file_scenario *scenario, const libc_fault *fault, outcome *outcome)
{
    memset(board, 0, sizeof *board);
    board->fault = *fault;
    board->plant = planted;
    setenv(LIBC_BOARD_VARIABLE, board_path, 1);
    run_command(scenario, ruinable, scenario->arguments, outcome);
    unsetenv(LIBC_BOARD_VARIABLE);
    unsigned long calls = atomic_load(&board->calls);
    for (unsigned long n = 0; n < calls && n < LIBC_MOST_CALLS; n++)
        is_reached[atomic_load(&board->trace[n])] = 1;
}

static void prepare(const file_scenario *scenario)
{
    static outcome before;
    file_folder_prepare(scenario);
    if (scenario->before)
        run_command(scenario, command, scenario->before, &before);
}

static int is_equal(const outcome *a, const outcome *b, int name)
{
    return a->sizes[name] == b->sizes[name] &&
           (a->sizes[name] < 0 || memcmp(a->bytes[name], b->bytes[name], (size_t)a->sizes[name]) == 0);
}

/* ---------------------------------------------------------------- Checks */

/* What is written before and beside an error. */
static int is_notice(const char *line)
{
    return strstr(line, ": note: ") || strstr(line, "clsoftmax: verify: cpu: ");
}

/* Whether a stream was closed at its other end, which ends quietly. */
static int is_closed_pipe(const libc_fault *fault)
{
    return fault->error == EPIPE;
}

static void check_message(const outcome *outcome, const libc_fault *fault, libc_call call)
{
    char text[8192];
    int errors = 0, names_it = 0, is_failure = WEXITSTATUS(outcome->status) != 0;
    snprintf(text, sizeof text, "%.8000s", outcome->bytes[FILE_ERRORS]);
    char *rest = text;
    for (char *line; (line = strsep(&rest, "\n"));) {
        if (!*line || is_notice(line))
            continue;
        errors++;
        const char *what = strncmp(line, "clsoftmax: ", 11) == 0 ? line + 11 : "";
        names_it = strstr(what, ": ") != NULL && file_text_names(what, fault, call);
    }
    if (is_failure && is_closed_pipe(fault) && errors == 0)
        return;
    if (is_failure ? errors != 1 || !names_it : errors != 0)
        report(VIOLATION_MESSAGE, outcome->bytes[FILE_ERRORS]);
}

/* One of two files may have its name already when the other one fails. */
static void check_files(const file_scenario *scenario, const outcome *outcome, const struct outcome *right)
{
    int is_done = WEXITSTATUS(outcome->status) == 0;
    for (int i = FILE_RESULTS; i <= FILE_OUTPUT; i++)
        if (is_done && !is_equal(outcome, right, i))
            report(VIOLATION_BITS, file_names[i]);
    for (int i = 0; i < FILE_FINAL_NAMES && !is_done && scenario->older != FILE_PIPE; i++) {
        long size = outcome->sizes[i];
        int is_older = scenario->older == FILE_NONE ? size < 0 : strcmp(outcome->bytes[i], file_older_text) == 0;
        if (!is_older && !is_equal(outcome, right, i) && !(size < 0 && right->sizes[i] < 0))
            report(VIOLATION_OLDER, file_names[i]);
    }
    if (!file_folder_has_kind(scenario))
        report(VIOLATION_OLDER, "it is of another kind");
}

static int is_shard(const file_scenario *scenario)
{
    return strstr(scenario->arguments, "--shard") != NULL;
}

static int is_final_equal(const outcome *a, const outcome *b)
{
    for (int i = 0; i < FILE_FINAL_NAMES; i++)
        if (!is_equal(a, b, i))
            return 0;
    return 1;
}

/* What removes temporary files may be what fails; shards keep theirs. In both cases the next run is to put it right. */
static void check_left(const file_scenario *scenario, const libc_fault *fault, libc_call call,
                       const struct outcome *right)
{
    static outcome next;
    const char *left = file_folder_left();
    int may_be_left = call == LIBC_unlink || fault->reach == LIBC_EVERYTHING || scenario->older == FILE_LEFT;
    if (!left)
        return;
    if (!is_shard(scenario) && !may_be_left)
        report(VIOLATION_LEFT, left);
    run_command(scenario, command, scenario->arguments, &next);
    if (scenario->before && fault->reach == LIBC_EVERYTHING && !is_final_equal(&next, right))
        run_command(scenario, command, scenario->before, &next); /* what it had done could not be kept */
    left = file_folder_left();
    if (!is_final_equal(&next, right) || (left != NULL) != (strcmp(scenario->name, "first-shard") == 0))
        report(VIOLATION_LEFT, left ? left : next.bytes[FILE_ERRORS]);
}

static void check_held(void)
{
    char detail[100];
    long memory = atomic_load(&board->memory), descriptors = atomic_load(&board->descriptors);
    snprintf(detail, sizeof detail, "memory: %+ld, descriptors: %+ld", memory, descriptors);
    if (memory != 0 || descriptors != 0)
        report(VIOLATION_LEAK, detail);
}

static void check_children(const outcome *outcome, const libc_fault *fault, libc_call call)
{
    int may_be_left = call == LIBC_waitpid || fault->reach == LIBC_EVERYTHING;
    if (outcome->children < 0)
        report(VIOLATION_HANG, "a process that it started");
    if (outcome->children > 0 && !may_be_left)
        report(VIOLATION_CHILD, outcome->bytes[FILE_ERRORS]);
}

static void check_status(const outcome *outcome, const libc_fault *fault, libc_call call)
{
    char detail[200];
    int status = WEXITSTATUS(outcome->status);
    snprintf(detail, sizeof detail, "%d: %.180s", status, outcome->bytes[FILE_ERRORS]);
    if (status > 2 || (status > 0 && !file_status_is_right(fault, call, status, detail)))
        report(VIOLATION_STATUS, detail);
    else
        numbers.ended[status]++;
    if (status == 0 && fault->reach != LIBC_EVERYTHING && !file_may_be_ignored(fault, call))
        report(VIOLATION_IGNORED, detail);
}

/* ---------------------------------------------------------------- A case */

static void run_case(const file_scenario *scenario, const libc_fault *fault, const outcome *right)
{
    static outcome outcome;
    prepare(scenario);
    run_ruined(scenario, fault, &outcome);
    int struck = atomic_load(&board->struck);
    if (WIFSIGNALED(outcome.status)) {
        int signal_number = WTERMSIG(outcome.status);
        report(signal_number == SIGALRM ? VIOLATION_HANG : VIOLATION_CRASH, strsignal(signal_number));
        return;
    }
    if (struck == 0) { /* threads that came in another order made fewer calls */
        check_files(scenario, &outcome, right);
        return;
    }
    libc_call call = (libc_call)(struck - 1);
    check_status(&outcome, fault, call);
    check_message(&outcome, fault, call);
    check_files(scenario, &outcome, right);
    check_held();
    check_children(&outcome, fault, call);
    check_left(scenario, fault, call, right);
}

/* 1 if the case is in the sample. */
static int is_next(const file_scenario *scenario, const libc_fault *fault, libc_call call)
{
    static const char *const reaches[] = {
#define REACH_TEXT(name, text) text,
        LIBC_REACH_LIST(REACH_TEXT)};
    static unsigned long number;
    if (number++ % (stride * scenario->stride) != 0)
        return 0;
    snprintf(findings.text, sizeof findings.text, "%s: call %lu, %s, %s, %s", scenario->name, fault->at,
             libc_call_name(call), strerror(fault->error), reaches[fault->reach]);
    return 1;
}

static void fail_call(const file_scenario *scenario, unsigned long n, libc_call call, const outcome *right)
{
    for (int reach = 0; reach < LIBC_REACH_COUNT; reach++) {
        for (const int *error = file_errors(call, (libc_reach)reach); *error != 0; error++) {
            const libc_fault fault = {n, *error, (libc_reach)reach, 0};
            if (*error == EINTR && reach != LIBC_ONCE) /* signals end, some time */
                continue;
            if (!is_next(scenario, &fault, call))
                continue;
            numbers.cases++;
            numbers.by_reach[reach]++;
            run_case(scenario, &fault, right);
        }
    }
}

static void run_scenario(const file_scenario *scenario)
{
    static outcome right, counted;
    static libc_call trace[LIBC_MOST_CALLS];
    const libc_fault none = {0, 0, LIBC_ONCE, 0};
    libc_plant plant = planted;
    planted = LIBC_PLANT_NONE;
    prepare(scenario);
    run_command(scenario, command, scenario->arguments, &right);
    if (right.status != 0 && strstr(scenario->arguments, "-d 0:0") && !getenv("CLSOFTMAX_REQUIRE_DEVICE")) {
        has_skipped = 1;
        return;
    }
    prepare(scenario);
    run_ruined(scenario, &none, &counted);
    snprintf(findings.text, sizeof findings.text, "%s: no fault", scenario->name);
    if (right.status != 0 || counted.status != 0)
        report(VIOLATION_STATUS, counted.bytes[FILE_ERRORS]);
    if (!is_shard(scenario) && file_folder_left())
        report(VIOLATION_LEFT, file_folder_left());
    check_files(scenario, &counted, &right);
    check_held();
    check_children(&counted, &none, LIBC_CALL_COUNT);
    planted = plant;
    numbers.calls = atomic_load(&board->calls);
    if (numbers.calls > LIBC_MOST_CALLS)
        report(VIOLATION_UNREACHED, "more calls than the board has room for");
    for (unsigned long n = 0; n < numbers.calls && n < LIBC_MOST_CALLS; n++)
        trace[n] = (libc_call)atomic_load(&board->trace[n]);
    for (unsigned long n = 1; n <= numbers.calls && n <= LIBC_MOST_CALLS; n++)
        fail_call(scenario, n, trace[n - 1], &right);
}

/* ---------------------------------------------------------------- All scenarios */

static const file_scenario *find_scenario(const char *name)
{
    for (unsigned long i = 0; i < file_scenario_count; i++)
        if (strcmp(file_scenarios[i].name, name) == 0)
            return &file_scenarios[i];
    fprintf(stderr, "file_faults: no scenario %s\n", name);
    exit(2);
}

/* Of streams a compiler takes one function for another. */
static void check_reached(void)
{
    snprintf(findings.text, sizeof findings.text, "all scenarios");
    for (int call = 0; call < LIBC_fread; call++)
        if (!is_reached[call])
            report(VIOLATION_UNREACHED, libc_call_name((libc_call)call));
}

/* All but one: what is reached in truth is counted afterwards. */
static void plant_unreached(void)
{
    for (int call = 0; call < LIBC_CALL_COUNT; call++)
        is_reached[call] = call != LIBC_openat;
    check_reached();
    memset(is_reached, 0, sizeof is_reached);
}

static void plant(int kind)
{
    static const libc_plant plants[] = {
#define VIOLATION_PLANT(name, text) LIBC_PLANT_##name,
        VIOLATION_LIST(VIOLATION_PLANT)};
    unsigned long stride_before = stride;
    if (kind == VIOLATION_UNREACHED)
        plant_unreached();
    stride = kind == VIOLATION_HANG ? 97 : 11;
    planted = plants[kind];
    run_scenario(find_scenario("older"));
    planted = LIBC_PLANT_NONE;
    stride = stride_before;
    memset(&numbers, 0, sizeof numbers);
}

static void print_scenario(const file_scenario *scenario)
{
    printf("%-14s %3lu calls: %5lu faults (%lu once, %lu of a function, %lu of everything, %lu short, %lu empty); exit "
           "status 0: %lu, 1: %lu, 2: %lu\n",
           scenario->name, numbers.calls, numbers.cases, numbers.by_reach[LIBC_ONCE], numbers.by_reach[LIBC_FUNCTION],
           numbers.by_reach[LIBC_EVERYTHING], numbers.by_reach[LIBC_SHORT], numbers.by_reach[LIBC_NOTHING],
           numbers.ended[0], numbers.ended[1], numbers.ended[2]);
    sums.calls += numbers.calls;
    sums.cases += numbers.cases;
    printf("%-14s %3lu calls, %lu faults, %lu violations\n", "so far", sums.calls, sums.cases,
           injection_violations(&findings));
    memset(&numbers, 0, sizeof numbers);
}

static int open_board(void)
{
    int descriptor = mkstemp(board_path);
    if (descriptor < 0 || ftruncate(descriptor, sizeof *board) != 0)
        return 0;
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    return board != MAP_FAILED;
}

int main(int count, char **arguments)
{
    if (count < 3 || !open_board() || !file_folder_enter()) {
        fprintf(stderr, "file_faults: usage: file_faults COMMAND RUINABLE [SCENARIO...]; and room in /tmp\n");
        return 2;
    }
    command = arguments[1];
    ruinable = arguments[2];
    unsetenv("CLSOFTMAX_DEVICE");
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    int passed = injection_self_test(&findings, VIOLATION_COUNT, violation_texts, plant);
    if (getenv("CLSOFTMAX_TEST_LONG"))
        stride = 1;
    unsigned long scenarios = count > 3 ? (unsigned long)count - 3 : file_scenario_count;
    for (unsigned long i = 0; i < scenarios && passed; i++) {
        const file_scenario *scenario = count > 3 ? find_scenario(arguments[i + 3]) : &file_scenarios[i];
        run_scenario(scenario);
        print_scenario(scenario);
    }
    if (passed && count == 3 && !has_skipped)
        check_reached();
    passed = passed && injection_violations(&findings) == 0;
    file_folder_leave();
    unlink(board_path);
    return !passed;
}
