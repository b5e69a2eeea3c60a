/* Contenders that copy an array of the workload's size: the time of one read and one write, below which no softmax from
   memory to memory can be. Their speed is the limit of operations that read an operand, too. Part of contender.h. */
#include "contender.h"
#include "cpu/cpu_pool.h"
#include "opencl/opencl_api.h"
#include "support/messages.h"

#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

/* Returns how many bytes are copied: the size of the smaller array, where logits and results differ in size. */
static size_t copy_bytes(const workload *workload)
{
    const size_t logits = workload->bytes[CALL_LOGITS], results = workload->bytes[CALL_RESULTS];
    return logits < results ? logits : results;
}

/* ---------------------------------------------------------------- On the host, by all threads */

typedef void copy_function(void *to, const void *from, size_t bytes);

static void copy_plain(void *to, const void *from, size_t bytes)
{
    memcpy(to, from, bytes);
}

#if defined(__x86_64__)
/* Copies past the caches, so that the lines that are written need not be read first. */
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
    cpu_pool *pool;
    size_t threads;
    size_t shares; /* one for each thread, or fewer of a small array, for which waking all threads takes too long */
    /* Of the current call. */
    atomic_size_t next; /* the first share that no thread has taken on */
    char *to;
    const char *from;
    size_t bytes;
} host_copy;

/* Copies one share, which begins at a whole cache line. */
static void copy_share(const host_copy *all, size_t share)
{
    size_t lines = (all->bytes + 63) / 64, begin = lines * share / all->shares * 64;
    size_t end = share + 1 == all->shares ? all->bytes : lines * (share + 1) / all->shares * 64;
    all->copy(all->to + begin, all->from + begin, end - begin);
}

/* Copies shares until none is left, on one thread. */
static void copy_shares(void *state, size_t thread)
{
    (void)thread;
    host_copy *all = state;
    for (size_t share; (share = atomic_fetch_add(&all->next, 1)) < all->shares;)
        copy_share(all, share);
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
        state->from = workload_array(workload, CALL_LOGITS, pass % workload->slots);
        state->to = workload_array(workload, CALL_RESULTS, pass % workload->slots);
        state->next = 0;
        cls_cpu_pool_run(state->pool, copy_shares, state, state->shares, state->shares);
    }
    *seconds = now() - start;
    return 1;
}

static void host_copy_release(contender *contender)
{
    host_copy *state = contender->state;
    if (state)
        cls_cpu_pool_destroy(state->pool);
    free(state);
}

static int add_host_copy(contender_list *list, const char *name, copy_function *copy, unsigned threads)
{
    static const contender_functions functions = {
        .prepare = host_copy_prepare, .run = host_copy_run, .release = host_copy_release};
    contender *added = contender_list_add(list, CONTENDER_COPY, &functions);
    if (!added)
        return EXIT_FAILED;
    host_copy *state = calloc(1, sizeof *state);
    COMPLAIN_IF(!state, EXIT_FAILED, "no memory for contenders");
    added->state = state;
    strcpy(added->name, name);
    state->copy = copy;
    state->pool = cls_cpu_pool_create(threads);
    COMPLAIN_IF(!state->pool, EXIT_FAILED, "no memory for threads");
    state->threads = cls_cpu_pool_threads(state->pool);
    return EXIT_DONE;
}

int add_host_copies(contender_list *list, unsigned threads)
{
    FORWARD(add_host_copy(list, "memcpy", copy_plain, threads));
#if defined(__x86_64__)
    FORWARD(add_host_copy(list, "streaming copy", copy_streaming, threads));
#endif
    return EXIT_DONE;
}

/* ---------------------------------------------------------------- On an OpenCL device */

/* The driver's own copy. The library has no use for it, so it is not in the library's table of functions. */
static __typeof__(&clEnqueueCopyBuffer) copy_buffer;

static int load_copy_buffer(void)
{
    void *loader = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL); /* which the library has loaded */
    void *symbol = loader ? dlsym(loader, "clEnqueueCopyBuffer") : NULL;
    memcpy(&copy_buffer, &symbol, sizeof symbol);
    return symbol != NULL;
}

static int device_copy_prepare(contender *contender)
{
    const int smallest = 16; /* bytes that a work-item of the kernel moves */
    return copy_bytes(contender->workload) >= (size_t)smallest ||
           contender_fail(contender, "less than %d bytes", smallest);
}

static cl_int enqueue_buffer_copy(contender *contender, unsigned slot)
{
    const bench_device *device = contender->device;
    return copy_buffer(device->queue, bench_device_buffer(device, CALL_LOGITS, slot),
                       bench_device_buffer(device, CALL_RESULTS, slot), 0, 0, copy_bytes(contender->workload), 0, NULL,
                       NULL);
}

static cl_int enqueue_copy_kernel(contender *contender, unsigned slot)
{
    const bench_device *device = contender->device;
    const size_t work_items = copy_bytes(contender->workload) / 16;
    const cl_mem from = bench_device_buffer(device, CALL_LOGITS, slot);
    const cl_mem to = bench_device_buffer(device, CALL_RESULTS, slot);
    cl_kernel kernel = contender->state;
    cl_int error = cls_opencl.clSetKernelArg(kernel, 0, sizeof(cl_mem), &from);
    if (error == CL_SUCCESS)
        error = cls_opencl.clSetKernelArg(kernel, 1, sizeof(cl_mem), &to);
    if (error == CL_SUCCESS)
        error = cls_opencl.clEnqueueNDRangeKernel(device->queue, kernel, 1, NULL, &work_items, NULL, 0, NULL, NULL);
    return error;
}

/* Runs the copy kernel, which is the contender's state, or without one the driver's copy. */
static int device_copy_run(contender *contender, unsigned first, unsigned passes, double *seconds)
{
    cl_int error = CL_SUCCESS;
    double start = now();
    for (unsigned pass = first; pass < first + passes && error == CL_SUCCESS; pass++) {
        unsigned slot = pass % contender->device->slots;
        error = contender->state ? enqueue_copy_kernel(contender, slot) : enqueue_buffer_copy(contender, slot);
    }
    if (error == CL_SUCCESS)
        error = cls_opencl.clFinish(contender->device->queue);
    *seconds = now() - start;
    return error == CL_SUCCESS || contender_fail(contender, "OpenCL error %d", error);
}

static void device_copy_release(contender *contender)
{
    if (contender->state)
        cls_opencl.clReleaseKernel(contender->state);
}

/* Adds a copy, by a kernel or without one. */
static int add_device_copy(contender_list *list, bench_device *device, const char *name, cl_kernel kernel)
{
    static const contender_functions functions = {
        .prepare = device_copy_prepare, .run = device_copy_run, .release = device_copy_release};
    contender *added = contender_list_add(list, CONTENDER_COPY, &functions);
    if (!added)
        return EXIT_FAILED;
    added->device = device;
    added->state = kernel;
    strcpy(added->name, name);
    return EXIT_DONE;
}

int add_device_copies(contender_list *list, bench_device *device)
{
    COMPLAIN_IF(!load_copy_buffer(), EXIT_FAILED, "device %s: OpenCL lacks clEnqueueCopyBuffer", device->info.selector);
    FORWARD(add_device_copy(list, device, "buffer copy", NULL));
    cl_kernel kernel = cls_opencl.clCreateKernel(device->copy_program, "copy", NULL);
    COMPLAIN_IF(!kernel, EXIT_FAILED, "device %s: the copy kernel cannot be made", device->info.selector);
    return add_device_copy(list, device, "copy kernel", kernel);
}
