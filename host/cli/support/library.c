/* The library in the words of a command: see library.h. */
#include "support/library.h"

#include "support/messages.h"
#include "support/values.h"

#include <stdio.h>
#include <string.h>

int is_request_wrong(clsoftmax_status status)
{
    return status != CLSOFTMAX_OK && status < CLSOFTMAX_OUT_OF_HOST_MEMORY;
}

int complain_library(const char *what, clsoftmax_status status)
{
    int is_wrong = is_request_wrong(status) || status == CLSOFTMAX_DEVICE_NOT_FOUND;
    return complain(is_wrong ? EXIT_WRONG : EXIT_FAILED, "%s: %s", what, clsoftmax_last_error());
}

int open_context(const char *selector, clsoftmax_context **context)
{
    clsoftmax_status status = clsoftmax_context_create(selector, context);
    if (status != CLSOFTMAX_OK && strncmp(clsoftmax_last_error(), "CLSOFTMAX_", 10) == 0)
        return complain(EXIT_WRONG, "%s", clsoftmax_last_error()); /* a variable is wrong, and not --device */
    if (status != CLSOFTMAX_OK)
        return complain_library("--device", status);
    if (clsoftmax_context_notice(*context))
        notice("note: %s", clsoftmax_context_notice(*context));
    return EXIT_DONE;
}

void print_strategies(FILE *file)
{
    fprintf(file, "\nstrategies; auto takes the first whose rule holds:\n");
    for (clsoftmax_strategy strategy = CLSOFTMAX_STRATEGY_AUTO; ++strategy < CLSOFTMAX_STRATEGY_COUNT;)
        fprintf(file, "  %-7s %s\n          %s\n", clsoftmax_strategy_name(strategy), clsoftmax_strategy_idea(strategy),
                clsoftmax_strategy_rule(strategy));
}

/* Defines parse_NAME: it reads a value of the library's enum of that name, from FIRST to below COUNT, by the name that
   the library gives it. */
#define PARSE_BY_NAME(name, FIRST, COUNT)                                                                              \
    int parse_##name(const char *option, const char *text, clsoftmax_##name *value)                                    \
    {                                                                                                                  \
        const char *names[(COUNT) - (FIRST)];                                                                          \
        for (int i = 0; i < (COUNT) - (FIRST); i++)                                                                    \
            names[i] = clsoftmax_##name##_name((clsoftmax_##name)((FIRST) + i));                                       \
        int choice = 0;                                                                                                \
        FORWARD(parse_choice(option, text, names, (COUNT) - (FIRST), &choice));                                        \
        *value = (clsoftmax_##name)((FIRST) + choice);                                                                 \
        return EXIT_DONE;                                                                                              \
    }

PARSE_BY_NAME(strategy, CLSOFTMAX_STRATEGY_AUTO, CLSOFTMAX_STRATEGY_COUNT)
PARSE_BY_NAME(operation, CLSOFTMAX_OPERATION_NONE + 1, CLSOFTMAX_OPERATION_COUNT)
PARSE_BY_NAME(dtype, 0, CLSOFTMAX_DTYPE_COUNT)
PARSE_BY_NAME(accuracy, 0, CLSOFTMAX_ACCURACY_COUNT)
