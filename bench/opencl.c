#include "opencl.h"

#include <dlfcn.h>
#include <string.h>

opencl_functions opencl;

int opencl_load(void)
{
    static void *loader;
    if (loader)
        return 1;
    loader = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!loader)
        return 0;
    int complete = 1;
    void *symbol;
#define OPENCL_LOAD(function)                                                                                          \
    symbol = dlsym(loader, #function);                                                                                 \
    complete &= symbol != NULL;                                                                                        \
    memcpy(&opencl.function, &symbol, sizeof symbol);
    OPENCL_FUNCTIONS(OPENCL_LOAD)
#undef OPENCL_LOAD
    return complete;
}
