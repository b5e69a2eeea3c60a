/* clsoftmax-peer LIBRARY [DEVICE [STRATEGY]]: another build of this library as a peer of clsoftmax-bench, so that two
   builds can be compared within one run. LIBRARY is the path of a libclsoftmax.so; DEVICE is "cpu" and STRATEGY is
   "auto" by default. README.md shows how to start it. */
#include "clsoftmax/clsoftmax.h"
#include "peer.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What the peer calls. It is loaded from LIBRARY, which need not be of this build. */
#define LIBRARY_FUNCTIONS(X)                                                                                           \
    X(clsoftmax_version)                                                                                               \
    X(clsoftmax_last_error)                                                                                            \
    X(clsoftmax_strategy_name)                                                                                         \
    X(clsoftmax_context_create)                                                                                        \
    X(clsoftmax_context_device)                                                                                        \
    X(clsoftmax_plan_create)                                                                                           \
    X(clsoftmax_plan_run)                                                                                              \
    X(clsoftmax_plan_release)

#define LIBRARY_FIELD(function) __typeof__(&function) function;
static struct {
    LIBRARY_FUNCTIONS(LIBRARY_FIELD)
} library;
#undef LIBRARY_FIELD

static const char *library_path, *device = "cpu", *strategy_name = "auto";
static clsoftmax_context *context;
static clsoftmax_plan *plan;
static float temperature;

/* Returns the first line of the library's last error. */
static const char *last_error(void)
{
    static char reason[300];
    const char *text = library.clsoftmax_last_error();
    snprintf(reason, sizeof reason, "%.*s", (int)strcspn(text, "\n"), text);
    return reason;
}

static const char *load_library(void)
{
    static char reason[300];
    void *loaded = library_path ? dlopen(library_path, RTLD_NOW | RTLD_LOCAL) : NULL;
    if (!library_path)
        return "clsoftmax-peer takes the path of a libclsoftmax.so";
    if (!loaded) {
        snprintf(reason, sizeof reason, "%s", dlerror());
        return reason;
    }
    void *symbol;
#define LIBRARY_LOAD(function)                                                                                         \
    symbol = dlsym(loaded, #function);                                                                                 \
    if (!symbol)                                                                                                       \
        return "the library lacks " #function;                                                                         \
    memcpy(&library.function, &symbol, sizeof symbol);
    LIBRARY_FUNCTIONS(LIBRARY_LOAD)
#undef LIBRARY_LOAD
    return NULL;
}

static const char *clsoftmax_open(unsigned threads, char *version, size_t size)
{
    char text[16];
    snprintf(text, sizeof text, "%u", threads);
    setenv("CLSOFTMAX_THREADS", text, 1);
    setenv("POCL_MAX_PTHREAD_COUNT", text, 1);
    const char *wrong = load_library();
    if (wrong)
        return wrong;
    if (library.clsoftmax_context_create(device, &context) != CLSOFTMAX_OK)
        return last_error();
    snprintf(version, size, "clsoftmax %s, %.40s on %.60s", library.clsoftmax_version(), strategy_name,
             library.clsoftmax_context_device(context)->name);
    return NULL;
}

/* Finds a strategy by the names of the loaded library, whose numbers may be others than this build's. Returns -1 if
   there is none. */
static int find_strategy(void)
{
    const char *name;
    for (int i = 0; (name = library.clsoftmax_strategy_name((clsoftmax_strategy)i)) != NULL; i++)
        if (strcmp(name, strategy_name) == 0)
            return i;
    return -1;
}

static clsoftmax_dtype dtype_of(const char *name)
{
    return strcmp(name, "f32") == 0 ? CLSOFTMAX_F32 : strcmp(name, "f16") == 0 ? CLSOFTMAX_F16 : CLSOFTMAX_BF16;
}

static const char *clsoftmax_prepare(const peer_problem *asked)
{
    const int strategy = find_strategy();
    clsoftmax_problem problem = CLSOFTMAX_PROBLEM_INIT;
    if (strategy < 0)
        return "the library has no such strategy";
    problem.outer = asked->axis == 0 ? 1 : asked->rows;
    problem.classes = asked->classes;
    problem.inner = asked->axis == 0 ? asked->rows : 1;
    problem.logits_dtype = dtype_of(asked->logits_dtype);
    problem.results_dtype = dtype_of(asked->results_dtype);
    problem.strategy = (clsoftmax_strategy)strategy;
    temperature = asked->temperature;
    return library.clsoftmax_plan_create(context, &problem, &plan) == CLSOFTMAX_OK ? NULL : last_error();
}

static const char *clsoftmax_compute(void *logits, void *results)
{
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    arguments.logits = logits;
    arguments.results = results;
    arguments.temperature = temperature;
    return library.clsoftmax_plan_run(plan, &arguments) == CLSOFTMAX_OK ? NULL : last_error();
}

static void clsoftmax_finish(void)
{
    library.clsoftmax_plan_release(plan);
    plan = NULL;
}

int main(int argc, char **argv)
{
    static const peer_functions functions = {clsoftmax_open, clsoftmax_prepare, clsoftmax_compute, clsoftmax_finish};
    library_path = argc > 1 ? argv[1] : NULL;
    device = argc > 2 ? argv[2] : device;
    strategy_name = argc > 3 ? argv[3] : strategy_name;
    return peer_serve(&functions);
}
