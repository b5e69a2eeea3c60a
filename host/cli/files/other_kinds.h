/* Kinds of files that are not read, and how they become one that is. Used by source.c. */
#ifndef CLSOFTMAX_OTHER_KINDS_H
#define CLSOFTMAX_OTHER_KINDS_H

/* Complains about a file of such a kind, with the command that converts it. EXIT_WRONG then, else EXIT_DONE. */
int complain_if_known_kind(const char *path);

#endif
