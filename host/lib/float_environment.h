/* The caller's rounding mode and flush-to-zero must not reach a result: work runs between begin and end. */
#ifndef CLSOFTMAX_FLOAT_ENVIRONMENT_H
#define CLSOFTMAX_FLOAT_ENVIRONMENT_H

#include <fenv.h>

static inline fenv_t float_environment_begin(void)
{
    fenv_t callers;
    fegetenv(&callers);
    fesetenv(FE_DFL_ENV); /* round to nearest, no traps; on x86 and Arm also subnormals kept */
    return callers;
}

static inline void float_environment_end(fenv_t callers)
{
    fesetenv(&callers);
}

#endif
