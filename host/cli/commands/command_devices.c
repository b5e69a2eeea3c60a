/* clsoftmax devices: lists what there is to compute on, for people or as JSON. */
#include "commands/commands.h"
#include "support/json.h"
#include "support/library.h"
#include "support/messages.h"
#include "support/options.h"
#include "support/process.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct devices_options {
    int is_json;
} devices_options;

static const option_row rows[] = {
    {.heading = "options"},
    {.name = "json",
     .set = option_set_on,
     .offset = offsetof(devices_options, is_json),
     .help = "print the same as JSON, for programs"},
    {.name = NULL},
};

static const option_table table = {
    .rows = rows,
    .introduction =
        "usage: clsoftmax devices [--json]\n"
        "\n"
        "Lists the devices. Each begins with what -d takes; a star marks the one that \"auto\" takes. Below stands\n"
        "how rows are laid over a device, and when.\n"
        "\n",
    .examples = "examples:\n"
                "  clsoftmax devices\n"
                "  clsoftmax devices --json | jq -r '.devices[] | select(.usable) | .selector'\n",
};

static const char *type_name(clsoftmax_device_type type)
{
    switch (type) {
    case CLSOFTMAX_DEVICE_REFERENCE:
        return "reference";
    case CLSOFTMAX_DEVICE_CPU:
        return "native CPU";
    case CLSOFTMAX_DEVICE_OPENCL_CPU:
        return "OpenCL CPU";
    case CLSOFTMAX_DEVICE_ACCELERATOR:
        return "OpenCL accelerator";
    case CLSOFTMAX_DEVICE_GPU:
        return "OpenCL GPU";
    }
    return "?";
}

static void print_device(const clsoftmax_device *d)
{
    printf("%c %-10s %s: %s\n", d->automatic ? '*' : ' ', d->selector, type_name(d->type), d->name);
    printf("             %u %s%s", d->compute_units, d->platform[0] ? "compute unit" : "thread",
           d->compute_units == 1 ? "" : "s");
    if (d->global_memory > 0)
        printf(", %.1f GiB", (double)d->global_memory / (1 << 30));
    if (d->platform[0])
        printf(", %s, driver %s", d->platform, d->driver);
    else if (d->driver[0])
        printf(", %s", d->driver);
    printf("\n             %s%s\n", d->usable ? "" : "NOT USABLE: ", d->reason);
}

static void print_table(const clsoftmax_device *devices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        print_device(&devices[i]);
    printf("\n* is what \"auto\" takes: the first usable GPU, or else cpu. -d opencl takes an OpenCL device of any "
           "type.\n");
    print_strategies(stdout);
    const char *wanted = getenv("CLSOFTMAX_DEVICE");
    if (wanted && *wanted)
        printf("\nCLSOFTMAX_DEVICE is \"%s\": what is taken without -d.\n", wanted);
}

static void print_json_string(const char *key, const char *value)
{
    printf("\"%s\": ", key);
    json_string(stdout, value);
    printf(", ");
}

static void print_json_flag(const char *key, int value)
{
    printf("\"%s\": %s", key, value ? "true" : "false");
}

/* Prints the numbers by which plans for the device are made. */
static void print_json_tuning(const clsoftmax_device *d)
{
    clsoftmax_tuning number;
    printf(", \"tuning\": {");
    for (size_t i = 0; clsoftmax_device_tuning(d, i, &number); i++)
        printf("%s\"%s\": %llu", i > 0 ? ", " : "", number.name, (unsigned long long)number.value);
    printf("}");
}

/* Prints all that the library tells of a device, as one object. */
static void print_json_device(const clsoftmax_device *d)
{
    printf("  {");
    print_json_string("selector", d->selector);
    print_json_string("type", type_name(d->type));
    print_json_string("name", d->name);
    print_json_string("platform", d->platform);
    print_json_string("driver", d->driver);
    print_json_string("reason", d->reason);
    printf("\"global_memory\": %llu, \"compute_units\": %u, ", (unsigned long long)d->global_memory, d->compute_units);
    print_json_flag("usable", d->usable);
    printf(", ");
    print_json_flag("exact", d->exact);
    printf(", ");
    print_json_flag("automatic", d->automatic);
    print_json_tuning(d);
    printf("}");
}

static void print_json(const clsoftmax_device *devices, size_t count)
{
    printf("{\"version\": \"%s\", \"devices\": [\n", clsoftmax_version());
    for (size_t i = 0; i < count; i++) {
        print_json_device(&devices[i]);
        printf("%s\n", i + 1 < count ? "," : "");
    }
    printf("]}\n");
}

int command_devices(int argc, char **argv)
{
    devices_options options = {0};
    clsoftmax_device *devices = NULL;
    size_t count = 0;
    FORWARD(options_parse(&table, argc, argv, &options));
    FORWARD(options_refuse_operands(argc, argv));
    clsoftmax_status status = clsoftmax_devices_list(&devices, &count);
    if (status != CLSOFTMAX_OK)
        return complain_library("devices", status);
    if (options.is_json)
        print_json(devices, count);
    else
        print_table(devices, count);
    clsoftmax_devices_release(devices);
    return finish_output(stdout);
}
