/* Threads that wait for calls. See cpu_pool.h. */
#include "cpu_pool.h"

#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* How long a thread waits awake before it sleeps: about twice as long as it takes to wake it (docs/experiments.md,
   "cpu: small calls"). */
#define AWAKE_NANOSECONDS 50000

/* A thread of the pool that is not the caller's. */
typedef struct worker {
    struct cpu_pool *pool;
    size_t number;
    pthread_t thread;
    atomic_int
        may_begin; /* 1: a call wants it. Whoever sets this to 0 decides: the thread begins, or the caller ends */
    atomic_int is_asleep; /* 1: it waits for `wake`, or is about to */
    sem_t wake;
} worker;

struct cpu_pool {
    pthread_mutex_t one_call;
    size_t threads;
    int64_t ended; /* when the last call did */
    /* Of the current call. */
    cpu_pool_task *task; /* NULL: threads end */
    void *context;
    atomic_size_t at_work; /* threads that have not done it */
    sem_t done;
    worker workers[]; /* of threads from 1 */
};

static int64_t nanoseconds(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* Sleeps until a semaphore is posted. */
static void wait_asleep(sem_t *semaphore)
{
    while (sem_wait(semaphore) != 0) /* a signal came */
        ;
}

/* ---------------------------------------------------------------- Beginning */

/* Takes the thread's permission to begin. Returns 1 if it was there: to the thread itself, which then begins, or to the
   caller, which need not wait for that thread then. */
static int take_begin(worker *which)
{
    return atomic_load(&which->may_begin) && atomic_exchange(&which->may_begin, 0);
}

/* Lets a thread begin, and wakes it if it sleeps. */
static void let_begin(worker *which)
{
    atomic_store(&which->may_begin, 1);
    if (atomic_exchange(&which->is_asleep, 0))
        sem_post(&which->wake);
}

/* Waits until this thread may begin: awake for a while, then asleep, then awake again. */
static void wait_to_begin(worker *self)
{
    for (;;) {
        const int64_t until = nanoseconds() + AWAKE_NANOSECONDS;
        do {
            if (take_begin(self))
                return;
            sched_yield(); /* perhaps to the caller, whose processor it may have */
        } while (nanoseconds() < until);
        atomic_store(&self->is_asleep, 1);
        if (!atomic_load(&self->may_begin) || !atomic_exchange(&self->is_asleep, 0))
            wait_asleep(&self->wake);
    }
}

/* ---------------------------------------------------------------- Ending */

/* Takes so many threads from those at work. Returns 1 if none is left. */
static int are_last(cpu_pool *pool, size_t threads)
{
    return atomic_fetch_sub(&pool->at_work, threads) == threads;
}

/* Waits until the threads that have begun are done. They will be soon, unless one has lost its processor. */
static void wait_for_others(cpu_pool *pool)
{
    const int64_t until = nanoseconds() + AWAKE_NANOSECONDS;
    while (sem_trywait(&pool->done) != 0) {
        cpu_pause();
        if (nanoseconds() >= until) {
            wait_asleep(&pool->done);
            return;
        }
    }
}

/* ---------------------------------------------------------------- Threads */

/* Does the tasks of one call after another, until the pool is destroyed. */
static void *work(void *worker_)
{
    worker *self = worker_;
    cpu_pool *pool = self->pool;
    for (;;) {
        wait_to_begin(self);
        if (!pool->task)
            return NULL;
        pool->task(pool->context, self->number);
        if (are_last(pool, 1))
            sem_post(&pool->done);
    }
}

cpu_pool *cls_cpu_pool_create(size_t threads)
{
    cpu_pool *pool = calloc(1, sizeof *pool + (threads - 1) * sizeof *pool->workers);
    if (!pool)
        return NULL;
    pthread_mutex_init(&pool->one_call, NULL);
    sem_init(&pool->done, 0, 0);
    for (pool->threads = 1; pool->threads < threads; pool->threads++) {
        worker *next = &pool->workers[pool->threads - 1];
        next->pool = pool;
        next->number = pool->threads;
        sem_init(&next->wake, 0, 0);
        if (pthread_create(&next->thread, NULL, work, next) != 0)
            break;
    }
    return pool;
}

size_t cls_cpu_pool_threads(const cpu_pool *pool)
{
    return pool->threads;
}

/* Runs a task on several threads. Those that have not begun when the caller is done are counted as done. */
static void run_on(cpu_pool *pool, cpu_pool_task *task, void *context, size_t threads)
{
    pool->task = task;
    pool->context = context;
    atomic_store(&pool->at_work, threads);
    for (size_t i = 1; i < threads; i++)
        let_begin(&pool->workers[i - 1]);
    task(context, 0);
    size_t done = 1;
    for (size_t i = 1; i < threads; i++)
        done += (size_t)take_begin(&pool->workers[i - 1]);
    if (!are_last(pool, done))
        wait_for_others(pool);
}

void cls_cpu_pool_run(cpu_pool *pool, cpu_pool_task *task, void *context, size_t threads, size_t awake_threads)
{
    int is_mine = 0;
    if (threads > 1)
        is_mine = pthread_mutex_lock(&pool->one_call) == 0;
    else if (awake_threads > 1)
        is_mine = pthread_mutex_trylock(&pool->one_call) == 0;
    if (!is_mine) {
        task(context, 0);
        return;
    }
    if (awake_threads > threads && nanoseconds() - pool->ended < AWAKE_NANOSECONDS)
        threads = awake_threads;
    if (threads > 1)
        run_on(pool, task, context, threads);
    else
        task(context, 0);
    pool->ended = nanoseconds();
    pthread_mutex_unlock(&pool->one_call);
}

void cls_cpu_pool_destroy(cpu_pool *pool)
{
    if (!pool)
        return;
    pool->task = NULL;
    for (size_t i = 1; i < pool->threads; i++)
        let_begin(&pool->workers[i - 1]);
    for (size_t i = 1; i < pool->threads; i++)
        pthread_join(pool->workers[i - 1].thread, NULL);
    free(pool);
}
