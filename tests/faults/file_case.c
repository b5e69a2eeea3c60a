/* A case of file_faults: what file_case.h declares. */
#include "file_case.h"

#include "file_errors.h"
#include "injection.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HANG_SECONDS = 200, MOST_ARGUMENTS = 20 };

libc_plant file_planted = LIBC_PLANT_NONE;
file_tally file_tally_now;

static const char *command, *ruinable;
static libc_board *board;
static char board_path[] = "/tmp/clsoftmax-board-XXXXXX";

int file_case_begin(const char *command_path, const char *ruinable_path)
{
    command = command_path;
    ruinable = ruinable_path;
    int descriptor = mkstemp(board_path);
    if (descriptor < 0 || ftruncate(descriptor, sizeof *board) != 0)
        return 0;
    board = mmap(NULL, sizeof *board, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    close(descriptor);
    return board != MAP_FAILED;
}

void file_case_end(void)
{
    unlink(board_path);
}

/* ---------------------------------------------------------------- Running */

/* What a command has left. A file that is not there has the size -1. */
typedef struct outcome {
    int status;   /* as waitpid gives it */
    int children; /* 1: it left processes, which have ended since; -1: it left some that do not end */
    long sizes[FILE_NAMES];
    char bytes[FILE_NAMES][FILE_MOST_BYTES + 1];
} outcome;

static const char *standard_input_of(const char *arguments)
{
    if (!strstr(arguments, " - "))
        return "/dev/null";
    return strstr(arguments, " -o - ") ? "x.npy" : "x.txt";
}

/* Becomes the program, in a process group of its own, with its streams in files. */
static void become(const char *program, const char *arguments)
{
    static char words[1000];
    char *argv[MOST_ARGUMENTS + 2] = {words}, *rest = words;
    snprintf(words, sizeof words, "clsoftmax %s", arguments);
    for (int count = 0; count <= MOST_ARGUMENTS && (argv[count] = strsep(&rest, " "));)
        count++;
    setpgid(0, 0);
    int input = open(standard_input_of(arguments), O_RDONLY);
    int output = open(file_names[FILE_OUTPUT], O_WRONLY | O_CREAT | O_TRUNC, 0666);
    int errors = open(file_names[FILE_ERRORS], O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0)
        _exit(126);
    alarm(file_planted == LIBC_PLANT_HANG ? 1 : HANG_SECONDS);
    execv(program, argv);
    _exit(127);
}

/* Ends what the command has started and not waited for, which is this process's child now. */
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

/* Runs a command to its end, and reads what it has left. */
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

/* Runs the ruinable command under the fault. */
static void run_ruined(const file_scenario *scenario, const libc_fault *fault, outcome *outcome)
{
    memset(board, 0, sizeof *board);
    board->fault = *fault;
    board->plant = file_planted;
    setenv(LIBC_BOARD_VARIABLE, board_path, 1);
    run_command(scenario, ruinable, scenario->arguments, outcome);
    unsetenv(LIBC_BOARD_VARIABLE);
    unsigned long calls = atomic_load(&board->calls);
    for (unsigned long n = 0; n < calls && n < LIBC_MOST_CALLS; n++)
        file_tally_now.is_reached[atomic_load(&board->trace[n])] = 1;
}

/* Makes the folder as it is before the command. */
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

/* Returns 1 for lines that may stand beside an error. */
static int is_notice(const char *line)
{
    return strstr(line, ": note: ") || strstr(line, "clsoftmax: verify: cpu: ");
}

/* Returns 1 where the other end of a stream was closed: the command then ends quietly. */
static int is_closed_pipe(const libc_fault *fault)
{
    return fault->error == EPIPE;
}

/* Checks that an error is said in one line with its reason, and that without one there is none. */
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
        injection_report(VIOLATION_MESSAGE, outcome->bytes[FILE_ERRORS]);
}

/* Checks files and output: the right ones after success; after a failure the older files, or the right ones, since one
   of two files may have its name when the other one fails. */
static void check_files(const file_scenario *scenario, const outcome *outcome, const struct outcome *right)
{
    int is_done = WEXITSTATUS(outcome->status) == 0;
    for (int i = FILE_RESULTS; i <= FILE_OUTPUT; i++)
        if (is_done && !is_equal(outcome, right, i))
            injection_report(VIOLATION_BITS, file_names[i]);
    for (int i = 0; i < FILE_FINAL_NAMES && !is_done && scenario->older != FILE_PIPE; i++) {
        long size = outcome->sizes[i];
        int is_older = scenario->older == FILE_NONE ? size < 0 : strcmp(outcome->bytes[i], file_older_text) == 0;
        if (!is_older && !is_equal(outcome, right, i) && !(size < 0 && right->sizes[i] < 0))
            injection_report(VIOLATION_OLDER, file_names[i]);
    }
    if (!file_folder_has_kind(scenario))
        injection_report(VIOLATION_OLDER, "it is of another kind");
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

/* Checks that no temporary file is left. Shards keep theirs, and the call that fails may be the one that removes them:
   then the next run must put it right. */
static void check_left(const file_scenario *scenario, const libc_fault *fault, libc_call call,
                       const struct outcome *right)
{
    static outcome next;
    const char *left = file_folder_left();
    int may_be_left = call == LIBC_unlink || fault->reach == LIBC_EVERYTHING || scenario->older == FILE_LEFT;
    if (!left)
        return;
    if (!is_shard(scenario) && !may_be_left)
        injection_report(VIOLATION_LEFT, left);
    run_command(scenario, command, scenario->arguments, &next);
    if (scenario->before && fault->reach == LIBC_EVERYTHING && !is_final_equal(&next, right))
        run_command(scenario, command, scenario->before, &next); /* the work of that run could not be kept */
    left = file_folder_left();
    if (!is_final_equal(&next, right) || (left != NULL) != (strcmp(scenario->name, "first-shard") == 0))
        injection_report(VIOLATION_LEFT, left ? left : next.bytes[FILE_ERRORS]);
}

/* Checks that memory and descriptors were given back. */
static void check_held(void)
{
    char detail[100];
    long memory = atomic_load(&board->memory), descriptors = atomic_load(&board->descriptors);
    snprintf(detail, sizeof detail, "memory: %+ld, descriptors: %+ld", memory, descriptors);
    if (memory != 0 || descriptors != 0)
        injection_report(VIOLATION_LEAK, detail);
}

/* Checks that the command has waited for its own processes. */
static void check_children(const outcome *outcome, const libc_fault *fault, libc_call call)
{
    int may_be_left = call == LIBC_waitpid || fault->reach == LIBC_EVERYTHING;
    if (outcome->children < 0)
        injection_report(VIOLATION_HANG, "a process that it started");
    if (outcome->children > 0 && !may_be_left)
        injection_report(VIOLATION_CHILD, outcome->bytes[FILE_ERRORS]);
}

/* Checks the exit status, and that a call on which the result depends was not ignored. */
static void check_status(const outcome *outcome, const libc_fault *fault, libc_call call)
{
    char detail[200];
    int status = WEXITSTATUS(outcome->status);
    snprintf(detail, sizeof detail, "%d: %.180s", status, outcome->bytes[FILE_ERRORS]);
    if (status > 2 || (status > 0 && !file_status_is_right(fault, call, status, detail)))
        injection_report(VIOLATION_STATUS, detail);
    else
        file_tally_now.ended[status]++;
    if (status == 0 && fault->reach != LIBC_EVERYTHING && !file_may_be_ignored(fault, call))
        injection_report(VIOLATION_IGNORED, detail);
}

/* ---------------------------------------------------------------- A case */

static outcome right; /* of the scenario without a fault */
static unsigned long calls;
static libc_call trace[LIBC_MOST_CALLS];

int file_case_expect(const file_scenario *scenario)
{
    static outcome counted;
    const libc_fault none = {0, 0, LIBC_ONCE, 0};
    libc_plant plant = file_planted;
    file_planted = LIBC_PLANT_NONE;
    prepare(scenario);
    run_command(scenario, command, scenario->arguments, &right);
    if (right.status != 0 && strstr(scenario->arguments, "-d 0:0") && !getenv("CLSOFTMAX_REQUIRE_DEVICE"))
        return 0;
    prepare(scenario);
    run_ruined(scenario, &none, &counted);
    injection_describe("%s: no fault", scenario->name);
    if (right.status != 0 || counted.status != 0)
        injection_report(VIOLATION_STATUS, counted.bytes[FILE_ERRORS]);
    if (!is_shard(scenario) && file_folder_left())
        injection_report(VIOLATION_LEFT, file_folder_left());
    check_files(scenario, &counted, &right);
    check_held();
    check_children(&counted, &none, LIBC_CALL_COUNT);
    file_planted = plant;
    calls = atomic_load(&board->calls);
    if (calls > LIBC_MOST_CALLS) {
        injection_report(VIOLATION_UNREACHED, "more calls than the board has room for");
        calls = LIBC_MOST_CALLS;
    }
    for (unsigned long n = 0; n < calls; n++)
        trace[n] = (libc_call)atomic_load(&board->trace[n]);
    return 1;
}

unsigned long file_case_calls(void)
{
    return calls;
}

libc_call file_case_call_at(unsigned long n)
{
    return trace[n - 1];
}

void file_case_run(const file_scenario *scenario, const libc_fault *fault)
{
    static outcome outcome;
    prepare(scenario);
    run_ruined(scenario, fault, &outcome);
    int struck = atomic_load(&board->struck);
    if (WIFSIGNALED(outcome.status)) {
        int signal_number = WTERMSIG(outcome.status);
        injection_report(signal_number == SIGALRM ? VIOLATION_HANG : VIOLATION_CRASH, strsignal(signal_number));
        return;
    }
    if (struck == 0) { /* threads took another order, and made fewer calls */
        check_files(scenario, &outcome, &right);
        return;
    }
    libc_call call = (libc_call)(struck - 1);
    check_status(&outcome, fault, call);
    check_message(&outcome, fault, call);
    check_files(scenario, &outcome, &right);
    check_held();
    check_children(&outcome, fault, call);
    check_left(scenario, fault, call, &right);
}
