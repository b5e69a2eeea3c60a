/*
 * The threads of device "cpu". cpu_backend.c runs calls on them; the copies of clsoftmax-bench use the same.
 *
 * A call wakes only the threads that it asks for. A thread that has nothing to do stays awake for 50 microseconds, so
 * that calls one after another find their threads awake; then it sleeps.
 */
#ifndef CLSOFTMAX_CPU_POOL_H
#define CLSOFTMAX_CPU_POOL_H

#include <stddef.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

typedef struct cpu_pool cpu_pool;

/* What each thread does in a call. Thread 0 is the caller's. A task takes one piece after another of the work that is
   left, so that it does not matter how many threads there are. */
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

/* Makes a pool of `threads` threads, the caller's included, or of as many as the system grants. Returns NULL if there
   is no memory. */
cpu_pool *cls_cpu_pool_create(size_t threads);

/* Returns how many threads a pool has, the caller's included. */
size_t cls_cpu_pool_threads(const cpu_pool *pool);

/* Runs the task on up to `threads` threads, the caller's included; on up to awake_threads, if that is more, where the
   last call ended less than 50 microseconds ago. Calls follow each other closely then, so that the threads are awake,
   or stay awake for the next call once they are woken. Returns when all threads that have begun are done; one that has
   not begun when the caller's task returns does not begin any more. Several threads may call at once. They take turns,
   but a call that needs only its own thread does not wait for the others. */
void cls_cpu_pool_run(cpu_pool *pool, cpu_pool_task *task, void *context, size_t threads, size_t awake_threads);

/* Ends the threads, and frees the pool. NULL is allowed. */
void cls_cpu_pool_destroy(cpu_pool *pool);

#endif
