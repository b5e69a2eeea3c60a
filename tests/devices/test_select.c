/* Which device a selector opens, and which selectors and names are refused. */
#include "support/device.h"

#include <criterion/criterion.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Opens "auto", "" and NULL, which ask CLSOFTMAX_DEVICE; where it says nothing either, the device is chosen
   automatically. */
Test(select, selectors)
{
    const char *const automatic[] = {"auto", "", NULL};
    for (int i = 0; i < 9; i++) {
        clsoftmax_context *context = NULL;
        setenv("CLSOFTMAX_DEVICE", "reference", 1);
        cr_assert_eq(clsoftmax_context_create(automatic[i % 3], &context), CLSOFTMAX_OK);
        cr_expect_eq(clsoftmax_context_device(context)->type, CLSOFTMAX_DEVICE_REFERENCE);
        clsoftmax_context_release(context);
        if (automatic[i / 3])
            setenv("CLSOFTMAX_DEVICE", automatic[i / 3], 1);
        else
            unsetenv("CLSOFTMAX_DEVICE");
        cr_assert_eq(clsoftmax_context_create(automatic[i % 3], &context), CLSOFTMAX_OK);
        cr_expect(clsoftmax_context_device(context)->automatic);
        clsoftmax_context_release(context);
    }
}

/* Names devices that do not exist: the error must quote the name. */
Test(select, unknown_devices)
{
    clsoftmax_context *context = (clsoftmax_context *)1;
    const char *const unknown[] = {"99:0", "0:99", "no such maker"};
    for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
        cr_expect_eq(clsoftmax_context_create(unknown[i], &context), CLSOFTMAX_DEVICE_NOT_FOUND, "%s", unknown[i]);
        cr_expect_null(context);
        cr_expect(strstr(clsoftmax_last_error(), unknown[i]) != NULL, "the error does not name it: %s",
                  clsoftmax_last_error());
    }
    clsoftmax_context_release(NULL);
    clsoftmax_plan_release(NULL);
}

/* Opens the first usable OpenCL device of any type; auto takes no OpenCL device but a GPU. */
Test(select, any_opencl)
{
    clsoftmax_context_release(test_open_opencl());
    clsoftmax_context *context = NULL;
    cr_assert_eq(clsoftmax_context_create("OpenCL", &context), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    cr_expect_geq(clsoftmax_context_device(context)->type, CLSOFTMAX_DEVICE_OPENCL_CPU);
    const int is_gpu = clsoftmax_context_device(context)->type == CLSOFTMAX_DEVICE_GPU;
    clsoftmax_context_release(context);
    unsetenv("CLSOFTMAX_DEVICE");
    cr_assert_eq(clsoftmax_context_create("auto", &context), CLSOFTMAX_OK, "%s", clsoftmax_last_error());
    cr_expect_eq(clsoftmax_context_device(context)->type, is_gpu ? CLSOFTMAX_DEVICE_GPU : CLSOFTMAX_DEVICE_CPU);
    cr_expect(is_gpu || !clsoftmax_context_notice(context), "%s", clsoftmax_context_notice(context));
    clsoftmax_context_release(context);
}

/* Opens a device by a part of its name in capital letters. "gpu" and its like are types, not names. */
Test(select, by_name)
{
    clsoftmax_device *devices = NULL;
    clsoftmax_context *context = NULL;
    size_t count = 0;
    clsoftmax_context_release(test_open_opencl());
    cr_assert_eq(clsoftmax_devices_list(&devices, &count), CLSOFTMAX_OK);
    char part[8] = "";
    for (size_t i = 0; i < 6; i++)
        part[i] = (char)toupper((unsigned char)devices[0].name[i + 1]);
    cr_assert_eq(clsoftmax_context_create(part, &context), CLSOFTMAX_OK, "%s: %s", part, clsoftmax_last_error());
    cr_expect_str_eq(clsoftmax_context_device(context)->name, devices[0].name);
    clsoftmax_context_release(context);
    const char *const types[] = {"opencl-cpu", "accelerator", "gpu"}; /* in the order of the enum */
    for (int k = 0; k < 3; k++) {
        size_t found = 0;
        for (size_t i = 0; i < count; i++)
            found += devices[i].type == CLSOFTMAX_DEVICE_OPENCL_CPU + (clsoftmax_device_type)k;
        cr_expect_eq(clsoftmax_context_create(types[k], &context), found ? CLSOFTMAX_OK : CLSOFTMAX_DEVICE_NOT_FOUND,
                     "%s", types[k]);
        cr_expect(found || strstr(clsoftmax_last_error(), devices[0].selector), "the error does not say what is there");
        clsoftmax_context_release(context);
    }
    clsoftmax_devices_release(devices);
}
