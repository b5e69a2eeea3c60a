/* The functions of pthreadpool that the library uses, written with mutexes and threads, for the program `threads` under
   ThreadSanitizer. The package itself is built without it and hands work over by futexes, so that every hand-over would
   look like a race. Linked before the package, this takes its place. cli/builds.bats also compiles it for musl, for
   which there is no package. */
#include <pthread.h>
#include <pthreadpool.h>
#include <stdatomic.h>
#include <stdlib.h>

struct pthreadpool {
    pthread_mutex_t lock; /* one call at a time */
    size_t threads;
};

typedef struct call {
    pthreadpool_task_1d_t task;
    void *context;
    size_t range;
    atomic_size_t next;
} call;

static void *take_turns(void *call_)
{
    call *of = call_;
    for (size_t i; (i = atomic_fetch_add(&of->next, 1)) < of->range;)
        of->task(of->context, i);
    return NULL;
}

pthreadpool_t pthreadpool_create(size_t threads)
{
    pthreadpool_t pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pthread_mutex_init(&pool->lock, NULL);
    pool->threads = threads;
    return pool;
}

void pthreadpool_parallelize_1d(pthreadpool_t pool, pthreadpool_task_1d_t task, void *context, size_t range,
                                uint32_t flags)
{
    call of = {task, context, range, 0};
    (void)flags;
    if (!pool) {
        take_turns(&of);
        return;
    }
    pthread_mutex_lock(&pool->lock);
    pthread_t *threads = malloc(pool->threads * sizeof *threads);
    size_t started = 0;
    while (threads && started + 1 < pool->threads && pthread_create(&threads[started], NULL, take_turns, &of) == 0)
        started++;
    take_turns(&of);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    free(threads);
    pthread_mutex_unlock(&pool->lock);
}

void pthreadpool_destroy(pthreadpool_t pool)
{
    if (pool)
        pthread_mutex_destroy(&pool->lock);
    free(pool);
}
