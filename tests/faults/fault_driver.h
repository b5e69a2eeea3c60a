/* What stands behind the calls that do not fail: the real driver, its objects counted, as a device that is nasty. */
#ifndef CLSOFTMAX_FAULT_DRIVER_H
#define CLSOFTMAX_FAULT_DRIVER_H

#include "fault_layer.h"

#include <CL/cl_icd.h>

/* Replaces in `changed`, a copy of the driver's table, what is to be counted or to be nasty. */
void fault_driver_change(const struct _cl_icd_dispatch *target, struct _cl_icd_dispatch *changed);

void fault_driver_become(fault_device device);

/* The next command gets into its queue, does nothing, and its event ends with this error. */
void fault_driver_lose_next(cl_int error);

#endif
