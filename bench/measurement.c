/* The measurement of one workload from its memory to its end. See measurement.h. */
#include "measurement.h"

#include "environment.h"
#include "support/messages.h"

/* Returns the size of the largest last cache among the host's and the devices', which calls are to leave; 0 with
   --warm. */
static size_t cache_to_leave(const testbed *testbed)
{
    environment environment;
    environment_read(&environment);
    size_t cache = environment.last_cache;
    for (size_t i = 0; i < testbed->device_count; i++)
        if (testbed->devices[i].cache > cache)
            cache = testbed->devices[i].cache;
    return testbed->is_warm ? 0 : cache;
}

static int prepare_devices(testbed *testbed, const workload *workload)
{
    for (size_t i = 0; i < testbed->device_count; i++) {
        bench_device *device = &testbed->devices[i];
        const char *failed = bench_device_prepare(device, workload);
        COMPLAIN_IF(failed, EXIT_FAILED, "device %s: %s: %s", device->info.selector, workload_label(workload), failed);
    }
    return EXIT_DONE;
}

int measurement_run(testbed *testbed, measurement *measurement)
{
    workload *workload = &measurement->workload;
    FORWARD(workload_prepare(workload, testbed->cpu, cache_to_leave(testbed)));
    FORWARD(truth_compute(&measurement->truth, workload));
    FORWARD(prepare_devices(testbed, workload));
    measurement->is_wrong = !rounds_run(measurement->contenders, workload, &measurement->truth, measurement->limits);
    return EXIT_DONE;
}

void measurement_finish(testbed *testbed, measurement *measurement)
{
    rounds_finish(measurement->contenders);
    for (size_t i = 0; i < testbed->device_count; i++)
        bench_device_finish(&testbed->devices[i]);
    truth_release(&measurement->truth);
    workload_finish(&measurement->workload);
}
