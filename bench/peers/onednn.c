/* oneDNN as a peer, versions 2 and 3. With a temperature, the eltwise primitive "linear" scales by 1 / T into the
   results, and softmax runs there in place. */
#include "peer.h"

#include <oneapi/dnnl/dnnl.h>
#include <stdio.h>
#include <string.h>

static dnnl_engine_t engine;
static dnnl_stream_t stream;
static dnnl_memory_t from, to;
static dnnl_primitive_t softmax, scale;

static const char *onednn_open(unsigned threads, char *text, size_t size)
{
    if (dnnl_engine_create(&engine, dnnl_cpu, 0) != dnnl_success ||
        dnnl_stream_create(&stream, engine, dnnl_stream_default_flags) != dnnl_success)
        return "oneDNN has no engine on this processor";
    const dnnl_version_t *version = dnnl_version();
    snprintf(text, size, "oneDNN %d.%d.%d, %u threads", version->major, version->minor, version->patch, threads);
    return NULL;
}

/* Finds a dtype by its name. Returns one that oneDNN refuses if there is none. */
static dnnl_data_type_t data_type(const char *dtype)
{
    return strcmp(dtype, "f32") == 0    ? dnnl_f32
           : strcmp(dtype, "f16") == 0  ? dnnl_f16
           : strcmp(dtype, "bf16") == 0 ? dnnl_bf16
                                        : dnnl_data_type_undef;
}

/* ---------------------------------------------------------------- Where the two versions differ */

#if DNNL_VERSION_MAJOR >= 3

typedef dnnl_memory_desc_t description;

static dnnl_status_t describe(description *array, const dnnl_dims_t dims, dnnl_data_type_t type)
{
    return dnnl_memory_desc_create_with_tag(array, 2, dims, type, dnnl_ab);
}

static void forget(description array)
{
    dnnl_memory_desc_destroy(array);
}

static dnnl_status_t choose_softmax(dnnl_primitive_desc_t *chosen, description source, description target, int axis)
{
    return dnnl_softmax_forward_primitive_desc_create(chosen, engine, dnnl_forward_inference, dnnl_softmax_accurate,
                                                      source, target, axis, NULL);
}

static dnnl_status_t choose_scale(dnnl_primitive_desc_t *chosen, description source, description target, float factor)
{
    return dnnl_eltwise_forward_primitive_desc_create(chosen, engine, dnnl_forward_inference, dnnl_eltwise_linear,
                                                      source, target, factor, 0, NULL);
}

static dnnl_status_t make_memory(dnnl_memory_t *memory, description array)
{
    return dnnl_memory_create(memory, array, engine, DNNL_MEMORY_NONE);
}

#else

typedef dnnl_memory_desc_t description;

static dnnl_status_t describe(description *array, const dnnl_dims_t dims, dnnl_data_type_t type)
{
    return dnnl_memory_desc_init_by_tag(array, 2, dims, type, dnnl_ab);
}

static void forget(description array)
{
    (void)array; /* a description of version 2 holds nothing */
}

static dnnl_status_t choose_softmax(dnnl_primitive_desc_t *chosen, description source, description target, int axis)
{
    dnnl_softmax_v2_desc_t operation;
    dnnl_status_t status = dnnl_softmax_v2_forward_desc_init(&operation, dnnl_forward_inference, dnnl_softmax_accurate,
                                                             &source, &target, axis);
    return status == dnnl_success ? dnnl_primitive_desc_create(chosen, &operation, NULL, engine, NULL) : status;
}

/* Version 2 scales between arrays of one dtype only. */
static dnnl_status_t choose_scale(dnnl_primitive_desc_t *chosen, description source, description target, float factor)
{
    dnnl_eltwise_desc_t operation;
    if (!dnnl_memory_desc_equal(&source, &target))
        return dnnl_unimplemented;
    dnnl_status_t status =
        dnnl_eltwise_forward_desc_init(&operation, dnnl_forward_inference, dnnl_eltwise_linear, &source, factor, 0);
    return status == dnnl_success ? dnnl_primitive_desc_create(chosen, &operation, NULL, engine, NULL) : status;
}

static dnnl_status_t make_memory(dnnl_memory_t *memory, description array)
{
    return dnnl_memory_create(memory, &array, engine, DNNL_MEMORY_NONE);
}

#endif

/* ---------------------------------------------------------------- The peer */

static dnnl_status_t make_primitive(dnnl_primitive_t *primitive, dnnl_primitive_desc_t chosen)
{
    dnnl_status_t status = dnnl_primitive_create(primitive, chosen);
    dnnl_primitive_desc_destroy(chosen);
    return status;
}

/* Makes the memories and primitives for arrays of these descriptions. With a temperature, softmax works in place on
   the results. */
static const char *make_all(const peer_problem *problem, description source, description target)
{
    dnnl_primitive_desc_t chosen;
    int axis = problem->axis == 0 ? 0 : 1, scales = problem->temperature != 1;
    if (make_memory(&from, source) != dnnl_success || make_memory(&to, target) != dnnl_success)
        return "oneDNN has no memory";
    if (choose_softmax(&chosen, scales ? target : source, target, axis) != dnnl_success ||
        make_primitive(&softmax, chosen) != dnnl_success)
        return "oneDNN has no such softmax here";
    if (scales && (choose_scale(&chosen, source, target, 1 / problem->temperature) != dnnl_success ||
                   make_primitive(&scale, chosen) != dnnl_success))
        return "oneDNN has no such scaling here";
    return NULL;
}

static const char *onednn_prepare(const peer_problem *problem)
{
    dnnl_dims_t dims = {(dnnl_dim_t)problem->rows, (dnnl_dim_t)problem->classes};
    if (problem->axis == 0) {
        dims[0] = (dnnl_dim_t)problem->classes;
        dims[1] = (dnnl_dim_t)problem->rows;
    }
    description source, target;
    if (describe(&source, dims, data_type(problem->logits_dtype)) != dnnl_success)
        return "oneDNN has no such array";
    if (describe(&target, dims, data_type(problem->results_dtype)) != dnnl_success) {
        forget(source);
        return "oneDNN has no such array";
    }
    const char *wrong = make_all(problem, source, target);
    forget(source);
    forget(target);
    return wrong;
}

static dnnl_status_t execute(dnnl_primitive_t primitive, dnnl_memory_t source)
{
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, source}, {DNNL_ARG_DST, to}};
    return dnnl_primitive_execute(primitive, stream, 2, arguments);
}

static const char *onednn_run(const peer_arrays *arrays)
{
    dnnl_memory_set_data_handle(from, arrays->logits);
    dnnl_memory_set_data_handle(to, arrays->results);
    dnnl_status_t status = scale ? execute(scale, from) : dnnl_success;
    if (status == dnnl_success)
        status = execute(softmax, scale ? to : from);
    if (status == dnnl_success)
        status = dnnl_stream_wait(stream);
    return status == dnnl_success ? NULL : "oneDNN failed";
}

static void onednn_finish(void)
{
    dnnl_primitive_destroy(softmax);
    dnnl_primitive_destroy(scale);
    dnnl_memory_destroy(from);
    dnnl_memory_destroy(to);
    softmax = scale = NULL;
    from = to = NULL;
}

int main(void)
{
    static const peer_functions functions = {onednn_open, onednn_prepare, onednn_run, onednn_finish, 0};
    return peer_serve(&functions);
}
