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

int parse_strategy(const char *option, const char *text, clsoftmax_strategy *strategy)
{
    const char *names[CLSOFTMAX_STRATEGY_COUNT];
    for (int i = 0; i < CLSOFTMAX_STRATEGY_COUNT; i++)
        names[i] = clsoftmax_strategy_name((clsoftmax_strategy)i);
    int choice = CLSOFTMAX_STRATEGY_AUTO;
    FORWARD(parse_choice(option, text, names, CLSOFTMAX_STRATEGY_COUNT, &choice));
    *strategy = (clsoftmax_strategy)choice;
    return EXIT_DONE;
}

int parse_operation(const char *option, const char *text, clsoftmax_operation *operation)
{
    enum { FIRST = CLSOFTMAX_OPERATION_NONE + 1, CHOICES = CLSOFTMAX_OPERATION_COUNT - FIRST };
    const char *names[CHOICES];
    for (int i = 0; i < CHOICES; i++)
        names[i] = clsoftmax_operation_name((clsoftmax_operation)(FIRST + i));
    int choice = 0;
    FORWARD(parse_choice(option, text, names, CHOICES, &choice));
    *operation = (clsoftmax_operation)(FIRST + choice);
    return EXIT_DONE;
}

int parse_dtype(const char *option, const char *text, clsoftmax_dtype *dtype)
{
    const char *names[CLSOFTMAX_DTYPE_COUNT];
    for (int i = 0; i < CLSOFTMAX_DTYPE_COUNT; i++)
        names[i] = clsoftmax_dtype_name((clsoftmax_dtype)i);
    int choice = 0;
    FORWARD(parse_choice(option, text, names, CLSOFTMAX_DTYPE_COUNT, &choice));
    *dtype = (clsoftmax_dtype)choice;
    return EXIT_DONE;
}

int parse_accuracy(const char *option, const char *text, clsoftmax_accuracy *accuracy)
{
    const char *names[CLSOFTMAX_ACCURACY_COUNT];
    for (int i = 0; i < CLSOFTMAX_ACCURACY_COUNT; i++)
        names[i] = clsoftmax_accuracy_name((clsoftmax_accuracy)i);
    int choice = 0;
    FORWARD(parse_choice(option, text, names, CLSOFTMAX_ACCURACY_COUNT, &choice));
    *accuracy = (clsoftmax_accuracy)choice;
    return EXIT_DONE;
}
