/* The frame of programs that inject faults: what injection.h declares. */
#include "injection.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { REPORTED = 20 }; /* violations of a kind that are printed */

typedef struct findings {
    unsigned long counts[INJECTION_MOST_KINDS];
    char text[400]; /* of the current case */
} findings;

static const injection *injected;
static findings *found; /* shared with processes that are forked, so that a case may take its process down */
static unsigned long stride;
static int is_planting;

void injection_describe(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(found->text, sizeof found->text, format, arguments);
    va_end(arguments);
}

void injection_report(int kind, const char *detail)
{
    if (found->counts[kind]++ < REPORTED && !is_planting)
        printf("  VIOLATION %s\n    in %s\n    %s\n", injected->kinds[kind], found->text, detail);
    fflush(stdout);
}

unsigned long injection_violations(void)
{
    unsigned long sum = 0;
    for (int i = 0; i < injected->kind_count; i++)
        sum += found->counts[i];
    return sum;
}

int injection_is_planting(void)
{
    return is_planting;
}

int injection_is_sampled(unsigned long number, unsigned long times)
{
    return number % (stride * times) == 0;
}

void injection_sample(unsigned long wanted)
{
    stride = wanted;
}

size_t injection_find(const char *name)
{
    for (size_t i = 0; i < injected->scenario_count; i++)
        if (strcmp(injected->scenario_name(i), name) == 0)
            return i;
    fprintf(stderr, "%s: no scenario %s\n", injected->program, name);
    exit(2);
}

/* Plants a fault of each kind. Returns 1 if all of them are seen. */
static int self_test(void)
{
    int seen = 0;
    is_planting = 1;
    for (int kind = 0; kind < injected->kind_count; kind++) {
        memset(found, 0, sizeof *found);
        stride = injected->stride;
        injected->plant(kind);
        seen += found->counts[kind] > 0;
        if (found->counts[kind] == 0)
            printf("self-test: not seen: %s\n", injected->kinds[kind]);
    }
    is_planting = 0;
    printf("self-test: %d of %d planted faults seen\n", seen, injected->kind_count);
    memset(found, 0, sizeof *found);
    return seen == injected->kind_count;
}

int injection_main(const injection *program, size_t count, char **names)
{
    injected = program;
    found = mmap(NULL, sizeof *found, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (found == MAP_FAILED) {
        perror(program->program);
        return 2;
    }
    if (!self_test())
        return 1;
    stride = getenv("CLSOFTMAX_TEST_LONG") ? 1 : program->stride;
    for (size_t i = 0; i < (count > 0 ? count : program->scenario_count); i++) {
        size_t scenario = count > 0 ? injection_find(names[i]) : i;
        program->run_scenario(scenario);
        program->print_scenario(scenario);
    }
    if (count == 0)
        program->check_reached();
    return injection_violations() > 0;
}
