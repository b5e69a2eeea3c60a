/*
 * Workers go through the slabs of a job: each takes the next slab, reads it, has it computed, writes it, and takes
 * another.
 *
 * A device computes for one worker at a time, and has several, so that one of them computes while another reads and a
 * third writes; and a faster device takes more slabs. Workers of a device that fails go on with another device.
 */
#include "run/slab_steps.h"
#include "support/messages.h"
#include "support/progress.h"

#include <stdlib.h>

/* What workers share. */
typedef struct team {
    run *run;
    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t turned;
    uint64_t next_row;
    uint64_t taken, turn; /* slabs handed out; slabs written, where they are written in order */
    uint64_t rows_done;
    int status; /* of the first failure: everybody stops */
    progress progress;
} team;

typedef struct worker {
    team *team;
    device *device;
    slab_buffers buffers;
    pthread_t thread;
} worker;

/* ---------------------------------------------------------------- Turns */

/* Hands out the next slab and its number. Returns 0 if there is none, or somebody failed. */
static int take_slab(team *team, slab *slab, uint64_t *number)
{
    const slabs *slabs = &team->run->slabs;
    pthread_mutex_lock(&team->lock);
    int is_left = team->status == EXIT_DONE && team->next_row < slabs->end;
    if (is_left) {
        *slab = slabs_next(slabs, team->next_row);
        *number = team->taken++;
        team->next_row += slab->rows;
    }
    pthread_mutex_unlock(&team->lock);
    return is_left;
}

/* Waits until all slabs before this one are written, where they are written in order. Returns 0 if somebody failed. */
static int wait_for_turn(team *team, uint64_t number)
{
    pthread_mutex_lock(&team->lock);
    while (team->run->in_order && team->turn != number && team->status == EXIT_DONE)
        pthread_cond_wait(&team->turned, &team->lock);
    int goes_on = team->status == EXIT_DONE;
    pthread_mutex_unlock(&team->lock);
    return goes_on;
}

static void finish_slab(team *team, const slab *slab, int status)
{
    pthread_mutex_lock(&team->lock);
    team->turn++;
    team->rows_done += slab->rows;
    if (team->status == EXIT_DONE)
        team->status = status;
    progress_draw(&team->progress, team->rows_done);
    pthread_cond_broadcast(&team->turned);
    pthread_mutex_unlock(&team->lock);
}

/* ---------------------------------------------------------------- Workers */

static int work_on(worker *w, const slab *slab, uint64_t number)
{
    run *run = w->team->run;
    FORWARD(slab_read(run, slab, &w->buffers));
    FORWARD(slab_compute(run, slab, &w->buffers, &w->device));
    if (run->options.verify)
        FORWARD(slab_verify(run, slab, &w->buffers));
    return wait_for_turn(w->team, number) ? slab_write(run, slab, &w->buffers) : EXIT_DONE;
}

static void *work(void *worker_)
{
    worker *w = worker_;
    slab slab;
    uint64_t number;
    while (take_slab(w->team, &slab, &number))
        finish_slab(w->team, &slab, work_on(w, &slab, number));
    return NULL;
}

/* Runs as many workers as the system grants threads; this thread is the first. */
static void run_workers(worker *workers, unsigned count)
{
    unsigned started = 1;
    while (started < count && pthread_create(&workers[started].thread, NULL, work, &workers[started]) == 0)
        started++;
    work(&workers[0]);
    for (unsigned i = 1; i < started; i++)
        pthread_join(workers[i].thread, NULL);
}

/* Returns the bytes that a row moves: its logits in, its results out. */
static uint64_t moved_bytes(const run *run)
{
    const clsoftmax_problem *p = &run->problem;
    return p->classes *
           (clsoftmax_dtype_size(p->logits_dtype) + run_temperatures(run) * clsoftmax_dtype_size(p->results_dtype));
}

/* Gives each worker its memory and a device, and lets them work. */
static int make_and_run_workers(team *team, worker *workers)
{
    run *run = team->run;
    for (unsigned i = 0; i < run->workers; i++) {
        workers[i].team = team;
        workers[i].device = &run->devices.of[i % run->devices.count];
        FORWARD(slab_buffers_take(run, &workers[i].buffers));
    }
    complain_once(1); /* threads that fail together would say the same */
    progress_begin(&team->progress, run->options.progress, run->slabs.end - run->slabs.begin, "rows", moved_bytes(run));
    run_workers(workers, run->workers);
    progress_end(&team->progress);
    complain_once(0);
    return team->status;
}

int run_go_through_slabs(run *run)
{
    team team = {.run = run, .next_row = run->slabs.begin};
    worker *workers = calloc(run->workers, sizeof *workers);
    COMPLAIN_IF(!workers, EXIT_FAILED, "%s: no memory for %u workers", run->options.input, run->workers);
    pthread_mutex_init(&team.lock, NULL);
    pthread_cond_init(&team.turned, NULL);
    int status = make_and_run_workers(&team, workers);
    for (unsigned i = 0; i < run->workers; i++)
        slab_buffers_release(&workers[i].buffers);
    free(workers);
    pthread_cond_destroy(&team.turned);
    pthread_mutex_destroy(&team.lock);
    return status;
}
