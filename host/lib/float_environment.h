/*
 * Keeps the caller's floating-point environment away from results, and from drivers: its rounding mode and
 * flush-to-zero would change bits, and its traps would end the process inside a driver, whose threads inherit them.
 * cpu/cpu_backend.c and reference.c compute in the default environment, and the functions of opencl/ that other folders
 * call run in it from their beginning to their end.
 */
#ifndef CLSOFTMAX_FLOAT_ENVIRONMENT_H
#define CLSOFTMAX_FLOAT_ENVIRONMENT_H

#include <fenv.h>
#include <stdint.h>
#ifdef __x86_64__
#include <immintrin.h>
#endif

typedef struct float_environment {
    fenv_t callers;
    int was_default;
    uint32_t mxcsr; /* the register of SSE, if it was default */
} float_environment;

/* Returns 1 if nothing but the flags of exceptions differs from the default environment, where that can be seen faster
   than it can be set: fesetenv takes as long as a row of 200 classes. */
static inline int float_environment_is_default(float_environment *environment)
{
#ifdef __x86_64__
    const uint32_t flags = 0x3F, default_mxcsr = 0x1F80;
    const uint16_t default_x87 = 0x37F;
    uint16_t x87;
    __asm__ volatile("fnstcw %0" : "=m"(x87));
    environment->mxcsr = _mm_getcsr();
    return x87 == default_x87 && (environment->mxcsr & ~flags) == default_mxcsr;
#else
    (void)environment;
    return 0;
#endif
}

/* Sets the default environment: it rounds to nearest, traps nothing, and on x86 and Arm also keeps subnormals. Returns
   the caller's. */
static inline float_environment float_environment_begin(void)
{
    float_environment environment;
    environment.was_default = float_environment_is_default(&environment);
    if (!environment.was_default) {
        fegetenv(&environment.callers);
        fesetenv(FE_DFL_ENV);
    }
    return environment;
}

/* Sets the environment that float_environment_begin returned, with the flags that were raised then. */
static inline void float_environment_end(const float_environment *environment)
{
    if (!environment->was_default)
        fesetenv(&environment->callers);
#ifdef __x86_64__
    else
        _mm_setcsr(environment->mxcsr);
#endif
}

/* Declares that from here to the end of its block a function runs in the default environment. However it returns, the
   caller's is set again. */
#define CLS_IN_DEFAULT_ENVIRONMENT                                                                                     \
    __attribute__((cleanup(float_environment_end), unused)) const float_environment callers_environment =              \
        float_environment_begin()

#endif
