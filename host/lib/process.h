/* Tells a process from its children. Contexts, whose threads and device handles do not survive fork(), remember in
   which process they were made. */
#ifndef CLSOFTMAX_PROCESS_H
#define CLSOFTMAX_PROCESS_H

#include <sys/types.h>

/* Returns what getpid() does, most often without a system call, which takes as long as a row of 100 classes. */
pid_t cls_process(void);

#endif
