/* The threads of device "cpu" (cpu_pool.h): every piece of work is done once, before the call returns, by no more
   threads than the call allows. */
#include "cpu/cpu_pool.h"

#include <criterion/criterion.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

enum { THREADS = 4, PIECES = 37 };

typedef struct job {
    atomic_size_t next, most; /* the next piece; the largest number of a thread that took part */
    unsigned done[PIECES];    /* no atomics: the pool must make them visible */
    unsigned delay;           /* turns of a loop for each piece */
} job;

static void take_pieces(void *job_, size_t thread)
{
    job *of = job_;
    size_t most = atomic_load(&of->most);
    while (thread > most && !atomic_compare_exchange_weak(&of->most, &most, thread))
        ;
    for (size_t piece; (piece = atomic_fetch_add(&of->next, 1)) < PIECES;) {
        for (volatile unsigned turn = 0; turn < of->delay; turn++)
            ;
        of->done[piece]++;
    }
}

/* Runs a job, checks that it was done, and returns how many threads it may have had. */
static size_t run(cpu_pool *pool, size_t threads, size_t awake_threads, unsigned delay)
{
    job of = {.delay = delay};
    cls_cpu_pool_run(pool, take_pieces, &of, threads, awake_threads);
    for (size_t i = 0; i < PIECES; i++)
        cr_assert_eq(of.done[i], 1u, "piece %zu was done %u times", i, of.done[i]);
    return of.most + 1;
}

static void sleep_long(void)
{
    nanosleep(&(struct timespec){0, 1000000}, NULL);
}

Test(cpu_pool, every_piece_once)
{
    cpu_pool *pool = cls_cpu_pool_create(THREADS);
    cr_assert_eq(cls_cpu_pool_threads(pool), THREADS);
    for (unsigned call = 0; call < 20000; call++) {
        size_t threads = 1 + call % THREADS;
        cr_assert_leq(run(pool, threads, threads, call % 7 * 20), threads);
        if (call % 1000 == 0)
            sleep_long();
    }
    cls_cpu_pool_destroy(pool);
}

Test(cpu_pool, more_threads_only_soon_after_a_call)
{
    cpu_pool *pool = cls_cpu_pool_create(THREADS);
    size_t most = 0;
    for (unsigned call = 0; call < 100; call++) {
        sleep_long();
        cr_assert_eq(run(pool, 1, THREADS, 0), 1u, "they sleep");
    }
    for (unsigned call = 0; call < 10000 && most < 2; call++) {
        size_t threads = run(pool, 1, THREADS, 1000);
        most = threads > most ? threads : most;
    }
    cr_assert_gt(most, 1u, "no thread ever helped");
    cls_cpu_pool_destroy(pool);
}

static void *call_often(void *pool)
{
    for (unsigned call = 0; call < 3000; call++)
        run(pool, 1 + call % 3, THREADS, 50);
    return NULL;
}

Test(cpu_pool, callers_at_once)
{
    cpu_pool *pool = cls_cpu_pool_create(THREADS);
    pthread_t callers[3];
    for (size_t i = 0; i < 3; i++)
        cr_assert_eq(pthread_create(&callers[i], NULL, call_often, pool), 0);
    for (size_t i = 0; i < 3; i++)
        pthread_join(callers[i], NULL);
    cls_cpu_pool_destroy(pool);
}

Test(cpu_pool, of_one_thread)
{
    cpu_pool *pool = cls_cpu_pool_create(1);
    cr_assert_eq(cls_cpu_pool_threads(pool), 1u);
    cr_assert_eq(run(pool, 1, 1, 0), 1u);
    cls_cpu_pool_destroy(pool);
    cls_cpu_pool_destroy(NULL);
}
