/* XNNPACK as a peer: f32 along the last axis. With a temperature, a multiplication by 1 / T writes into the results,
   and softmax runs there in place. */
#include "peer.h"

#include <pthreadpool.h>
#include <stdio.h>
#include <string.h>
#include <xnnpack.h>

static pthreadpool_t pool;
static xnn_operator_t softmax, multiply;
static size_t rows, classes;
static float factor;

static const char *xnnpack_open(unsigned threads, char *version, size_t size)
{
    pool = pthreadpool_create(threads);
    if (!pool || xnn_initialize(NULL) != xnn_status_success)
        return "XNNPACK does not start on this processor";
    snprintf(version, size, "XNNPACK of libXNNPACK0, %zu threads", pthreadpool_get_threads_count(pool));
    return NULL;
}

static const char *xnnpack_prepare(const peer_problem *problem)
{
    if (problem->axis != -1 || strcmp(problem->logits_dtype, "f32") != 0 || strcmp(problem->results_dtype, "f32") != 0)
        return "f32 along the last axis only";
    rows = problem->rows;
    classes = problem->classes;
    factor = 1 / problem->temperature;
    if (xnn_create_softmax_nc_f32(classes, classes, classes, 0, &softmax) != xnn_status_success)
        return "xnn_create_softmax_nc_f32 failed";
    if (factor != 1 && xnn_create_multiply_nd_f32(-3.4e38f, 3.4e38f, 0, &multiply) != xnn_status_success)
        return "xnn_create_multiply_nd_f32 failed";
    return NULL;
}

static const char *scale(const float *logits, float *results)
{
    const size_t shape[] = {rows, classes}, one[] = {1};
    if (xnn_setup_multiply_nd_f32(multiply, 2, shape, 1, one, logits, &factor, results, pool) != xnn_status_success ||
        xnn_run_operator(multiply, pool) != xnn_status_success)
        return "the multiplication failed";
    return NULL;
}

static const char *xnnpack_run(const peer_arrays *arrays)
{
    float *logits = arrays->logits, *results = arrays->results;
    const char *wrong = multiply ? scale(logits, results) : NULL;
    if (wrong)
        return wrong;
    if (xnn_setup_softmax_nc_f32(softmax, rows, multiply ? results : logits, results, pool) != xnn_status_success ||
        xnn_run_operator(softmax, pool) != xnn_status_success)
        return "the softmax failed";
    return NULL;
}

static void xnnpack_finish(void)
{
    xnn_delete_operator(softmax);
    xnn_delete_operator(multiply);
    softmax = multiply = NULL;
}

int main(void)
{
    static const peer_functions functions = {xnnpack_open, xnnpack_prepare, xnnpack_run, xnnpack_finish, 0};
    return peer_serve(&functions);
}
