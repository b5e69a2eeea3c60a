/* Copies of an array of the workload's size: what one read and one write take at least. */
#include "support/messages.h"
#include "contender.h"

#include <pthreadpool.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Where logits and results differ in size, the smaller of the two. */
static size_t copy_bytes(const workload *workload)
{
    return workload->logits_bytes < workload->results_bytes ? workload->logits_bytes : workload->results_bytes;
}

/* ---------------------------------------------------------------- On the host, by all threads */

typedef void copy_function(void *to, const void *from, size_t bytes);

static void copy_plain(void *to, const void *from, size_t bytes)
{
    memcpy(to, from, bytes);
}

#if defined(__x86_64__)
/* Writes past the caches, which spares reading the lines that are written. */
static void copy_streaming(void *to, const void *from, size_t bytes)
{
    size_t at = 0;
    for (; at + 64 <= bytes; at += 64)
        for (size_t i = 0; i < 64; i += 16)
            _mm_stream_si128((__m128i *)((char *)to + at + i),
                             _mm_loadu_si128((const __m128i *)((const char *)from + at + i)));
    memcpy((char *)to + at, (const char *)from + at, bytes - at);
    _mm_sfence();
}
#endif

typedef struct host_copy {
    copy_function *copy;
    pthreadpool_t pool;
    size_t threads, shares; /* shares: as many as threads, or fewer of a small array, which waking them would hold up */
    /* Of the pass at hand. */
    char *to;
    const char *from;
    size_t bytes;
} host_copy;

/* Each share starts at a whole cache line. */
static void copy_share(void *state, size_t share)
{
    const host_copy *all = state;
    size_t lines = (all->bytes + 63) / 64, begin = lines * share / all->shares * 64;
    size_t end = share + 1 == all->shares ? all->bytes : lines * (share + 1) / all->shares * 64;
    all->copy(all->to + begin, all->from + begin, end - begin);
}

static int host_copy_prepare(contender *contender)
{
    enum { SHARE_BYTES = 256 << 10 };
    host_copy *state = contender->state;
    state->bytes = copy_bytes(contender->workload);
    size_t shares = 1 + state->bytes / SHARE_BYTES;
    state->shares = shares < state->threads ? shares : state->threads;
    return 1;
}

static int host_copy_run(contender *contender, unsigned first, unsigned passes, double *seconds)
{
    const workload *workload = contender->workload;
    host_copy *state = contender->state;
    double start = now();
    for (unsigned pass = first; pass < first + passes; pass++) {
        state->from = workload_logits(workload, pass % workload->pairs);
        state->to = workload_results(workload, pass % workload->pairs);
        /* Between passes threads wait awake, as those of peers do; behind the last they sleep, and disturb nobody. */
        uint32_t flags = pass + 1 == first + passes ? PTHREADPOOL_FLAG_YIELD_WORKERS : 0;
        pthreadpool_parallelize_1d(state->pool, copy_share, state, state->shares, flags);
    }
    *seconds = now() - start;
    return 1;
}

static void host_copy_finish(contender *contender)
{
    (void)contender; /* keeps nothing of a workload */
}

static void host_copy_release(contender *contender)
{
    host_copy *state = contender->state;
    if (state)
        pthreadpool_destroy(state->pool);
    free(state);
}

static int add_host_copy(contender_list *list, const char *name, copy_function *copy, unsigned threads)
{
    static const contender_functions functions = {host_copy_prepare, NULL, host_copy_run, NULL, NULL, host_copy_finish,
                                                  host_copy_release};
    contender *added = contender_list_add(list, CONTENDER_COPY, &functions);
    host_copy *state = added ? calloc(1, sizeof *state) : NULL;
    if (!state)
        return complain(EXIT_FAILED, "no memory for contenders");
    added->state = state;
    strcpy(added->name, name);
    state->copy = copy;
    state->threads = threads;
    state->pool = threads > 1 ? pthreadpool_create(threads) : NULL; /* NULL runs in this thread */
    return EXIT_DONE;
}

int add_host_copies(contender_list *list, unsigned threads)
{
    int status = add_host_copy(list, "memcpy", copy_plain, threads);
#if defined(__x86_64__)
    if (status == EXIT_DONE)
        status = add_host_copy(list, "streaming copy", copy_streaming, threads);
#endif
    return status;
}

/* ---------------------------------------------------------------- On an OpenCL device */

/* The state is the kernel; NULL for the driver's own copy. */

static int device_copy_prepare(contender *contender)
{
    const int smallest = 16; /* bytes, what an item of the kernel moves */
    return copy_bytes(contender->workload) >= (size_t)smallest ||
           contender_fail(contender, "less than %d bytes", smallest);
}

static cl_int enqueue_copy(contender *contender, unsigned pair)
{
    const bench_device *device = contender->device;
    size_t bytes = copy_bytes(contender->workload), items = bytes / 16;
    cl_kernel kernel = contender->state;
    if (!kernel)
        return opencl.clEnqueueCopyBuffer(device->queue, device->logits[pair], device->results[pair], 0, 0, bytes, 0,
                                          NULL, NULL);
    cl_int error = opencl.clSetKernelArg(kernel, 0, sizeof(cl_mem), &device->logits[pair]);
    if (error == CL_SUCCESS)
        error = opencl.clSetKernelArg(kernel, 1, sizeof(cl_mem), &device->results[pair]);
    if (error == CL_SUCCESS)
        error = opencl.clEnqueueNDRangeKernel(device->queue, kernel, 1, NULL, &items, NULL, 0, NULL, NULL);
    return error;
}

static int device_copy_run(contender *contender, unsigned first, unsigned passes, double *seconds)
{
    cl_int error = CL_SUCCESS;
    double start = now();
    for (unsigned pass = first; pass < first + passes && error == CL_SUCCESS; pass++)
        error = enqueue_copy(contender, pass % contender->device->pairs);
    if (error == CL_SUCCESS)
        error = opencl.clFinish(contender->device->queue);
    *seconds = now() - start;
    return error == CL_SUCCESS || contender_fail(contender, "OpenCL error %d", error);
}

static void device_copy_finish(contender *contender)
{
    (void)contender; /* the buffers are the device's */
}

static void device_copy_release(contender *contender)
{
    if (contender->state)
        opencl.clReleaseKernel(contender->state);
}

int add_device_copies(contender_list *list, bench_device *device)
{
    static const contender_functions functions = {
        device_copy_prepare, NULL, device_copy_run, NULL, NULL, device_copy_finish, device_copy_release};
    for (int is_kernel = 0; is_kernel < 2; is_kernel++) {
        contender *added = contender_list_add(list, CONTENDER_COPY, &functions);
        if (!added)
            return EXIT_FAILED;
        added->device = device;
        strcpy(added->name, is_kernel ? "copy kernel" : "buffer copy");
        if (is_kernel && !(added->state = opencl.clCreateKernel(device->copy_program, "copy", NULL)))
            return complain(EXIT_FAILED, "device %s: the copy kernel cannot be made", device->info.selector);
    }
    return EXIT_DONE;
}
