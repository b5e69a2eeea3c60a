/* The commands `run` and `sweep` as a whole, from files to files: a small array of any shape and axis, numbers for each
   row, a part of the rows, little memory, shards. The oracle of every byte is one call of the library on the whole
   array. Which labels, rows and counts are wrong, this file decides by code of its own. */
#include "commands/commands.h"
#include "support/messages.h"
#include "fuzz.h"
#include "problem.h"

#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

const char program_name[] = "fuzz";

enum { MOST_SIZE = 5, MOST_ELEMENTS = MOST_SIZE * MOST_SIZE * MOST_SIZE, MOST_TEMPERATURES = 3, MOST_SHARDS = 4 };

/* How the rows are computed: at once, in parts for little memory, by shards, or only some of them. */
typedef enum way { WHOLE, SLABS, SHARDS, ROWS, WAYS } way;

typedef struct fuzz_job {
    way way;
    unsigned dimensions;
    uint64_t shape[3];
    int axis;
    clsoftmax_problem problem;
    uint64_t rows, row_numbers; /* rows of the array, and of the files that have a number for each row */
    int has_labels;
    uint64_t begin, end; /* the rows of the first axis that are asked for */
    uint64_t memory, shards, first_shard;
    float logits[MOST_ELEMENTS], temperatures[MOST_ELEMENTS];
    double labels[MOST_ELEMENTS];
    char results[MOST_TEMPERATURES * MOST_ELEMENTS * sizeof(float)]; /* the expected results of all rows */
    clsoftmax_statistics statistics[MOST_TEMPERATURES * MOST_ELEMENTS];
} fuzz_job;

/* ---------------------------------------------------------------- Input */

static uint64_t smaller(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static float any_float(fuzz_bytes *bytes)
{
    uint32_t bits = (uint32_t)fuzz_number(bytes, 4);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Reads labels from -1, none, to the last class; one of them may be another number, or none at all. */
static void read_labels(fuzz_bytes *bytes, fuzz_job *job)
{
    const double wrong[] = {-2, (double)job->problem.classes, 0.5, NAN, 1e300, -1e300, INFINITY};
    for (uint64_t i = 0; i < job->rows; i++)
        job->labels[i] = (double)(fuzz_number(bytes, 1) % (job->problem.classes + 1)) - 1;
    uint64_t choice = fuzz_number(bytes, 1), place = fuzz_number(bytes, 1);
    if (choice < 7 && place < job->rows)
        job->labels[place] = wrong[choice];
}

static void read_temperatures(fuzz_bytes *bytes, fuzz_job *job)
{
    uint64_t count = job->problem.temperature_per_row ? job->rows : cls_problem_temperatures(&job->problem);
    for (uint64_t i = 0; i < count; i++) {
        float temperature = any_float(bytes);
        if (!job->problem.temperature_per_row)
            temperature = isnan(temperature) ? 1 : fabsf(temperature);
        job->temperatures[i] = temperature;
    }
}

static void read_job(fuzz_bytes *bytes, fuzz_job *job)
{
    const clsoftmax_problem none = CLSOFTMAX_PROBLEM_INIT;
    clsoftmax_problem *p = &job->problem;
    job->problem = none;
    job->way = (way)(fuzz_number(bytes, 1) % WAYS);
    job->dimensions = 1 + (unsigned)fuzz_number(bytes, 1) % 3;
    for (unsigned i = 0; i < job->dimensions; i++)
        job->shape[i] = fuzz_number(bytes, 1) % (MOST_SIZE + 1);
    job->axis = (int)(fuzz_number(bytes, 1) % (2 * job->dimensions)) - (int)job->dimensions;
    FUZZ_CHECK(clsoftmax_problem_set_shape(p, job->dimensions, job->shape, job->axis) == CLSOFTMAX_OK);
    job->rows = p->outer * p->inner;
    uint64_t choices = fuzz_number(bytes, 2);
    p->operation = fuzz_choice(&choices, 3) == 0 ? CLSOFTMAX_OPERATION_LOG_SOFTMAX : CLSOFTMAX_OPERATION_SOFTMAX;
    p->results_dtype = (clsoftmax_dtype)fuzz_choice(&choices, CLSOFTMAX_DTYPE_COUNT);
    job->has_labels = (int)fuzz_choice(&choices, 2);
    p->statistics = (int)fuzz_choice(&choices, 2) || job->has_labels;
    p->temperature_per_row = (int)fuzz_choice(&choices, 2);
    const uint64_t sweep = fuzz_choice(&choices, MOST_TEMPERATURES + 1);
    p->sweep = p->temperature_per_row ? 0 : sweep;
    p->neg_inf_rows = (clsoftmax_neg_inf_rows)fuzz_choice(&choices, 3);
    p->pos_inf = (clsoftmax_pos_inf)fuzz_choice(&choices, 2);
    job->row_numbers = fuzz_number(bytes, 1) == 1 ? job->rows + 1 : job->rows; /* rarely one too many */
    job->begin = fuzz_number(bytes, 1) % (MOST_SIZE + 2);
    job->end = job->begin + fuzz_number(bytes, 1) % (MOST_SIZE + 2);
    job->memory = 2048 + fuzz_number(bytes, 1) * 64;
    uint64_t shards = fuzz_number(bytes, 1);
    job->shards = 1 + shards % MOST_SHARDS;
    job->first_shard = shards / MOST_SHARDS % job->shards;
    read_temperatures(bytes, job);
    read_labels(bytes, job);
    for (uint64_t i = 0; i < job->rows * p->classes; i++)
        job->logits[i] = any_float(bytes);
}

/* ---------------------------------------------------------------- What is expected */

static int has_wrong_rows(const fuzz_job *job)
{
    int is_class_axis = job->dimensions < 2 || job->axis == 0 || job->axis == -(int)job->dimensions;
    return job->way == ROWS && (is_class_axis || job->begin > job->shape[0]);
}

/* Computes which rows are asked for: [begin, end) of all rows. */
static void rows_asked_for(const fuzz_job *job, uint64_t *begin, uint64_t *end)
{
    uint64_t each = job->shape[0] > 0 ? job->rows / job->shape[0] : 0;
    *begin = job->way == ROWS ? each * job->begin : 0;
    *end = job->way == ROWS ? each * smaller(job->end, job->shape[0]) : job->rows;
}

static int has_wrong_label(const fuzz_job *job, uint64_t begin, uint64_t end)
{
    for (uint64_t i = begin; job->has_labels && i < end; i++) {
        double label = job->labels[i];
        if (!(label == floor(label)))
            return 1;
    }
    return 0;
}

static int is_wrong(const fuzz_job *job)
{
    int has_row_numbers = job->has_labels || job->problem.temperature_per_row;
    if (job->problem.classes == 0 || (has_row_numbers && job->row_numbers != job->rows) || has_wrong_rows(job))
        return 1;
    uint64_t begin, end;
    rows_asked_for(job, &begin, &end);
    return has_wrong_label(job, begin, end);
}

/* Computes the expected results: the whole array in one call of the library. */
static void compute(fuzz_job *job)
{
    static clsoftmax_context *cpu;
    FUZZ_CHECK(cpu || clsoftmax_context_create("cpu", &cpu) == CLSOFTMAX_OK);
    clsoftmax_arguments arguments = CLSOFTMAX_ARGUMENTS_INIT;
    const clsoftmax_problem *p = &job->problem;
    int64_t labels[MOST_ELEMENTS];
    for (uint64_t i = 0; i < job->rows; i++)
        labels[i] = job->labels[i] >= 0 && job->labels[i] < MOST_SIZE ? (int64_t)job->labels[i] : -1;
    arguments.logits = job->logits;
    arguments.results = job->results;
    arguments.temperature = job->temperatures[0];
    arguments.temperatures = p->temperature_per_row || p->sweep > 0 ? job->temperatures : NULL;
    arguments.statistics = p->statistics ? job->statistics : NULL;
    arguments.labels = job->has_labels ? labels : NULL;
    clsoftmax_plan *plan;
    FUZZ_CHECK(clsoftmax_plan_create(cpu, p, &plan) == CLSOFTMAX_OK);
    FUZZ_CHECK(clsoftmax_plan_run(plan, &arguments) == CLSOFTMAX_OK);
    clsoftmax_plan_release(plan);
}

/* ---------------------------------------------------------------- Files */

enum { LOGITS, LABELS, TEMPERATURES, RESULTS, STATISTICS, FILES };

/* The files are in a folder of their own, in memory if possible, because results are synchronised. */
static char folder[60], paths[FILES][sizeof folder + 20];

static void remove_files(void)
{
    for (int i = 0; i < FILES; i++)
        unlink(paths[i]);
    rmdir(folder);
}

static void name_files(void)
{
    static const char *const names[FILES] = {"logits", "labels", "temperatures", "results", "statistics"};
    snprintf(folder, sizeof folder, "%s/clsoftmax-fuzz-run-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    FUZZ_CHECK(mkdtemp(folder) && atexit(remove_files) == 0);
    for (int i = 0; i < FILES; i++)
        snprintf(paths[i], sizeof paths[i], "%s/%s.npy", folder, names[i]);
}

static void write_npy(const char *path, const char *descr, const char *shape, const void *data, size_t size)
{
    char header[128];
    FILE *file = fopen(path, "wb");
    FUZZ_CHECK(file);
    int length =
        snprintf(header, sizeof header, "\x93NUMPY\x01%c%c%c{'descr': '%s', 'fortran_order': False, 'shape': (%s), }",
                 0, 118, 0, descr, shape);
    memset(header + length, ' ', sizeof header - (size_t)length);
    header[sizeof header - 1] = '\n';
    FUZZ_CHECK(fwrite(header, 1, sizeof header, file) == sizeof header && fwrite(data, 1, size, file) == size);
    FUZZ_CHECK(fclose(file) == 0);
}

static void write_inputs(const fuzz_job *job)
{
    char shape[80] = "";
    for (unsigned i = 0; i < job->dimensions; i++)
        snprintf(shape + strlen(shape), sizeof shape - strlen(shape), "%llu, ", (unsigned long long)job->shape[i]);
    write_npy(paths[LOGITS], "<f4", shape, job->logits, (size_t)(job->rows * job->problem.classes) * sizeof(float));
    snprintf(shape, sizeof shape, "%llu,", (unsigned long long)job->row_numbers);
    if (job->has_labels)
        write_npy(paths[LABELS], "<f8", shape, job->labels, (size_t)job->row_numbers * sizeof(double));
    if (job->problem.temperature_per_row)
        write_npy(paths[TEMPERATURES], "<f4", shape, job->temperatures, (size_t)job->row_numbers * sizeof(float));
}

static int is_there(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0;
}

/* Checks that an .npy file holds `count` pieces of `length` bytes, which are `stride` bytes apart in `expected`, and
   nothing else. */
static void check_file(const char *path, const char *expected, uint64_t count, size_t stride, size_t length)
{
    static char read[1 << 14];
    FILE *file = fopen(path, "rb");
    FUZZ_CHECK(file);
    size_t size = fread(read, 1, sizeof read, file);
    fclose(file);
    FUZZ_CHECK(size >= 10 && memcmp(read, "\x93NUMPY\x01", 8) == 0);
    size_t at = 10 + (unsigned char)read[8] + 256u * (unsigned char)read[9];
    FUZZ_CHECK(size == at + (size_t)count * length);
    for (uint64_t i = 0; i < count; i++, at += length)
        FUZZ_CHECK(memcmp(read + at, expected + (size_t)i * stride, length) == 0);
    unlink(path);
}

/* Checks results and statistics: for each temperature the rows that were asked for. */
static void check_results(const fuzz_job *job)
{
    const clsoftmax_problem *p = &job->problem;
    uint64_t begin, end, temperatures = cls_problem_temperatures(p);
    size_t row = (size_t)p->classes * clsoftmax_dtype_size(p->results_dtype), record = sizeof(clsoftmax_statistics);
    rows_asked_for(job, &begin, &end);
    check_file(paths[RESULTS], job->results + begin * row, temperatures, (size_t)job->rows * row,
               (size_t)(end - begin) * row);
    if (p->statistics)
        check_file(paths[STATISTICS], (const char *)(job->statistics + begin), temperatures, (size_t)job->rows * record,
                   (size_t)(end - begin) * record);
}

/* ---------------------------------------------------------------- Command lines */

typedef struct words {
    char text[2048];
    char *argv[40];
    int argc;
    size_t used;
} words;

static void add(words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(words *words, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *word = words->text + words->used;
    words->used += (size_t)vsnprintf(word, sizeof words->text - words->used, format, arguments) + 1;
    va_end(arguments);
    FUZZ_CHECK(words->used <= sizeof words->text);
    words->argv[words->argc++] = word;
}

static void add_temperatures(words *words, const fuzz_job *job)
{
    if (job->problem.temperature_per_row) {
        add(words, "-T@%s", paths[TEMPERATURES]);
        return;
    }
    char list[200] = "";
    for (uint64_t i = 0; i < cls_problem_temperatures(&job->problem); i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s%a", i > 0 ? "," : "",
                 (double)job->temperatures[i]);
    add(words, "-T%s", list);
}

/* Runs the command, for one shard or for all rows. Returns its exit status. */
static int command(const fuzz_job *job, uint64_t shard)
{
    static const char *const neg_inf_rows[] = {"nan", "zero", "uniform"}, *const pos_inf[] = {"nan", "limit"};
    const clsoftmax_problem *p = &job->problem;
    words words = {.argc = 0};
    add(&words, "clsoftmax");
    add(&words, "%s", paths[LOGITS]);
    add(&words, "-dcpu");
    add(&words, "--axis=%d", job->axis);
    add(&words, "--neg-inf-rows=%s", neg_inf_rows[p->neg_inf_rows]);
    add(&words, "--pos-inf=%s", pos_inf[p->pos_inf]);
    add_temperatures(&words, job);
    if (p->operation == CLSOFTMAX_OPERATION_LOG_SOFTMAX)
        add(&words, "--log");
    add(&words, "--out-dtype=%s", clsoftmax_dtype_name(p->results_dtype));
    add(&words, "-o%s", paths[RESULTS]);
    if (p->statistics)
        add(&words, "--stats=%s", paths[STATISTICS]);
    if (job->has_labels)
        add(&words, "--labels=%s", paths[LABELS]);
    if (job->way == SLABS)
        add(&words, "--memory=%llu", (unsigned long long)job->memory);
    if (job->way == ROWS)
        add(&words, "--rows=%llu:%llu", (unsigned long long)job->begin, (unsigned long long)job->end);
    if (job->way == SHARDS)
        add(&words, "--shard=%llu/%llu", (unsigned long long)shard, (unsigned long long)job->shards);
    optind = 0; /* getopt starts over */
    return p->sweep > 0 ? command_sweep(words.argc, words.argv) : command_run(words.argc, words.argv);
}

/* Runs all shards, beginning with any of them. The files must be there after the last one, and not before. */
static void check_shards(const fuzz_job *job)
{
    for (uint64_t i = 0; i < job->shards; i++) {
        FUZZ_CHECK(!is_there(paths[RESULTS]) && !is_there(paths[STATISTICS]));
        FUZZ_CHECK(command(job, (job->first_shard + i) % job->shards) == EXIT_DONE);
    }
}

/* Prepares the environment and the files, and throws away what is printed. */
static void begin(void)
{
    setenv("CLSOFTMAX_THREADS", "1", 1);
    notices_are_quiet = 1;
    name_files();
    FUZZ_CHECK(freopen("/dev/null", "w", stdout));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int has_begun;
    static fuzz_job job;
    if (!has_begun)
        begin();
    has_begun = 1;
    fuzz_bytes bytes = {data, data + size};
    read_job(&bytes, &job);
    write_inputs(&job);
    if (is_wrong(&job)) {
        if (job.way != SHARDS) /* a single shard may have no wrong row */
            FUZZ_CHECK(command(&job, 0) == EXIT_WRONG);
        FUZZ_CHECK(!is_there(paths[RESULTS]) && !is_there(paths[STATISTICS]));
        return 0;
    }
    compute(&job);
    if (job.way == SHARDS)
        check_shards(&job);
    else
        FUZZ_CHECK(command(&job, 0) == EXIT_DONE);
    check_results(&job);
    return 0;
}
