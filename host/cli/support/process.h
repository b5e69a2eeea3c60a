/*
 * The process and its open files: signals, the standard streams, reading and writing through interruptions. Used by
 * the main files of the programs, and by whatever prints to standard output or has a file open.
 */
#ifndef CLSOFTMAX_PROCESS_H
#define CLSOFTMAX_PROCESS_H

#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

/* Makes the process ready; the first call of each main function. A write to a closed pipe or beyond a limit becomes an
   error of that write instead of a signal, and a standard stream that is closed stays closed, whatever is opened later.
   */
void begin_process(void);

/* Flushes an output stream. EXIT_DONE, or EXIT_FAILED: after a complaint, unless a closed pipe is the reason. */
int finish_output(FILE *file);

/* Reads how many columns and rows the terminal has that standard output goes to. Returns 1, or 0 where it goes
   elsewhere or the terminal does not tell. */
int terminal_size(unsigned *columns, unsigned *rows);

/* Reads from an offset on, through interruptions, until `bytes` are read or the file ends. Any thread may
   call it. Returns how many bytes were read, or -1 with errno. */
ssize_t read_at(int descriptor, uint64_t offset, void *to, size_t bytes);

/* Writes all bytes at an offset, through interruptions. Any thread may call it. Returns 1, or 0 with errno. */
int write_at(int descriptor, uint64_t offset, const void *data, size_t bytes);

#endif
