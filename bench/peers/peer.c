/* The protocol of README.md, for peers in C: reads requests, calls the peer, and writes answers. See peer.h. */
#include "peer.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

typedef struct peer {
    const peer_functions *functions;
    peer_problem problem;
    peer_arrays arrays; /* of the current call */
    FILE *answers;
} peer;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

/* Limits the process to as many processors as threads, however many threads the library starts. */
static void keep_to_processors(unsigned threads)
{
    cpu_set_t all, few;
    CPU_ZERO(&few);
    if (sched_getaffinity(0, sizeof all, &all) != 0)
        return;
    for (size_t i = 0; i < CPU_SETSIZE && threads > 0; i++)
        if (CPU_ISSET(i, &all)) {
            CPU_SET(i, &few);
            threads--;
        }
    sched_setaffinity(0, sizeof few, &few);
}

static const char *hello(peer *peer, const char *request)
{
    unsigned threads = 0;
    char version[200] = "";
    if (sscanf(request, "hello %u", &threads) != 1 || threads == 0)
        return "hello takes the number of threads";
    keep_to_processors(threads);
    const char *wrong = peer->functions->open(threads, version, sizeof version);
    if (!wrong)
        fprintf(peer->answers, "peer %s\n", version);
    return wrong;
}

/* Ends the current problem, if there is one. */
static void done(peer *peer)
{
    peer_problem *problem = &peer->problem;
    if (!problem->memory)
        return;
    peer->functions->finish();
    munmap(problem->memory, problem->slots * problem->slot_bytes);
    problem->memory = NULL;
}

/* Prepares a problem of the operation that is set, by the words that follow. */
static const char *prepare(peer *peer, const char *words)
{
    peer_problem *problem = &peer->problem;
    unsigned long long rows = 0, classes = 0;
    int descriptor = -1;
    if (sscanf(words, "%d %u %zu %zu %llu %llu %d %7s %7s %f", &descriptor, &problem->slots, &problem->slot_bytes,
               &problem->results_offset, &rows, &classes, &problem->axis, problem->logits_dtype, problem->results_dtype,
               &problem->temperature) != 10)
        return "a problem takes ten words";
    problem->rows = rows;
    problem->classes = classes;
    size_t bytes = problem->slots * problem->slot_bytes;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, descriptor, 0);
    if (memory == MAP_FAILED)
        return "the memory cannot be mapped";
    problem->memory = memory;
    const char *wrong = peer->functions->prepare(problem);
    if (!wrong)
        fputs("ready\n", peer->answers);
    return wrong;
}

static const char *prepare_softmax(peer *peer, const char *request)
{
    peer_problem *problem = &peer->problem;
    done(peer);
    strcpy(problem->operation, "softmax");
    problem->operand_offset = problem->labels_offset = 0;
    return prepare(peer, request + strlen("problem "));
}

static const char *prepare_operation(peer *peer, const char *request)
{
    peer_problem *problem = &peer->problem;
    int end = 0;
    done(peer);
    if (!peer->functions->has_operations)
        return "this peer has softmax alone";
    if (sscanf(request, "operation %31s %zu %zu %n", problem->operation, &problem->operand_offset,
               &problem->labels_offset, &end) != 3)
        return "operation takes a name and two offsets";
    return prepare(peer, request + end);
}

/* Returns the array at an offset of a slot; NULL if the offset is 0. */
static void *array_at(unsigned char *slot, size_t offset)
{
    return offset > 0 ? slot + offset : NULL;
}

static const char *run_round(peer *peer, const char *request)
{
    const peer_problem *problem = &peer->problem;
    unsigned first = 0, passes = 0;
    if (!problem->memory || sscanf(request, "round %u %u", &first, &passes) != 2)
        return "round takes two numbers, behind a problem";
    double start = now();
    for (unsigned pass = first; pass < first + passes; pass++) {
        unsigned char *slot = problem->memory + pass % problem->slots * problem->slot_bytes;
        peer->arrays = (peer_arrays){slot, slot + problem->results_offset, array_at(slot, problem->operand_offset),
                                     array_at(slot, problem->labels_offset)};
        const char *wrong = peer->functions->run(&peer->arrays);
        if (wrong)
            return wrong;
    }
    double seconds = now() - start;
    fprintf(peer->answers, "seconds %.9f\n", seconds);
    return NULL;
}

/* Answers a request. Returns NULL, or in a few words why it cannot. */
static const char *answer(peer *peer, const char *request)
{
    if (strncmp(request, "hello ", 6) == 0)
        return hello(peer, request);
    if (strncmp(request, "problem ", 8) == 0)
        return prepare_softmax(peer, request);
    if (strncmp(request, "operation ", 10) == 0)
        return prepare_operation(peer, request);
    if (strncmp(request, "round ", 6) == 0)
        return run_round(peer, request);
    if (strcmp(request, "done\n") != 0)
        return "no such request";
    done(peer);
    fputs("done\n", peer->answers);
    return NULL;
}

int peer_serve(const peer_functions *functions)
{
    /* Answers go to a copy of standard output. Standard output itself becomes standard error, so that nothing that a
       library prints is taken for an answer. */
    peer peer = {.functions = functions, .answers = fdopen(dup(STDOUT_FILENO), "w")};
    char request[512];
    dup2(STDERR_FILENO, STDOUT_FILENO);
    while (peer.answers && fgets(request, sizeof request, stdin)) {
        const char *wrong = answer(&peer, request);
        if (wrong)
            fprintf(peer.answers, "no %s\n", wrong);
        fflush(peer.answers);
    }
    done(&peer);
    return 0;
}
