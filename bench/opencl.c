#include "opencl.h"

#include <dlfcn.h>
#include <string.h>

opencl_functions opencl;

int opencl_load(void)
{
    void *loader = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL); /* stays open; the next call finds the same */
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
