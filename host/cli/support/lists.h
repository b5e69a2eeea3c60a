/* Options that take several things, separated by commas. Used for devices, and by clsoftmax-bench. */
#ifndef CLSOFTMAX_LISTS_H
#define CLSOFTMAX_LISTS_H

/* Calls `take` for each item of a list, until a call does not return EXIT_DONE, and returns what the last call
   returned. An empty list or item is wrong: EXIT_WRONG after a complaint about the option. */
int for_each_item(const char *option, const char *list, int (*take)(const char *item, void *context), void *context);

#endif
