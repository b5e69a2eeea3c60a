/* The number of the process, kept in a page of memory that the kernel clears in a child. See process.h. */
#include "process.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

static atomic_int *kept; /* the number; 0 before the first call in a process. NULL: the kernel clears no pages */

/* Makes the page. QEMU before 7.1 ignores all advice and reports success, also for advice that does not exist. */
static void make_page(void)
{
    const size_t size = (size_t)sysconf(_SC_PAGESIZE);
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED)
        return;
#ifdef MADV_WIPEONFORK
    if (madvise(page, size, -1) != 0 && madvise(page, size, MADV_WIPEONFORK) == 0) {
        kept = page;
        return;
    }
#endif
    munmap(page, size);
}

pid_t cls_process(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, make_page);
    if (!kept)
        return getpid();
    if (atomic_load_explicit(kept, memory_order_relaxed) == 0)
        atomic_store_explicit(kept, getpid(), memory_order_relaxed);
    return atomic_load_explicit(kept, memory_order_relaxed);
}
