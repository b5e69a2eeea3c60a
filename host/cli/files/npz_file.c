/* .npz files, read: see npz_file.h. libzip reads the archive, and checks it and the sums of what it holds. */
#include "files/npz_file.h"

#include "files/npy_file.h"
#include "files/spool.h"
#include "support/messages.h"
#include "support/values.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <zip.h>

static const char suffix[] = ".npy";

/* A member of an archive that is being read. */
typedef struct member {
    const char *path; /* of the archive */
    zip_file_t *file;
    uint64_t left; /* bytes that the archive still promises */
} member;

/* ---------------------------------------------------------------- Reading a member */

static ssize_t read_member(void *from, void *to, size_t bytes)
{
    member *member = from;
    zip_int64_t count = zip_fread(member->file, to, bytes);
    if (count < 0)
        return complain(-1, "%s: %s", member->path, zip_file_strerror(member->file));
    if ((uint64_t)count > member->left || (count == 0 && member->left > 0))
        return complain(-1, "%s: an array is not as large as the archive says", member->path);
    member->left -= (uint64_t)count;
    return (ssize_t)count;
}

/* Finds the array in a copy of the member. */
static int find_in_copy(member *member, array_file *file)
{
    FILE *copy;
    FORWARD(spool(file->path, read_member, member, &copy));
    int status = npy_find(copy, file);
    fclose(copy);
    return status;
}

static int find_in_member(zip_t *archive, zip_uint64_t index, array_file *file)
{
    zip_stat_t stat;
    COMPLAIN_IF(zip_stat_index(archive, index, 0, &stat) != 0 || !(stat.valid & ZIP_STAT_SIZE), EXIT_WRONG, "%s: %s",
                file->path, zip_strerror(archive));
    member member = {.path = file->path, .file = zip_fopen_index(archive, index, 0), .left = stat.size};
    COMPLAIN_IF(!member.file, EXIT_WRONG, "%s: %s", file->path, zip_strerror(archive));
    int status = find_in_copy(&member, file);
    zip_fclose(member.file);
    return status;
}

/* ---------------------------------------------------------------- The array that is wanted */

/* Returns the length of a member's name without its suffix. */
static size_t name_length(const char *name)
{
    size_t length = strlen(name);
    return ends_with(name, suffix) ? length - strlen(suffix) : length;
}

/* Complains that one has to be chosen. */
static int complain_choice(const array_file *file, zip_t *archive, zip_uint64_t count)
{
    array_names names = {.text = ""};
    for (zip_uint64_t i = 0; i < count; i++) {
        const char *name = zip_get_name(archive, i, 0);
        if (name)
            array_names_add(&names, name, name_length(name));
    }
    return array_names_complain(&names, file, "array");
}

/* Returns 1 if a member is the array of this name. */
static int has_name(zip_t *archive, zip_uint64_t index, const char *wanted)
{
    const char *name = zip_get_name(archive, index, 0);
    return name && name_length(name) == strlen(wanted) && strncmp(name, wanted, strlen(wanted)) == 0;
}

static int find_in_archive(zip_t *archive, array_file *file)
{
    const zip_int64_t entries = zip_get_num_entries(archive, 0);
    const zip_uint64_t count = entries > 0 ? (zip_uint64_t)entries : 0;
    zip_uint64_t index = 0;
    COMPLAIN_IF(count == 0, EXIT_WRONG, "%s: it holds no array", file->path);
    if (file->tensor)
        while (index < count && !has_name(archive, index, file->tensor))
            index++;
    if (index == count || (!file->tensor && count > 1))
        return complain_choice(file, archive, count);
    return find_in_member(archive, index, file);
}

/* ---------------------------------------------------------------- The archive */

static int complain_open(const char *path, int code)
{
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    int status = complain(EXIT_WRONG, "%s: %s", path, zip_error_strerror(&error));
    zip_error_fini(&error);
    return status;
}

int npz_find(FILE *stream, array_file *file)
{
    int code, descriptor = dup(fileno(stream));
    COMPLAIN_IF(descriptor < 0, EXIT_FAILED, "%s: %s", file->path, strerror(errno));
    zip_t *archive = zip_fdopen(descriptor, ZIP_CHECKCONS, &code);
    if (!archive) {
        close(descriptor);
        return complain_open(file->path, code);
    }
    int status = find_in_archive(archive, file);
    zip_discard(archive);
    return status;
}
