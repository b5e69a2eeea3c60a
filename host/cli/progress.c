#include "progress.h"

#include <stdio.h>

void progress_draw(uint64_t done, uint64_t total, const char *unit)
{
    enum { WIDTH = 40 };
    if (done >= total) {
        fprintf(stderr, "\r%*s\r", WIDTH + 60, "");
    } else {
        int filled = (int)((double)done / (double)total * WIDTH);
        fprintf(stderr, "\r[%.*s%*s] %3.0f%%  %llu of %llu %s", filled, "########################################",
                WIDTH - filled, "", 100.0 * (double)done / (double)total, (unsigned long long)done,
                (unsigned long long)total, unit);
    }
    fflush(stderr);
}
