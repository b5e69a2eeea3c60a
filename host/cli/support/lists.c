/* Options that take several things: see lists.h. */
#include "support/lists.h"

#include "support/messages.h"

#include <stdlib.h>
#include <string.h>

/* Walks through a copy of the list, whose commas become the ends of its items. */
static int walk(const char *option, const char *list, char *copy, int (*take)(const char *item, void *context),
                void *context)
{
    for (char *item = copy, *rest; item; item = rest) {
        rest = strchr(item, ',');
        if (rest)
            *rest++ = '\0';
        COMPLAIN_IF(!*item, EXIT_WRONG, "%s %s: a name between commas is empty", option, list);
        FORWARD(take(item, context));
    }
    return EXIT_DONE;
}

int for_each_item(const char *option, const char *list, int (*take)(const char *item, void *context), void *context)
{
    char *copy = strdup(list);
    COMPLAIN_IF(!copy, EXIT_FAILED, "%s %s: no memory for the list", option, list);
    int status = walk(option, list, copy, take, context);
    free(copy);
    return status;
}
