/*
 * Keeps the caller's rounding mode and flush-to-zero away from results: cpu/cpu_backend.c and reference.c compute
 * between float_environment_begin and float_environment_end.
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
static inline void float_environment_end(fenv_t callers)
{
    fesetenv(&callers);
}

#endif
