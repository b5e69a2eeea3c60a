/*
 * Keeps the caller's floating-point environment away from results, and from drivers: its rounding mode and
 * flush-to-zero would change bits, and its traps would end the process inside a driver, whose threads inherit them.
 * cpu/cpu_backend.c and reference.c compute in the default environment, and the functions of opencl/ that other folders
 * call run in it from their beginning to their end.
 */
#ifndef CLSOFTMAX_FLOAT_ENVIRONMENT_H
#define CLSOFTMAX_FLOAT_ENVIRONMENT_H

#include <fenv.h>

/* Sets the default environment, and returns the caller's. */
static inline fenv_t float_environment_begin(void)
{
    fenv_t callers;
    fegetenv(&callers);
    fesetenv(FE_DFL_ENV); /* rounds to nearest, traps nothing; on x86 and Arm also keeps subnormals */
    return callers;
}

/* Sets the environment that float_environment_begin returned. */
static inline void float_environment_end(const fenv_t *callers)
{
    fesetenv(callers);
}

/* Declares that from here to the end of its block a function runs in the default environment. However it returns, the
   caller's is set again. */
#define CLS_IN_DEFAULT_ENVIRONMENT                                                                                     \
    __attribute__((cleanup(float_environment_end), unused)) const fenv_t callers_environment = float_environment_begin()

#endif
