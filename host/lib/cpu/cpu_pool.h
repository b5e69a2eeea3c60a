/*
 * The threads of device "cpu". cpu_backend.c runs calls on them; the copies of clsoftmax-bench use the same.
 *
 * A call wakes only the threads that it asks for. A thread that has nothing to do waits awake for as long as it takes
 * to wake one that sleeps, so that calls one after another find their threads awake; then it sleeps.
 */
#ifndef CPU_POOL_H
#define CPU_POOL_H

#include <stddef.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

typedef struct cpu_pool cpu_pool;

/* What a thread does in a call. Threads have numbers from 0, which is the caller's own. A task takes on what is left to
   do, piece by piece, so that it does not matter how many threads there are. */
typedef void cpu_pool_task(void *context, size_t thread);

/* Tells the processor that its thread waits in a loop. */
static inline void cpu_pause(void)
{
#if defined(__x86_64__)
    _mm_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Makes a pool of `threads` threads, the caller's included, or of as many as the system grants. Returns NULL without
   memory. */
cpu_pool *cls_cpu_pool_create(size_t threads);

/* Returns how many threads a pool has, the caller's included. */
size_t cls_cpu_pool_threads(const cpu_pool *pool);

/* Runs the task on the caller's thread and on more: up to `threads` of them, or up to awake_threads where these are
   more and the last call ended a moment ago, so that its threads are awake, or will be for the next one. Returns when
   all that have begun are done; a thread that has not begun when the caller's task returns does not begin any more.
   Several threads may call at once: they take turns, but a call for which one thread is enough waits for nobody. */
void cls_cpu_pool_run(cpu_pool *pool, cpu_pool_task *task, void *context, size_t threads, size_t awake_threads);

/* Ends the threads and frees the pool. NULL is allowed. */
void cls_cpu_pool_destroy(cpu_pool *pool);

#endif
