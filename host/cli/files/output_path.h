/* Where an output goes: the path behind symbolic links, the name of its temporary file, the mode of a new file. Used by
   output_file.c and output_shard.c, and by run to compare two outputs. */
#ifndef CLSOFTMAX_OUTPUT_PATH_H
#define CLSOFTMAX_OUTPUT_PATH_H

#include <limits.h>
#include <sys/stat.h>

/* Finds where a path leads to, through symbolic links; the file itself need not be there, its folder must. *exists says
   whether it is there, and *found then describes it. `canonical` has PATH_MAX bytes. EXIT_DONE, or EXIT_FAILED after a
   complaint. */
int output_path_find(const char *path, char *canonical, struct stat *found, int *exists);

/* Writes ".NAME.clsoftmax-", in the folder of a canonical path, into `start`, which has PATH_MAX bytes; there is room
   for 40 bytes behind it. Returns its length, or -1 after a complaint that the name is too long. */
int output_path_temporary(const char *canonical, char *start);

/* Gives a new file the mode of the file that it replaces, or that of any new file if `replaced` is NULL. */
void output_path_set_mode(int descriptor, const struct stat *replaced);

#endif
