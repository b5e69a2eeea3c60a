/* The list of contenders, and what all kinds of them share. See contender.h. */
#include "contender.h"

#include "support/messages.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *contender_device(const contender *contender)
{
    return contender->device ? contender->device->info.selector : "cpu";
}

int contender_is_on_host(const contender *contender)
{
    return !contender->device || contender->device->info.type <= CLSOFTMAX_DEVICE_OPENCL_CPU;
}

int contender_fail(contender *contender, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(contender->reason, sizeof contender->reason, format, arguments);
    va_end(arguments);
    contender->reason[strcspn(contender->reason, "\n")] = '\0';
    return 0;
}

int contender_fail_library(contender *contender)
{
    return contender_fail(contender, "%s", clsoftmax_last_error());
}

contender *contender_list_add(contender_list *list, contender_kind kind, const contender_functions *functions)
{
    contender *items = realloc(list->items, (list->count + 1) * sizeof *items);
    if (!items) {
        complain(EXIT_FAILED, "no memory for contenders");
        return NULL;
    }
    list->items = items;
    contender *added = &items[list->count++];
    memset(added, 0, sizeof *added);
    added->kind = kind;
    added->functions = functions;
    return added;
}

void contender_list_release(contender_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        contender *contender = &list->items[i];
        if (contender->functions->release)
            contender->functions->release(contender);
        samples_release(&contender->samples);
    }
    free(list->items);
    list->items = NULL;
    list->count = 0;
}
