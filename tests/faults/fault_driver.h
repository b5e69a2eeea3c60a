/* The driver behind the fault layer, to which the calls go that do not fail: the real driver, whose objects are
   counted, with a device that can be made nasty (FAULT_DEVICE_LIST). */
#ifndef CLSOFTMAX_FAULT_DRIVER_H
#define CLSOFTMAX_FAULT_DRIVER_H

#include "fault_layer.h"

#include <CL/cl_icd.h>

/* Replaces functions in `changed`, a copy of the driver's table, by those that count or are nasty. */
void fault_driver_change(const struct _cl_icd_dispatch *target, struct _cl_icd_dispatch *changed);

/* Makes the device nasty in this way, from here on. */
void fault_driver_become(fault_device device);

/* Loses the next command: it gets into its queue and does nothing, and its event ends with this error. */
void fault_driver_lose_next(cl_int error);

#endif
