/* Where an output goes: see output_path.h. */
#include "files/output_path.h"

#include "support/messages.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Finds the path of a file that is not there yet, with the links of its folder followed. Returns 1, or 0 with errno. */
static int canonical_new_path(const char *path, char *canonical)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    int length = slash == path ? 1 : slash ? (int)(slash - path) : 1;
    snprintf(folder, sizeof folder, "%.*s", length, slash ? path : ".");
    if (!realpath(folder, canonical))
        return 0;
    size_t used = strlen(canonical);
    int written = snprintf(canonical + used, PATH_MAX - used, "%s%s", used > 1 ? "/" : "", name);
    errno = ENAMETOOLONG;
    return written >= 0 && (size_t)written < PATH_MAX - used;
}

/* Only ENOENT means that nothing is there: what cannot be looked at would otherwise be replaced, whatever it is. */
int output_path_find(const char *path, char *canonical, struct stat *found, int *exists)
{
    *exists = stat(path, found) == 0;
    COMPLAIN_IF(*exists ? !realpath(path, canonical) : errno != ENOENT || !canonical_new_path(path, canonical),
                EXIT_FAILED, "%.1000s: %s", path, strerror(errno));
    return EXIT_DONE;
}

int output_path_temporary(const char *canonical, char *start)
{
    const char *slash = strrchr(canonical, '/');
    int folder = slash ? (int)(slash - canonical) + 1 : 0;
    int length = snprintf(start, PATH_MAX, "%.*s.%s.clsoftmax-", folder, canonical, canonical + folder);
    if (length > PATH_MAX - 40) {
        complain(EXIT_FAILED, "%.100s...: the name is too long", canonical);
        return -1;
    }
    return length;
}

void output_path_set_mode(int descriptor, const struct stat *replaced)
{
    mode_t mask = umask(0);
    umask(mask);
    if (fchmod(descriptor, replaced ? replaced->st_mode & 07777 : 0666 & ~mask) != 0)
        return; /* a file system without modes */
}
