/* The scenarios of file_faults and their folder: what file_scenarios.h declares. */
#include "file_scenarios.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zip.h>

const file_scenario file_scenarios[] = {
    {"npy", "run x.npy -T 0.7 -o p.npy -d cpu", NULL, FILE_NONE, 1, 1},
    {"threads", "run x.npy -T 0.7 -o p.npy -d cpu", NULL, FILE_NONE, 0, 1},
    {"older", "run x.npy -T 0.7 -o p.npy -d cpu", NULL, FILE_OLDER, 1, 1},
    {"left", "run x.npy -T 0.7 -o p.npy -d cpu", NULL, FILE_LEFT, 1, 1},
    {"link", "run x.npy -T 0.7 -o p.npy -d cpu", NULL, FILE_LINK, 1, 1},
    {"pipe", "run x.npy -T 0.7 -o p.npy -d cpu", NULL, FILE_PIPE, 1, 1},
    {"text", "run x.txt -T 0.7 -d cpu", NULL, FILE_NONE, 1, 1},
    {"standard-input", "run - --log -d cpu", NULL, FILE_NONE, 1, 1},
    {"npy-through", "run - -o - -d cpu", NULL, FILE_NONE, 1, 1},
    {"safetensors", "run x.safetensors --tensor b -o p.npy -d cpu", NULL, FILE_OLDER, 1, 1},
    {"npz", "run x.npz:x -o p.npy -d cpu", NULL, FILE_OLDER, 1, 1},
    {"two-files", "run x.npy --stats=s.npy -o p.npy -d cpu", NULL, FILE_OLDER, 1, 1},
    {"table", "run x.npy --labels l.npy --stats -d cpu", NULL, FILE_NONE, 1, 1},
    {"row-files", "run x.npy -T @t.txt --labels l.npy -o p.npy -d cpu", NULL, FILE_OLDER, 1, 1},
    {"slabs", "run x.npy --memory 800 -o p.npy -d cpu,cpu", NULL, FILE_OLDER, 1, 1},
    {"slabs-in-order", "run x.npy --memory 800 -d cpu", NULL, FILE_NONE, 1, 1},
    {"large", "run b.npy -o p.npy -d cpu", NULL, FILE_NONE, 1, 1},
    {"axis", "run x.npy --axis 0 --memory 800 -o p.npy -d cpu", NULL, FILE_NONE, 1, 1},
    {"fortran", "run f.npy -o p.npy -d cpu", NULL, FILE_NONE, 1, 1},
    {"f16-bf16", "run h.npy --out-dtype bf16 -o p.npy -d cpu", NULL, FILE_NONE, 1, 1},
    {"f64-big-endian", "run d.npy --out-dtype f16 -o p.npy -d cpu", NULL, FILE_NONE, 1, 1},
    {"verified", "run x.npy --verify --stats=s.npy -o p.npy -d cpu", NULL, FILE_NONE, 1, 1},
    {"loss", "loss x.npy l.npy --gradient p.npy --losses s.npy -d cpu", NULL, FILE_OLDER, 1, 1},
    {"targets", "loss x.npy --targets h.npy --class-weights c.txt --gradient p.npy --losses s.npy -d cpu", NULL,
     FILE_OLDER, 1, 1},
    {"distillation", "distill x.npy d.npy --labels l.npy --gradient p.npy --losses s.npy -d cpu", NULL, FILE_OLDER, 1,
     1},
    {"top-teacher", "distill x.npy h.npy --teacher-classes k.npy --gradient p.npy -d cpu", NULL, FILE_OLDER, 1, 1},
    {"explained", "run x.npy --explain --memory 1M -o p.npy -d cpu", NULL, FILE_OLDER, 1, 1},
    {"first-shard", "run x.npy --shard 0/2 -o p.npy -d cpu", NULL, FILE_OLDER, 1, 1},
    {"last-shard", "run x.npy --shard 1/2 -o p.npy -d cpu", "run x.npy --shard 0/2 -o p.npy -d cpu", FILE_OLDER, 1, 1},
    {"sweep", "sweep x.npy -T 0,0.7,inf --stats=s.npy -o p.npy -d cpu", NULL, FILE_OLDER, 1, 1},
    {"sweep-text", "sweep x.npy -T 1e-40,0.7 -d cpu", NULL, FILE_NONE, 1, 4},
    {"sweep-table", "sweep x.txt -T lin:1:3:2,9 --labels l.npy -d cpu", NULL, FILE_NONE, 1, 4},
    {"sweep-shard", "sweep x.npy -T 1,2 --shard 1/2 -o p.npy -d cpu", "sweep x.npy -T 1,2 --shard 0/2 -o p.npy -d cpu",
     FILE_OLDER, 1, 1},
    {"curves", "sweep x.npy -T 0,1,2 --top 2 --plot p.svg -d cpu", NULL, FILE_OLDER, 1, 4},
    {"curves-in-text", "sweep x.npy -T 1,2 --top 1 --plot - --stats=s.npy -d cpu", NULL, FILE_NONE, 1, 4},
    {"bars", "plot x.txt -T 0.7 --top 2 --class-names n.txt -o p.svg -d cpu", NULL, FILE_OLDER, 1, 4},
    {"bars-in-text", "plot x.npy -T 1e-40,inf --row 3 --top 2 -d cpu", NULL, FILE_NONE, 1, 4},
    {"page", "explore x.npy --rows 2:3 --class-names n.txt --labels l.npy -o p.html -d cpu", NULL, FILE_OLDER, 1, 17},
    {"page-of-samples", "explore -o p.html -d cpu", NULL, FILE_NONE, 1, 997},
    {"help", "run --help", NULL, FILE_NONE, 1, 1},
    {"verify", "verify -d cpu --strategy lane", NULL, FILE_NONE, 0, 401},
    {"devices", "devices --json", NULL, FILE_NONE, 1, 41},
    {"device", "run x.npy -T 0.7 -o p.npy -d 0:0", NULL, FILE_OLDER, 1, 7},
    {"auto", "run x.npy -T 0.7 -o p.npy", NULL, FILE_NONE, 1, 7},
};
const unsigned long file_scenario_count = sizeof file_scenarios / sizeof *file_scenarios;

const char *const file_names[FILE_NAMES] = {"p.npy", "s.npy", "p.svg", "p.html", "output", "errors"};
const char file_older_text[] = "older";

static const char link_target[] = "linked-p.npy";
static char folder[] = "/dev/shm/clsoftmax-XXXXXX", folder_on_disk[] = "/tmp/clsoftmax-XXXXXX";
static char *entered;
static int pipe_reader = -1;

/* ---------------------------------------------------------------- Inputs */

enum { ROWS = 12, CLASSES = 7, ELEMENTS = ROWS * CLASSES, MANY_ROWS = 40000 };

static float logit(int i)
{
    return (float)((i * 37) % 101) * 0.1f - 4;
}

static FILE *start_npy(const char *name, const char *descr, const char *order, const char *shape)
{
    FILE *file = fopen(name, "wb");
    char text[119]; /* so that the data begins at byte 128 */
    if (!file)
        return NULL;
    snprintf(text, sizeof text, "{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", descr, order, shape);
    fprintf(file, "\x93NUMPY%c%c%c%c%-117s\n", 1, 0, 118, 0, text);
    return file;
}

/* Writes an array of ROWS x CLASSES values, of ROWS, or of MANY_ROWS x CLASSES, each of so many bytes. */
static int write_npy(const char *name, const char *descr, const char *order, int elements, size_t bytes,
                     void (*value)(int i, void *to))
{
    char one[8], shape[40];
    if (elements == ROWS)
        snprintf(shape, sizeof shape, "(%d,)", ROWS);
    else
        snprintf(shape, sizeof shape, "(%d, %d)", elements / CLASSES, CLASSES);
    FILE *file = start_npy(name, descr, order, shape);
    for (int i = 0; file && i < elements; i++) {
        value(i, one);
        fwrite(one, bytes, 1, file);
    }
    return file && fclose(file) == 0;
}

static void as_f4(int i, void *to)
{
    float value = logit(i);
    memcpy(to, &value, sizeof value);
}

static void as_f2(int i, void *to)
{
    uint16_t bits = (uint16_t)(0x3c00 + i * 16); /* numbers from 1 on */
    memcpy(to, &bits, sizeof bits);
}

static void as_big_endian_f8(int i, void *to)
{
    double value = (double)logit(i);
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits = __builtin_bswap64(bits);
    memcpy(to, &bits, sizeof bits);
}

static void as_label(int i, void *to)
{
    int64_t label = i % CLASSES;
    memcpy(to, &label, sizeof label);
}

/* Writes ROWS lines of logits, or of temperatures where there is one column. */
static int write_text(const char *name, int columns)
{
    FILE *file = fopen(name, "w");
    for (int i = 0; file && i < ROWS * columns; i++)
        fprintf(file, "%g%c", (double)(columns == 1 ? (float)(1 + i) : logit(i)), (i + 1) % columns ? ' ' : '\n');
    return file && fclose(file) == 0;
}

static int write_names(const char *name)
{
    FILE *file = fopen(name, "w");
    for (int i = 0; file && i < CLASSES; i++)
        fprintf(file, "class %d\n", i);
    return file && fclose(file) == 0;
}

/* Writes a line with a weight for each class. */
static int write_class_weights(const char *name)
{
    FILE *file = fopen(name, "w");
    for (int i = 0; file && i < CLASSES; i++)
        fprintf(file, "%d%c", 1 + i, i + 1 < CLASSES ? ' ' : '\n');
    return file && fclose(file) == 0;
}

/* Writes tensors a, of one byte, and b, of ROWS x CLASSES values. */
static int write_safetensors(const char *name)
{
    char text[200];
    FILE *file = fopen(name, "wb");
    int length = snprintf(text, sizeof text,
                          "{\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]},"
                          "\"b\":{\"dtype\":\"F32\",\"shape\":[%d,%d],\"data_offsets\":[1,%d]}}",
                          ROWS, CLASSES, 1 + ELEMENTS * 4);
    for (int i = 0; file && i < 8; i++)
        fputc((int)((uint64_t)length >> 8 * i & 255), file);
    if (file)
        fprintf(file, "%s%c", text, 1);
    for (int i = 0; file && i < ELEMENTS; i++) {
        float value = logit(i);
        fwrite(&value, sizeof value, 1, file);
    }
    return file && fclose(file) == 0;
}

/* Writes an archive that has a file as its only member. */
static int write_npz(const char *name, const char *member)
{
    int code;
    zip_t *archive = zip_open(name, ZIP_CREATE, &code);
    zip_source_t *source = archive ? zip_source_file(archive, member, 0, -1) : NULL;
    return source && zip_file_add(archive, member, source, 0) >= 0 && zip_close(archive) == 0;
}

static const char *const inputs[] = {"x.npy", "b.npy", "f.npy", "h.npy", "d.npy",         "k.npy", "l.npy",
                                     "x.txt", "t.txt", "n.txt", "c.txt", "x.safetensors", "x.npz"};

int file_folder_enter(void)
{
    entered = mkdtemp(folder);
    if (!entered)
        entered = mkdtemp(folder_on_disk);
    return entered && chdir(entered) == 0 && write_npy("x.npy", "<f4", "False", ELEMENTS, 4, as_f4) &&
           write_npy("b.npy", "<f4", "False", MANY_ROWS * CLASSES, 4, as_f4) &&
           write_npy("f.npy", "<f4", "True", ELEMENTS, 4, as_f4) &&
           write_npy("h.npy", "<f2", "False", ELEMENTS, 2, as_f2) &&
           write_npy("d.npy", ">f8", "False", ELEMENTS, 8, as_big_endian_f8) &&
           write_npy("k.npy", "<i8", "False", ELEMENTS, 8, as_label) &&
           write_npy("l.npy", "<i8", "False", ROWS, 8, as_label) && write_text("x.txt", CLASSES) &&
           write_text("t.txt", 1) && write_names("n.txt") && write_class_weights("c.txt") &&
           write_safetensors("x.safetensors") && write_npz("x.npz", "x.npy");
}

/* ---------------------------------------------------------------- The folder */

static int is_input(const char *name)
{
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        if (strcmp(name, inputs[i]) == 0)
            return 1;
    return name[0] == '.' && (!name[1] || strcmp(name, "..") == 0);
}

static void remove_all(int with_inputs)
{
    DIR *entries = opendir(".");
    for (struct dirent *entry; entries && (entry = readdir(entries));)
        if (with_inputs || !is_input(entry->d_name))
            unlink(entry->d_name);
    if (entries)
        closedir(entries);
    if (pipe_reader >= 0)
        close(pipe_reader);
    pipe_reader = -1;
}

void file_folder_leave(void)
{
    remove_all(1);
    if (chdir("/") == 0)
        rmdir(entered);
}

static void write_older(const char *name)
{
    FILE *file = fopen(name, "w");
    if (!file || fputs(file_older_text, file) == EOF || fclose(file) != 0)
        abort();
}

void file_folder_prepare(const file_scenario *scenario)
{
    const char *name = file_names[FILE_RESULTS];
    remove_all(0);
    if (scenario->older == FILE_LEFT)
        write_older(".p.npy.clsoftmax-abcdef");
    if (scenario->older == FILE_OLDER || scenario->older == FILE_LEFT) {
        for (int i = 0; i < FILE_FINAL_NAMES; i++)
            write_older(file_names[i]);
    } else if (scenario->older == FILE_LINK) {
        write_older(link_target);
        if (symlink(link_target, name) != 0)
            abort();
    } else if (scenario->older == FILE_PIPE) {
        if (mkfifo(name, 0666) != 0 || (pipe_reader = open(name, O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0)
            abort();
    }
}

const char *file_folder_left(void)
{
    static char left[256];
    left[0] = '\0';
    DIR *entries = opendir(".");
    for (struct dirent *entry; entries && (entry = readdir(entries));) {
        int is_known = is_input(entry->d_name) || strcmp(entry->d_name, link_target) == 0;
        for (int i = 0; i < FILE_NAMES; i++)
            is_known = is_known || strcmp(entry->d_name, file_names[i]) == 0;
        if (!is_known)
            snprintf(left, sizeof left, "%s", entry->d_name);
    }
    if (entries)
        closedir(entries);
    return left[0] ? left : NULL;
}

int file_folder_has_kind(const file_scenario *scenario)
{
    struct stat found;
    if (lstat(file_names[FILE_RESULTS], &found) != 0)
        return scenario->older == FILE_NONE;
    return scenario->older == FILE_LINK   ? S_ISLNK(found.st_mode)
           : scenario->older == FILE_PIPE ? S_ISFIFO(found.st_mode)
                                          : S_ISREG(found.st_mode);
}

long file_read(const file_scenario *scenario, int name, char *bytes)
{
    int is_pipe = scenario->older == FILE_PIPE && name == FILE_RESULTS;
    int descriptor = is_pipe ? dup(pipe_reader) : open(file_names[name], O_RDONLY);
    if (descriptor < 0)
        return -1;
    long length = 0;
    for (ssize_t count; length < FILE_MOST_BYTES &&
                        (count = read(descriptor, bytes + length, (size_t)(FILE_MOST_BYTES - length))) > 0;)
        length += count;
    close(descriptor);
    return length;
}
