/* What makes the command ruinable: its board is in the file that the environment names, by which file_faults controls
   it. At its end it does what it is to do wrong. */
#include "libc_layer.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int __real_open(const char *path, int flags, ...);
int __real_close(int descriptor);

/* Takes the board, and begins to count and to fail. */
__attribute__((constructor)) static void begin(void)
{
    const char *path = getenv(LIBC_BOARD_VARIABLE);
    int descriptor = path ? __real_open(path, O_RDWR) : -1;
    if (descriptor < 0)
        return;
    void *shared = mmap(NULL, sizeof(libc_board), PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0);
    __real_close(descriptor);
    if (shared == MAP_FAILED)
        return;
    const libc_fault fault = ((libc_board *)shared)->fault;
    libc_layer_use(shared);
    libc_layer_arm(&fault);
}

/* Writes a file that is neither the older nor the right one. */
static void put(const char *path)
{
    int descriptor = __real_open(path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (descriptor < 0 || write(descriptor, "part", 4) != 4)
        abort();
    __real_close(descriptor);
}

/* Does what the plant says, after a fault has struck. A leak needs none. */
__attribute__((destructor)) static void end(void)
{
    libc_board *board = libc_layer_board();
    libc_layer_arm(NULL);
    if (board->plant != LIBC_PLANT_LEAK && !atomic_load(&board->struck))
        return;
    switch (board->plant) {
    case LIBC_PLANT_CRASH:
        signal(SIGSEGV, SIG_DFL); /* AddressSanitizer's handler would end it by exit() */
        raise(SIGSEGV);
        break;
    case LIBC_PLANT_HANG:
        for (;;)
            pause();
    case LIBC_PLANT_STATUS:
        _exit(3);
    case LIBC_PLANT_MESSAGE:
        (void)!write(STDERR_FILENO, "clsoftmax: and more\n", 20);
        break;
    case LIBC_PLANT_BITS:
        put("p.npy");
        _exit(0);
    case LIBC_PLANT_OLDER:
        put("p.npy");
        break;
    case LIBC_PLANT_LEFT:
        put(".p.npy.clsoftmax-abcdef");
        break;
    case LIBC_PLANT_LEAK:
        atomic_fetch_add(&board->memory, 1);
        break;
    case LIBC_PLANT_CHILD:
        if (fork() == 0) {
            usleep(10000);
            _exit(0);
        }
        break;
    case LIBC_PLANT_NONE:
    case LIBC_PLANT_IGNORED:
    case LIBC_PLANT_UNREACHED:
        break;
    }
}
