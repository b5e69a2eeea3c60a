/* result_file.h on MPI-IO: rank 0 makes the file, gives it its length, its header and in the end its name; all ranks write their rows
   into it. What opens and ends a file is called by all ranks together. */
#include "run/result_file.h"

#include "support/messages.h"
#include "run/ranks.h"

#include <mpi.h>
#include <pthread.h>
#include <string.h>

/* Elements of one write: counts are of type int. */
#define MOST_ELEMENTS ((uint64_t)1 << 30)

/* Beside each result_file, in the order of opening: two at most. */
typedef struct shared_file {
    const result_file *file;
    MPI_File handle;
    MPI_Datatype element;
} shared_file;

static shared_file shared_files[2];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* MPI_THREAD_SERIALIZED */

static shared_file *find_shared(const result_file *file)
{
    return shared_files[0].file == file ? &shared_files[0] : shared_files[1].file == file ? &shared_files[1] : NULL;
}

static int complain_mpi(const char *path, int error)
{
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    MPI_Error_string(error, text, &length);
    return complain(EXIT_FAILED, "%s: rank %u: %s", path, ranks_index(), text);
}

/* Rank 0 makes the file; the others learn the names. */
static int make_file(result_file *file, const char *path, uint64_t bytes, const char *header)
{
    int status = EXIT_DONE;
    if (ranks_index() == 0) {
        status = output_file_open(&file->out, path);
        if (status == EXIT_DONE && !file->out.temporary[0])
            status = complain(EXIT_FAILED, "%s: several processes can write regular files only", path);
        if (status == EXIT_DONE)
            status = output_file_reserve(&file->out, bytes);
        if (status == EXIT_DONE)
            status = output_file_write(&file->out, 0, file->data_offset, header);
    }
    MPI_Bcast(file->out.path, sizeof file->out.path, MPI_CHAR, 0, MPI_COMM_WORLD);
    MPI_Bcast(file->out.temporary, sizeof file->out.temporary, MPI_CHAR, 0, MPI_COMM_WORLD);
    return ranks_agree(status);
}

int result_file_open(result_file *file, const char *path, const result_format *format, const output_shard *shard)
{
    char header[NPY_HEADER_BYTES];
    uint64_t bytes = result_file_begin(file, format, header);
    if (shard)
        return ranks_index() == 0 ? complain(EXIT_WRONG, "--shard: the ranks of MPI are the shards") : EXIT_WRONG;
    int status = make_file(file, path, bytes, header);
    if (status != EXIT_DONE)
        return status;
    shared_file *shared = shared_files[0].file ? &shared_files[1] : &shared_files[0];
    int error = MPI_File_open(MPI_COMM_WORLD, file->out.temporary, MPI_MODE_WRONLY, MPI_INFO_NULL, &shared->handle);
    status = ranks_agree(error == MPI_SUCCESS ? EXIT_DONE : complain_mpi(path, error));
    if (status != EXIT_DONE)
        return status;
    MPI_Type_contiguous((int)file->element_size, MPI_BYTE, &shared->element);
    MPI_Type_commit(&shared->element);
    shared->file = file;
    return EXIT_DONE;
}

int result_file_is_seekable(const result_file *file)
{
    (void)file;
    return 1;
}

/* Open MPI 4.1 calls it a success when the disk is full, or the file as large as it may be; the count tells. */
static int write_elements(shared_file *shared, MPI_Offset offset, int count, const void *values)
{
    MPI_Status status;
    int written = 0;
    int error = MPI_File_write_at(shared->handle, offset, values, count, shared->element, &status);
    if (error != MPI_SUCCESS)
        return complain_mpi(shared->file->out.path, error);
    MPI_Get_count(&status, shared->element, &written);
    if (written != count)
        return complain(EXIT_FAILED, "%s: rank %u: %d of %d elements were written; a full disk, or a limit on files",
                        shared->file->out.path, ranks_index(), written > 0 ? written : 0, count);
    return EXIT_DONE;
}

int result_file_write(result_file *file, uint64_t first, uint64_t count, const void *values)
{
    shared_file *shared = find_shared(file);
    int status = EXIT_DONE;
    pthread_mutex_lock(&lock);
    for (uint64_t done = 0; done < count && status == EXIT_DONE; done += MOST_ELEMENTS) {
        uint64_t part = count - done < MOST_ELEMENTS ? count - done : MOST_ELEMENTS;
        status = write_elements(shared, (MPI_Offset)(file->data_offset + (first + done) * file->element_size),
                                (int)part, (const char *)values + done * file->element_size);
    }
    pthread_mutex_unlock(&lock);
    return status;
}

int result_file_sync(result_file *file)
{
    shared_file *shared = find_shared(file);
    int error = MPI_File_sync(shared->handle);
    return ranks_agree(error == MPI_SUCCESS ? EXIT_DONE : complain_mpi(file->out.path, error));
}

static int close_shared(result_file *file)
{
    shared_file *shared = find_shared(file);
    if (!shared)
        return EXIT_DONE;
    int error = MPI_File_close(&shared->handle);
    MPI_Type_free(&shared->element);
    shared->file = NULL;
    return error == MPI_SUCCESS ? EXIT_DONE : complain_mpi(file->out.path, error);
}

int result_file_commit(result_file *file)
{
    int status = ranks_agree(close_shared(file));
    if (ranks_index() == 0 && status == EXIT_DONE)
        status = output_file_commit(&file->out);
    else if (ranks_index() == 0)
        output_file_abandon(&file->out);
    file->out.temporary[0] = '\0';
    return ranks_agree(status);
}

void result_file_abandon(result_file *file)
{
    close_shared(file);
    if (ranks_index() == 0)
        output_file_abandon(&file->out);
    file->out.temporary[0] = '\0'; /* the other ranks only know the name */
}
