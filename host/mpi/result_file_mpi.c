/* result_file.h on MPI-IO: rank 0 makes the file, and gives it its length, its header and in the end its name. All
   ranks write their rows into it. All ranks call the functions that open and end a file. */
#include "results/result_file.h"

#include "support/messages.h"
#include "run/ranks.h"

#include <mpi.h>
#include <pthread.h>
#include <string.h>

/* The most elements of one write, since counts are of type int. */
#define MOST_ELEMENTS ((uint64_t)1 << 30)

/* What MPI knows of a result_file; a job has two at most. */
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

/* Makes the file, with its length and its header: on rank 0. */
static int make_file(result_file *file, const char *path, uint64_t bytes, const char *header)
{
    FORWARD(output_file_open(&file->out, path));
    COMPLAIN_IF(!file->out.temporary[0], EXIT_FAILED, "%s: several processes can write regular files only", path);
    FORWARD(output_file_reserve(&file->out, bytes));
    return output_file_write(&file->out, 0, file->data_offset, header);
}

/* Makes the file on rank 0, and tells its names to the others. */
static int make_shared_file(result_file *file, const char *path, uint64_t bytes, const char *header)
{
    int status = ranks_index() == 0 ? make_file(file, path, bytes, header) : EXIT_DONE;
    MPI_Bcast(file->out.path, sizeof file->out.path, MPI_CHAR, 0, MPI_COMM_WORLD);
    MPI_Bcast(file->out.temporary, sizeof file->out.temporary, MPI_CHAR, 0, MPI_COMM_WORLD);
    return ranks_agree(status);
}

int result_file_open(result_file *file, const char *path, const result_format *format, const output_shard *shard)
{
    char header[RESULT_HEADER_BYTES];
    uint64_t bytes = result_file_begin(file, format, header);
    if (shard)
        return ranks_index() == 0 ? complain(EXIT_WRONG, "--shard: the ranks of MPI are the shards") : EXIT_WRONG;
    FORWARD(make_shared_file(file, path, bytes, header));
    shared_file *shared = shared_files[0].file ? &shared_files[1] : &shared_files[0];
    int error = MPI_File_open(MPI_COMM_WORLD, file->out.temporary, MPI_MODE_WRONLY, MPI_INFO_NULL, &shared->handle);
    FORWARD(ranks_agree(error == MPI_SUCCESS ? EXIT_DONE : complain_mpi(path, error)));
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

/* Writes elements, and looks how many were written: Open MPI 4.1 calls it a success when the disk is full, or when the
   file has reached its limit. */
static int write_elements(shared_file *shared, MPI_Offset offset, int count, const void *values)
{
    const char *path = shared->file->out.path;
    MPI_Status status;
    int written = 0;
    int error = MPI_File_write_at(shared->handle, offset, values, count, shared->element, &status);
    if (error != MPI_SUCCESS)
        return complain_mpi(path, error);
    MPI_Get_count(&status, shared->element, &written);
    COMPLAIN_IF(written != count, EXIT_FAILED,
                "%s: rank %u: %d of %d elements were written; a full disk, or a limit on files", path, ranks_index(),
                written > 0 ? written : 0, count);
    return EXIT_DONE;
}

static int write_all(result_file *file, uint64_t first, uint64_t count, const void *values)
{
    shared_file *shared = find_shared(file);
    size_t size = file->element_size;
    for (uint64_t done = 0; done < count; done += MOST_ELEMENTS) {
        uint64_t some = count - done < MOST_ELEMENTS ? count - done : MOST_ELEMENTS;
        FORWARD(write_elements(shared, (MPI_Offset)(file->data_offset + (first + done) * size), (int)some,
                               (const char *)values + done * size));
    }
    return EXIT_DONE;
}

int result_file_write(result_file *file, uint64_t first, uint64_t count, const void *values)
{
    pthread_mutex_lock(&lock);
    int status = write_all(file, first, count, values);
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

/* Gives the file its name, on rank 0, if every rank has closed it well. */
static int name_file(result_file *file, int closed)
{
    if (ranks_index() > 0)
        return EXIT_DONE;
    if (closed == EXIT_DONE)
        return output_file_commit(&file->out);
    output_file_abandon(&file->out);
    return closed;
}

int result_file_commit(result_file *file)
{
    int closed = ranks_agree(close_shared(file)), named = name_file(file, closed);
    file->out.temporary[0] = '\0';
    return ranks_agree(closed != EXIT_DONE ? closed : named);
}

void result_file_abandon(result_file *file)
{
    close_shared(file);
    if (ranks_index() == 0)
        output_file_abandon(&file->out);
    file->out.temporary[0] = '\0'; /* the other ranks only know the name */
}
