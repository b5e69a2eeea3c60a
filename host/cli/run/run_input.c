/* The input of a job: opened, cut to --rows, and read slab by slab. */
#include "run/run.h"
#include "support/library.h"
#include "support/messages.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* Returns how a file of logits is read. */
static source_reading reading_of(const run_options *options, const char *tensor)
{
    return (source_reading){.content = options->has_probabilities ? ARRAY_PROBABILITIES : ARRAY_LOGITS,
                            .tensor = tensor,
                            .has_bf16 = options->has_input_dtype && options->input_dtype == CLSOFTMAX_BF16,
                            .memory = options->memory,
                            .text = options->text};
}

static int open_logits(run *run)
{
    const run_options *options = &run->options;
    const array *array = &run->input.array;
    const source_reading reading = reading_of(options, options->tensor);
    FORWARD(source_open(options->input, &reading, &run->input));
    COMPLAIN_IF(options->has_input_dtype && !options->has_probabilities && array->dtype != options->input_dtype,
                EXIT_WRONG, "%s: --input-dtype %s, but the file holds %s", options->input,
                clsoftmax_dtype_name(options->input_dtype), clsoftmax_dtype_name(array->dtype));
    run->problem.logits_dtype = array->dtype;
    return EXIT_DONE;
}

/* Sets the problem's outer, classes and inner from the input's shape and --axis. */
static int set_shape(run *run)
{
    const array *input = &run->input.array;
    clsoftmax_status set =
        clsoftmax_problem_set_shape(&run->problem, input->dimensions, input->shape, run->options.axis);
    COMPLAIN_IF(set == CLSOFTMAX_OK && run->problem.classes == 0, EXIT_WRONG, "%s: rows of 0 classes",
                run->options.input);
    if (set != CLSOFTMAX_OK)
        return complain_library("--axis", set);
    run->rows = run->problem.outer * run->problem.inner;
    return EXIT_DONE;
}

/* Returns 1 if two arrays have one shape. */
static int is_same_shape(const array *a, const array *b)
{
    int is_same = a->dimensions == b->dimensions;
    for (unsigned i = 0; is_same && i < a->dimensions; i++)
        is_same = a->shape[i] == b->shape[i];
    return is_same;
}

/* Opens the log-probabilities of the classes that a teacher lists, and their file. Both have the shape of the input,
   but for the number of classes. */
static int open_top_teacher(run *run)
{
    const run_options *options = &run->options;
    const array *input = &run->input.array, *teacher = &run->operand.array, *listed = &run->teacher_classes.array;
    const source_reading logarithms = {.content = ARRAY_FLOATS, .memory = options->memory, .text = options->text};
    const source_reading numbers = {.content = ARRAY_NUMBERS, .memory = options->memory, .text = options->text};
    const unsigned last = input->dimensions - 1;
    FORWARD(source_open(options->teacher, &logarithms, &run->operand));
    FORWARD(source_open(options->teacher_classes, &numbers, &run->teacher_classes));
    COMPLAIN_IF(run->problem.inner != 1 || (options->axis != -1 && options->axis != (int)last), EXIT_WRONG,
                "--teacher-classes: the classes are on the last axis, and --axis says another");
    array rows = *teacher;
    if (rows.dimensions == input->dimensions)
        rows.shape[last] = input->shape[last];
    COMPLAIN_IF(!is_same_shape(&rows, input), EXIT_WRONG, "%s: it does not have the rows of %s", options->teacher,
                options->input);
    COMPLAIN_IF(!is_same_shape(teacher, listed), EXIT_WRONG, "%s: --teacher-classes: it does not have the shape of %s",
                options->teacher_classes, options->teacher);
    COMPLAIN_IF(teacher->shape[last] == 0, EXIT_WRONG, "%s: it lists no classes", options->teacher);
    run->problem.operand_dtype = CLSOFTMAX_F32;
    return EXIT_DONE;
}

/* Opens the teacher's logits, or the targets, which have the shape of the input. Targets are f32 where they are to be
   multiplied by the weights of their classes. */
static int open_operand(run *run)
{
    const run_options *options = &run->options;
    const char *path = run_operand_path(run);
    const array *input = &run->input.array, *operand = &run->operand.array;
    source_reading reading = reading_of(options, NULL);
    if (!path)
        return EXIT_DONE;
    if (options->teacher_classes)
        return open_top_teacher(run);
    if (options->targets)
        reading.content = ARRAY_FLOATS;
    FORWARD(source_open(path, &reading, &run->operand));
    COMPLAIN_IF(!is_same_shape(input, operand), EXIT_WRONG,
                "%s: %s do not have the shape of %s, %s: %llu and %llu elements in %u and %u dimensions", path,
                options->targets ? "--targets" : "the teacher's logits",
                options->targets ? "the logits" : "the student's", options->input,
                (unsigned long long)operand->elements, (unsigned long long)input->elements, operand->dimensions,
                input->dimensions);
    run->problem.operand_dtype = options->targets && options->class_weights ? CLSOFTMAX_F32 : operand->dtype;
    return EXIT_DONE;
}

/* Opens a file with one number for each row; path NULL: none. */
static int open_row_numbers(const run *run, const char *option, const char *path, array_content content,
                            source *numbers)
{
    if (!path)
        return EXIT_DONE;
    source_reading reading = {.content = content, .memory = run->options.memory, .text = run->options.text};
    if (reading.text.header == TEXT_HEADER)
        reading.text.header = TEXT_PERHAPS_HEADER; /* that is said of INPUT */
    FORWARD(source_open(path, &reading, numbers));
    if (numbers->array.dimensions == 0) /* one number for all rows */
        return EXIT_DONE;
    COMPLAIN_IF(numbers->array.elements != run->rows, EXIT_WRONG, "%s: %s: %llu numbers for %llu rows", path, option,
                (unsigned long long)numbers->array.elements, (unsigned long long)run->rows);
    return EXIT_DONE;
}

/* Opens the temperatures of the rows. A file may have a single number, as an array without dimensions: then that is the
   temperature of all rows. */
static int open_temperatures(run *run)
{
    const source *source = &run->temperatures;
    FORWARD(open_row_numbers(run, "-T", run->options.temperatures, ARRAY_FLOATS, &run->temperatures));
    run->problem.temperature_per_row = run->options.temperatures && source->array.dimensions > 0;
    if (!run->options.temperatures || source->array.dimensions > 0)
        return EXIT_DONE;
    float number;
    FORWARD(source_read(source, 0, 1, &number));
    run->options.temperature = array_float(&number, source->array.dtype, 0);
    COMPLAIN_IF(!(run->options.temperature >= 0), EXIT_WRONG, "-T @%s: the temperature is a number from 0 to inf",
                run->options.temperatures);
    return EXIT_DONE;
}

/* Keeps the weights of the classes from their file: finite numbers from 0 on. */
static int take_class_weights(run *run, const char *path, const source *numbers)
{
    const uint64_t classes = run->problem.classes;
    const clsoftmax_dtype dtype = numbers->array.dtype;
    COMPLAIN_IF(numbers->array.elements != classes, EXIT_WRONG, "%s: --class-weights: %llu numbers for %llu classes",
                path, (unsigned long long)numbers->array.elements, (unsigned long long)classes);
    float *weights = run->class_weights = malloc((size_t)classes * sizeof *weights);
    COMPLAIN_IF(!weights, EXIT_FAILED, "--class-weights: no memory for %llu numbers", (unsigned long long)classes);
    FORWARD(source_read(numbers, 0, classes, weights));
    for (uint64_t i = classes; i > 0; i--) { /* from the last on: those of 16 bits grow in place */
        weights[i - 1] = array_float(weights, dtype, i - 1);
        COMPLAIN_IF(!(weights[i - 1] >= 0 && weights[i - 1] <= FLT_MAX), EXIT_WRONG,
                    "%s: --class-weights: %g, the weight of class %llu, is not a finite number from 0 on", path,
                    (double)weights[i - 1], (unsigned long long)i - 1);
    }
    return EXIT_DONE;
}

/* Reads the weights of the classes, if the job has any. */
static int read_class_weights(run *run)
{
    const char *path = run->options.class_weights;
    source numbers;
    if (!path)
        return EXIT_DONE;
    const source_reading reading = {.content = ARRAY_FLOATS, .memory = run->options.memory, .text = run->options.text};
    FORWARD(source_open(path, &reading, &numbers));
    const int status = take_class_weights(run, path, &numbers);
    source_close(&numbers);
    return status;
}

/* Returns an index of an axis of this size, from its beginning. One that is before the beginning becomes 0. */
static uint64_t index_of(int64_t index, uint64_t size)
{
    if (index >= 0)
        return (uint64_t)index;
    return (uint64_t)-index < size ? size - (uint64_t)-index : 0;
}

/* Cuts the input to --rows. Files with a number for each row keep those of all rows. */
static int cut_to_rows(run *run)
{
    const run_options *options = &run->options;
    const array *input = &run->input.array;
    if (!options->has_rows)
        return EXIT_DONE;
    uint64_t size = input->shape[0], all_rows = run->rows;
    uint64_t begin = index_of(options->rows_begin, size), end = index_of(options->rows_end, size);
    COMPLAIN_IF(input->dimensions < 2 || options->axis == 0 || options->axis == -(int)input->dimensions, EXIT_WRONG,
                "--rows: the first axis of %s holds classes, not rows", options->input);
    COMPLAIN_IF(begin > size, EXIT_WRONG, "--rows: begins at %llu, but the first axis of %s is %llu long",
                (unsigned long long)begin, options->input, (unsigned long long)size);
    end = end < begin ? begin : smaller(end, size);
    run->first_row = size > 0 ? all_rows / size * begin : 0;
    source_slice(&run->input, begin, end);
    if (run_operand_path(run))
        source_slice(&run->operand, begin, end);
    if (options->teacher_classes)
        source_slice(&run->teacher_classes, begin, end);
    return set_shape(run);
}

int run_open_input(run *run)
{
    const run_options *options = &run->options;
    FORWARD(open_logits(run));
    FORWARD(set_shape(run));
    FORWARD(open_operand(run));
    FORWARD(open_temperatures(run));
    FORWARD(open_row_numbers(run, "--labels", options->labels, ARRAY_NUMBERS, &run->labels));
    FORWARD(open_row_numbers(run, "--weights", options->weights, ARRAY_NUMBERS, &run->weights));
    FORWARD(read_class_weights(run));
    return cut_to_rows(run);
}

int run_read_rows(const source *from, const slabs *slabs, const slab *slab, void *values)
{
    size_t size = array_element_size(&from->array);
    slab_stretches stretches = slabs_stretches(slabs, slab);
    for (uint64_t i = 0; i < stretches.count; i++)
        FORWARD(source_read(from, stretches.first + i * stretches.stride, stretches.length,
                            (char *)values + i * stretches.length * size));
    return EXIT_DONE;
}

int run_read_labels(const run *run, uint64_t row, uint64_t rows, double *numbers, int64_t *labels)
{
    uint64_t first = run->first_row + row, classes = run->problem.classes;
    FORWARD(source_read(&run->labels, first, rows, numbers));
    for (uint64_t i = 0; i < rows; i++) {
        double number = numbers[i];
        int is_class = number >= 0 && number < (double)classes;
        COMPLAIN_IF(
            !(number == floor(number)), EXIT_WRONG,
            "%s: --labels: %g, the label of row %llu, is not a whole number: a class from 0 to %llu, or another "
            "number for none",
            run->options.labels, number, (unsigned long long)(first + i), (unsigned long long)classes - 1);
        labels[i] = is_class ? (int64_t)number : -1;
    }
    return EXIT_DONE;
}
