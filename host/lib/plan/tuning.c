/* The rows of tuning numbers, and the choice of a device's row: see tuning.h. */
#include "tuning.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>
#include <strings.h>

/* ---------------------------------------------------------------- Rows */

static const cls_tuning defaults = {
#define CLS_TUNING_DEFAULT(name, value, meaning) .name = value,
    CLS_TUNING_LIST(CLS_TUNING_DEFAULT)
#undef CLS_TUNING_DEFAULT
};

/* A row for devices of a type whose platform and name contain these texts. "" is in every text. */
typedef struct tuning_row {
    clsoftmax_device_type type;
    const char *platform, *name;
    cls_tuning numbers; /* 0: as in the default row */
} tuning_row;

/* The first row that matches is taken, so a row for one device stands before that of its type. */
static const tuning_row rows[] = {
    /* device "cpu", measured with AVX-512 and AVX2 */
    {CLSOFTMAX_DEVICE_CPU,
     "",
     "",
     {.lane_classes = 255, .lane_classes_beside_item = 119, .lane_classes_beside_f32_item = 111}},
    /* PoCL 3.1, measured on the same processors */
    {CLSOFTMAX_DEVICE_OPENCL_CPU,
     "",
     "",
     {.transposed_lane_classes = 160,
      .lane_classes_beside_item = 96,
      .long_row_classes = 256,
      .long_row_work_group = 1,
      .short_row_work_group = 16}},
};

enum { ROWS = sizeof rows / sizeof *rows, NUMBERS = sizeof(cls_tuning) / sizeof(uint64_t) };

/* The rows with their defaults filled in. The last one is the default row. */
static cls_tuning complete[ROWS + 1];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void complete_rows(void)
{
    complete[ROWS] = defaults;
    for (size_t i = 0; i < ROWS; i++) {
        uint64_t numbers[NUMBERS], otherwise[NUMBERS];
        memcpy(numbers, &rows[i].numbers, sizeof numbers);
        memcpy(otherwise, &defaults, sizeof otherwise);
        for (size_t k = 0; k < NUMBERS; k++)
            numbers[k] = numbers[k] ? numbers[k] : otherwise[k];
        memcpy(&complete[i], numbers, sizeof numbers);
    }
}

/* ---------------------------------------------------------------- Choice */

const cls_tuning *cls_tuning_of_device(const clsoftmax_device *device)
{
    pthread_once(&once, complete_rows);
    size_t i = 0;
    while (i < ROWS && !(rows[i].type == device->type && strcasestr(device->platform, rows[i].platform) &&
                         strcasestr(device->name, rows[i].name)))
        i++;
    return &complete[i];
}

const cls_tuning *cls_tuning_of_type(clsoftmax_device_type type)
{
    const clsoftmax_device device = {.type = type};
    return cls_tuning_of_device(&device);
}

/* ---------------------------------------------------------------- For people */

int clsoftmax_device_tuning(const clsoftmax_device *device, size_t index, clsoftmax_tuning *number)
{
    static const clsoftmax_tuning numbers[] = {
#define CLS_TUNING_NUMBER(name, value, meaning) {#name, meaning, 0},
        CLS_TUNING_LIST(CLS_TUNING_NUMBER)
#undef CLS_TUNING_NUMBER
    };
    if (!device || !number || index >= NUMBERS)
        return 0;
    uint64_t values[NUMBERS];
    memcpy(values, cls_tuning_of_device(device), sizeof values);
    *number = numbers[index];
    number->value = values[index];
    return 1;
}
