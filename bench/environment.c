/* The machine that a run is made on, from /proc, /sys and system calls. See environment.h. */
#include "environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

/* Finds the first line of a file that begins with `start`, and writes what follows `start` in it to `text`; "" if there
   is none. */
static void read_line(const char *path, const char *start, char *text, size_t size)
{
    char line[1024];
    text[0] = '\0';
    FILE *file = fopen(path, "r");
    while (file && !text[0] && fgets(line, sizeof line, file)) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, start, strlen(start)) == 0)
            snprintf(text, size, "%s", line + strlen(start));
    }
    if (file)
        fclose(file);
}

/* Returns the bytes of the last cache; a guess that is rather large, where the system does not tell. */
static size_t last_cache(void)
{
    long size = sysconf(_SC_LEVEL3_CACHE_SIZE);
    if (size <= 0)
        size = sysconf(_SC_LEVEL2_CACHE_SIZE);
    return size > 0 ? (size_t)size : 32u << 20;
}

void environment_read(environment *environment)
{
    memset(environment, 0, sizeof *environment);
    read_line("/proc/cpuinfo", "model name\t: ", environment->processor, sizeof environment->processor);
    read_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "", environment->governor,
              sizeof environment->governor);
    read_line("/sys/kernel/mm/transparent_hugepage/shmem_enabled", "", environment->huge_pages,
              sizeof environment->huge_pages);
    struct utsname system;
    if (uname(&system) == 0)
        snprintf(environment->kernel, sizeof environment->kernel, "%.60s %.60s %.60s", system.sysname, system.release,
                 system.machine);
    time_t seconds = time(NULL);
    strftime(environment->time, sizeof environment->time, "%Y-%m-%dT%H:%M:%SZ", gmtime(&seconds));
    environment->processors = sysconf(_SC_NPROCESSORS_ONLN);
    environment->last_cache = last_cache();
    environment->memory = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
    if (getloadavg(&environment->load, 1) != 1)
        environment->load = 0;
}
