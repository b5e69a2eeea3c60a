/* clsoftmax devices: what there is to compute on. */
#include "support/cli.h"
#include "support/json.h"

#include <getopt.h>
#include <stdlib.h>

static const char help[] = "usage: clsoftmax devices [--json]\n"
                           "\n"
                           "Lists the devices; the one that \"auto\" takes has a star. Each line begins with what -d "
                           "takes. Below, how rows are laid over a\n"
                           "device, and when.\n"
                           "\n"
                           "options:\n"
                           "      --json   the same for programs\n";

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

static void print_table(const clsoftmax_device *devices, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const clsoftmax_device *d = &devices[i];
        printf("%c %-10s %s: %s\n", d->automatic ? '*' : ' ', d->selector, type_name(d->type), d->name);
        printf("             %u %s", d->compute_units, d->platform[0] ? "compute units" : "threads");
        if (d->global_memory > 0)
            printf(", %.1f GiB", (double)d->global_memory / (1 << 30));
        if (d->platform[0])
            printf(", %s, driver %s", d->platform, d->driver);
        else if (d->driver[0])
            printf(", %s", d->driver);
        printf("\n             %s%s\n", d->usable ? "" : "NOT USABLE: ", d->reason);
    }
    printf("\n* is what \"auto\" takes: the first usable GPU, then accelerator, then OpenCL CPU device, then cpu.\n");
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

static void print_json(const clsoftmax_device *devices, size_t count)
{
    printf("{\"version\": \"%s\", \"devices\": [\n", clsoftmax_version());
    for (size_t i = 0; i < count; i++) {
        const clsoftmax_device *d = &devices[i];
        printf("  {");
        print_json_string("selector", d->selector);
        print_json_string("type", type_name(d->type));
        print_json_string("name", d->name);
        print_json_string("platform", d->platform);
        print_json_string("driver", d->driver);
        print_json_string("reason", d->reason);
        printf("\"global_memory\": %llu, \"compute_units\": %u, ", (unsigned long long)d->global_memory,
               d->compute_units);
        printf("\"usable\": %s, \"exact\": %s, \"automatic\": %s}%s\n", d->usable ? "true" : "false",
               d->exact ? "true" : "false", d->automatic ? "true" : "false", i + 1 < count ? "," : "");
    }
    printf("]}\n");
}

int command_devices(int argc, char **argv)
{
    enum { JSON = 256 };
    static const struct option long_options[] = {
        {"json", no_argument, NULL, JSON}, {"help", no_argument, NULL, 'h'}, {NULL, 0, NULL, 0}};
    int json = 0;
    for (int option; (option = next_option(argc, argv, ":h", long_options)) != -1;) {
        if (option == JSON) {
            json = 1;
        } else if (option == 'h') {
            return print_help(help);
        } else {
            return EXIT_WRONG;
        }
    }
    if (optind < argc)
        return complain(EXIT_WRONG, "%s: devices takes no such argument; see clsoftmax devices --help", argv[optind]);
    clsoftmax_device *devices = NULL;
    size_t count = 0;
    clsoftmax_status status = clsoftmax_devices_list(&devices, &count);
    if (status != CLSOFTMAX_OK)
        return complain_library("devices", status);
    if (json)
        print_json(devices, count);
    else
        print_table(devices, count);
    clsoftmax_devices_release(devices);
    return finish_output(stdout);
}
