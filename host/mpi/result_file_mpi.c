/* result_file.h on MPI-IO: rank 0 makes the file, gives it its length, its header and in the end its name; all ranks write their rows
   into it. What opens and ends a file is called by all ranks together. */
#include "result_file.h"

#include "cli.h"
#include "ranks.h"

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

/* Rank 0's part of opening; the others learn the names. */
static int make_file(result_file *file, const char *path, const result_format *format, uint64_t elements)
{
    char header[NPY_HEADER_BYTES];
    file->element_size = format->element_size;
    file->data_offset = npy_header_write(format->descr, format->dimensions, format->shape, header);
    int status = EXIT_DONE;
    if (ranks_index() == 0) {
        status = output_file_open(&file->out, path);
        if (status == EXIT_DONE && !file->out.temporary[0])
            status = complain(EXIT_FAILED, "%s: several processes can write regular files only", path);
        if (status == EXIT_DONE)
            status = output_file_reserve(&file->out, file->data_offset + elements * format->element_size);
        if (status == EXIT_DONE)
            status = output_file_write(&file->out, 0, file->data_offset, header);
        if (status == EXIT_DONE && fflush(file->out.file) != 0)
            status = output_file_fail(&file->out);
    }
    MPI_Bcast(file->out.path, sizeof file->out.path, MPI_CHAR, 0, MPI_COMM_WORLD);
    MPI_Bcast(file->out.temporary, sizeof file->out.temporary, MPI_CHAR, 0, MPI_COMM_WORLD);
    return ranks_agree(status);
}

int result_file_open(result_file *file, const char *path, const result_format *format, const output_shard *shard)
{
    uint64_t elements = 1;
    memset(file, 0, sizeof *file);
    (void)shard; /* refused with the options */
    for (unsigned i = 0; i < format->dimensions; i++)
        elements *= format->shape[i];
    int status = make_file(file, path, format, elements);
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

int result_file_write(result_file *file, uint64_t first, uint64_t count, const void *values)
{
    shared_file *shared = find_shared(file);
    int error = MPI_SUCCESS;
    pthread_mutex_lock(&lock);
    for (uint64_t done = 0; done < count && error == MPI_SUCCESS; done += MOST_ELEMENTS) {
        uint64_t part = count - done < MOST_ELEMENTS ? count - done : MOST_ELEMENTS;
        error = MPI_File_write_at(shared->handle, (MPI_Offset)(file->data_offset + (first + done) * file->element_size),
                                  (const char *)values + done * file->element_size, (int)part, shared->element,
                                  MPI_STATUS_IGNORE);
    }
    int status = error == MPI_SUCCESS ? EXIT_DONE : complain_mpi(file->out.path, error);
    pthread_mutex_unlock(&lock);
    return status;
}

/* All ranks' writes reach the disk. */
static int close_shared(result_file *file, int is_kept)
{
    shared_file *shared = find_shared(file);
    if (!shared)
        return EXIT_DONE;
    int error = is_kept ? MPI_File_sync(shared->handle) : MPI_SUCCESS;
    int closed = MPI_File_close(&shared->handle);
    MPI_Type_free(&shared->element);
    shared->file = NULL;
    error = error == MPI_SUCCESS ? closed : error;
    return error == MPI_SUCCESS ? EXIT_DONE : complain_mpi(file->out.path, error);
}

int result_file_commit(result_file *file)
{
    int status = ranks_agree(close_shared(file, 1));
    if (ranks_index() == 0 && status == EXIT_DONE)
        status = output_file_commit(&file->out);
    else if (ranks_index() == 0)
        output_file_abandon(&file->out);
    file->out.temporary[0] = '\0';
    return ranks_agree(status);
}

void result_file_abandon(result_file *file)
{
    close_shared(file, 0);
    if (ranks_index() == 0)
        output_file_abandon(&file->out);
    file->out.temporary[0] = '\0'; /* the other ranks only know the name */
}
