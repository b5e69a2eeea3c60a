/* What the library holds: what fault_held.h declares. */
#include "fault_held.h"

#include "libc_layer.h"

#include <stdio.h>

fault_held fault_held_now(void)
{
    fault_held held = {.memory = atomic_load(&libc_layer_board()->memory)};
    for (int i = 0; i < FAULT_OBJECT_COUNT; i++)
        held.objects[i] = fault_balance((fault_object)i);
    return held;
}

int fault_held_as_before(const fault_held *before, char *detail, size_t size)
{
    static const char *const names[] = {
#define OBJECT_NAME(name, text) text,
        FAULT_OBJECT_LIST(OBJECT_NAME)};
    const fault_held now = fault_held_now();
    int is_same = now.memory == before->memory;
    int length = snprintf(detail, size, "memory: %+ld", now.memory - before->memory);
    for (int i = 0; i < FAULT_OBJECT_COUNT; i++) {
        is_same = is_same && now.objects[i] == before->objects[i];
        length += snprintf(detail + length, size - (size_t)length, ", %s: %+ld", names[i],
                           now.objects[i] - before->objects[i]);
    }
    return is_same;
}
