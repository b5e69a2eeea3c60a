/* Contenders that are other libraries, each a peer: a process of its own, which answers requests line by line.
   peers/README.md has the protocol. Part of contender.h. */
#include "contender.h"
#include "support/lists.h"
#include "support/messages.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ANSWER_SECONDS = 120 };

typedef struct peer {
    pid_t process; /* leads a process group of its own; 0 once it has ended */
    int requests;  /* a pipe to its standard input */
    int answers;   /* a pipe from its standard output */
} peer;

/* ---------------------------------------------------------------- The process */

/* Turns the child of a fork into the peer, and never returns. The descriptor of the workload's memory keeps its number,
   and SIGPIPE does what any program expects. */
static void become_peer(const char *program, int input, int output, int memory)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it would stay stopped for ever if this program died */
    setpgid(0, 0);
    signal(SIGPIPE, SIG_DFL);
    if (dup2(input, STDIN_FILENO) >= 0 && dup2(output, STDOUT_FILENO) >= 0 && fcntl(memory, F_SETFD, 0) == 0)
        execl(program, program, (char *)NULL);
    _exit(127);
}

/* Starts a program as a peer. Returns 1, or 0 with errno. */
static int start_process(peer *peer, const char *program, int memory)
{
    int requests[2], answers[2];
    if (pipe2(requests, O_CLOEXEC) != 0)
        return 0;
    if (pipe2(answers, O_CLOEXEC) != 0) {
        close(requests[0]);
        close(requests[1]);
        return 0;
    }
    peer->process = fork();
    if (peer->process == 0)
        become_peer(program, requests[0], answers[1], memory);
    if (peer->process > 0)
        setpgid(peer->process, peer->process); /* the peer does it, too, so that neither can be too late */
    close(requests[0]);
    close(answers[1]);
    peer->requests = requests[1];
    peer->answers = answers[0];
    return peer->process > 0;
}

static void end_process(peer *peer)
{
    if (peer->process > 0) {
        kill(-peer->process, SIGKILL);
        waitpid(peer->process, NULL, 0);
    }
    peer->process = 0;
    if (peer->requests > 0)
        close(peer->requests);
    if (peer->answers > 0)
        close(peer->answers);
    peer->requests = peer->answers = 0;
}

/* ---------------------------------------------------------------- Requests and answers */

/* Reads a line without its end. Returns 1, or 0 if none comes in time. */
static int read_answer(const peer *peer, char *answer, size_t size)
{
    struct pollfd waiting = {.fd = peer->answers, .events = POLLIN};
    double deadline = now() + ANSWER_SECONDS;
    for (size_t length = 0; length < size; length++) {
        double left = deadline - now();
        if (left <= 0 || poll(&waiting, 1, (int)(left * 1000)) <= 0 || read(peer->answers, answer + length, 1) != 1)
            return 0;
        if (answer[length] == '\n') {
            answer[length] = '\0';
            return 1;
        }
    }
    return 0; /* the line is too long */
}

/* Sends a line to a peer that is awake, and reads its answer. Returns 1, or 0 with a reason, which is the peer's own if
   it answers "no". */
static int ask(contender *contender, char *answer, size_t size, const char *format, ...)
{
    peer *peer = contender->state;
    if (contender->is_dead)
        return contender_fail(contender, "the peer has ended");
    va_list arguments;
    va_start(arguments, format);
    int sent = vdprintf(peer->requests, format, arguments) > 0;
    va_end(arguments);
    if (!sent || !read_answer(peer, answer, size)) {
        contender->is_dead = 1;
        end_process(peer);
        return contender_fail(contender, "the peer did not answer; it ended, or took more than %d seconds",
                              ANSWER_SECONDS);
    }
    return strncmp(answer, "no ", 3) != 0 || contender_fail(contender, "%s", answer + 3);
}

/* Returns 1 if the answer begins with a word, or 0 with a reason. */
static int is_answer(contender *contender, const char *answer, const char *word)
{
    size_t length = strlen(word);
    return (strncmp(answer, word, length) == 0 && (answer[length] == ' ' || answer[length] == '\0')) ||
           contender_fail(contender, "the peer answers \"%.100s\" where \"%s\" is due", answer, word);
}

/* ---------------------------------------------------------------- A peer as a contender */

static void peer_wake(contender *contender)
{
    peer *peer = contender->state;
    if (!contender->is_dead)
        kill(-peer->process, SIGCONT);
}

/* Stops the peer's process group, so that threads that spin disturb nobody, and waits until it is stopped, so that the
   next contender finds the processors free. */
static void peer_rest(contender *contender)
{
    peer *peer = contender->state;
    if (!contender->is_dead && kill(-peer->process, SIGSTOP) == 0)
        waitpid(peer->process, NULL, WUNTRACED);
}

/* Writes the words with which a request for the workload begins. Another operation than softmax has a request of its
   own, so that a peer of softmax alone refuses it. */
static void begin_request(const workload *workload, char *text, size_t size)
{
    const clsoftmax_operation operation = workload->problem.operation;
    if (operation == CLSOFTMAX_OPERATION_SOFTMAX)
        snprintf(text, size, "problem");
    else
        snprintf(text, size, "operation %s %zu %zu", clsoftmax_operation_name(operation),
                 workload->bytes[CALL_OPERAND] > 0 ? workload->offsets[CALL_OPERAND] : 0,
                 workload->bytes[CALL_LABELS] > 0 ? workload->offsets[CALL_LABELS] : 0);
}

static int peer_prepare(contender *contender)
{
    char answer[512], begin[128];
    const workload *workload = contender->workload;
    const clsoftmax_problem *problem = &workload->problem;
    if (workload->temperature == 0 || workload->temperature > 1e30f)
        return contender_fail(contender, "peers are not asked about limits of the temperature");
    peer_wake(contender);
    begin_request(workload, begin, sizeof begin);
    int is_ready =
        ask(contender, answer, sizeof answer, "%s %d %u %zu %zu %llu %llu %d %s %s %.9g\n", begin, workload->descriptor,
            workload->slots, workload->slot_bytes, workload->offsets[CALL_RESULTS], (unsigned long long)workload->rows,
            (unsigned long long)problem->classes, workload->axis, clsoftmax_dtype_name(problem->logits_dtype),
            clsoftmax_dtype_name(problem->results_dtype), (double)workload->temperature) &&
        is_answer(contender, answer, "ready");
    peer_rest(contender);
    return is_ready;
}

static int peer_run(contender *contender, unsigned first, unsigned passes, double *seconds)
{
    char answer[512], *end;
    if (!ask(contender, answer, sizeof answer, "round %u %u\n", first, passes) ||
        !is_answer(contender, answer, "seconds"))
        return 0;
    *seconds = strtod(answer + strlen("seconds"), &end);
    return (*seconds > 0 && *end == '\0') || contender_fail(contender, "the peer answers \"%.100s\"", answer);
}

/* Makes the peer unmap the memory, whose size is about to change. */
static void peer_finish(contender *contender)
{
    char answer[512];
    peer_wake(contender);
    if (!contender->is_dead)
        ask(contender, answer, sizeof answer, "done\n");
    peer_rest(contender);
}

static void peer_release(contender *contender)
{
    if (contender->state)
        end_process(contender->state);
    free(contender->state);
}

/* ---------------------------------------------------------------- Finding peers */

typedef struct peer_search {
    contender_list *list;
    unsigned threads;
    int memory;        /* the descriptor of the workload's memory */
    char folder[4096]; /* of peers that are called by a name without a slash */
} peer_search;

/* Says hello to a peer that was started. Returns 1, or 0 with a reason if the peer cannot take part. */
static int greet(contender *contender, unsigned threads)
{
    char answer[512] = "";
    if (!ask(contender, answer, sizeof answer, "hello %u\n", threads) || !is_answer(contender, answer, "peer"))
        return 0;
    snprintf(contender->detail, sizeof contender->detail, "%s", answer + strlen("peer "));
    peer_rest(contender);
    return 1;
}

/* Adds the peer of a name or path. A peer that cannot take part is left out with a notice. */
static int add_peer(const char *name, void *context)
{
    static const contender_functions functions = {.prepare = peer_prepare,
                                                  .wake = peer_wake,
                                                  .run = peer_run,
                                                  .rest = peer_rest,
                                                  .finish = peer_finish,
                                                  .release = peer_release};
    const peer_search *search = context;
    const char *slash = strrchr(name, '/');
    char program[8192];
    snprintf(program, sizeof program, "%s%s%s", slash ? "" : search->folder, slash ? "" : "/", name);
    COMPLAIN_IF(access(program, X_OK) != 0, EXIT_WRONG, "--peers %s: %s: %s", name, program, strerror(errno));
    contender *added = contender_list_add(search->list, CONTENDER_PEER, &functions);
    if (!added)
        return EXIT_FAILED;
    peer *peer = calloc(1, sizeof *peer);
    COMPLAIN_IF(!peer, EXIT_FAILED, "no memory for contenders");
    added->state = peer;
    snprintf(added->name, sizeof added->name, "%s", slash ? slash + 1 : name);
    COMPLAIN_IF(!start_process(peer, program, search->memory), EXIT_FAILED, "peer %s: %s", name, strerror(errno));
    if (greet(added, search->threads))
        return EXIT_DONE;
    notice("note: peer %s is left out: %s", name, added->reason);
    peer_release(added);
    search->list->count--;
    return EXIT_DONE;
}

/* Finds the folder of peers: CLSOFTMAX_PEERS, or peers/ beside this program. */
static int find_folder(peer_search *search)
{
    const char *named = getenv("CLSOFTMAX_PEERS");
    if (named && *named) {
        snprintf(search->folder, sizeof search->folder, "%s", named);
        return EXIT_DONE;
    }
    ssize_t length = readlink("/proc/self/exe", search->folder, sizeof search->folder - 8);
    COMPLAIN_IF(length <= 0, EXIT_FAILED, "--peers: where this program stands is not known; CLSOFTMAX_PEERS can tell");
    search->folder[length] = '\0';
    strcpy(strrchr(search->folder, '/'), "/peers");
    return EXIT_DONE;
}

/* Returns 1 for a program: its name has no dot, and whatever else is in the folder has one. */
static int is_peer(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && entry->d_type != DT_DIR && !strchr(entry->d_name, '.');
}

/* Adds every program in the folder, in the order of their names. */
static int add_all(peer_search *search)
{
    struct dirent **entries = NULL;
    int status = EXIT_DONE, count = scandir(search->folder, &entries, is_peer, alphasort);
    if (count <= 0)
        notice("note: there are no peers in %s; ./dev bench makes them", search->folder);
    for (int i = 0; i < count; i++) {
        if (status == EXIT_DONE)
            status = add_peer(entries[i]->d_name, search);
        free(entries[i]);
    }
    free(entries);
    return status;
}

/* Tells all peers how many threads to have, by the variables that their libraries read. */
static void set_threads(unsigned threads)
{
    static const char *const variables[] = {"OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"};
    char text[16];
    snprintf(text, sizeof text, "%u", threads);
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        setenv(variables[i], text, 1);
    /* Without this, two threads that wake up may share a processor for a while, at half the speed. */
    setenv("OMP_PROC_BIND", "true", 1);
}

int add_peers(contender_list *list, const char *peers, unsigned threads, int descriptor)
{
    peer_search search = {.list = list, .threads = threads, .memory = descriptor};
    if (strcmp(peers, "none") == 0)
        return EXIT_DONE;
    set_threads(threads);
    FORWARD(find_folder(&search));
    return strcmp(peers, "all") == 0 ? add_all(&search) : for_each_item("--peers", peers, add_peer, &search);
}
