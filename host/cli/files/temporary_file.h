/* Files under a temporary name, which a signal that ends the process removes. Used by output_file.c. */
#ifndef CLSOFTMAX_TEMPORARY_FILE_H
#define CLSOFTMAX_TEMPORARY_FILE_H

/* Makes a file whose name is the `length` bytes of `temporary` and six letters, which are appended there. Removes files
   of such names that killed processes left. SIGINT, SIGTERM and SIGHUP remove the file until temporary_file_forget;
   there may be two at a time. Returns a descriptor of the file, which is locked, or -1 with errno. */
int temporary_file_make(char *temporary, int length);

/* Tells that a temporary file has been removed, or has got its name. */
void temporary_file_forget(const char *temporary);

#endif
