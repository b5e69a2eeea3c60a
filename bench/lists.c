#include "lists.h"

#include "support/cli.h"

#include <stdlib.h>
#include <string.h>

int for_each_item(const char *option, const char *list, int (*take)(const char *item, void *context), void *context)
{
    char *copy = strdup(list);
    int status = copy ? EXIT_DONE : complain(EXIT_FAILED, "no memory for %s", option);
    for (char *item = copy, *rest; status == EXIT_DONE && item; item = rest) {
        rest = strchr(item, ',');
        if (rest)
            *rest++ = '\0';
        status = *item ? take(item, context)
                       : complain(EXIT_WRONG, "%s %s: an item between its commas is missing", option, list);
    }
    free(copy);
    return status;
}
