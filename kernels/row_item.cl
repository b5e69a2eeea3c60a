/*
 * item: one row per work-item, CORE_WIDTH classes at a time.
 *
 * For CPU devices: no barrier, and the vectors are explicit. Reads the row three times, the last two from cache.
 * Launch: work-items = rows rounded up to a multiple of WORK_GROUP_SIZE.
 */
__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_item(ROW_ARGUMENTS)
{
    const ulong row_index = get_global_id(0);
    if (row_index >= rows)
        return;
    __global const float *x = logits + row_index * classes;
    __global float *p = probabilities + row_index * classes;
    const ulong whole = classes - classes % CORE_WIDTH;
    const uint tail = (uint)(classes - whole);

    row_lanes_maximum lanes = row_maximum_of_nothing();
    for (ulong i = 0; i < whole; i += CORE_WIDTH)
        lanes = row_maximum_add(lanes, row_load(x + i));
    if (tail)
        lanes = row_maximum_add(lanes, row_load_tail(x + whole, tail));
    const core_maximum_t maximum = row_maximum_of_lanes(lanes);

    if (!core_row_is_ordinary(maximum)) {
        for (ulong i = 0; i < classes; i++)
            p[i] = core_float_of_bits(CORE_NAN_BITS);
        return;
    }

    const core_temperature_t temperature = ROW_TEMPERATURE;
    const core_row_t row = core_row(temperature, core_maximum_value(maximum));
    row_sum sum = row_sum_of_nothing();
    for (ulong i = 0; i < whole; i += CORE_WIDTH)
        sum = row_sum_add(sum, core_exponential(row_load(x + i), row));
    if (tail)
        sum = row_sum_add(sum, core_exponential(row_load_tail(x + whole, tail), row));
    const core_two_float reciprocal = core_total_reciprocal(row_sum_flush(sum).total);

    for (ulong i = 0; i < whole; i += CORE_WIDTH)
        row_store(core_probability(core_exponential(row_load(x + i), row), reciprocal), p + i);
    if (tail)
        row_store_tail(core_probability(core_exponential(row_load_tail(x + whole, tail), row), reciprocal), p + whole,
                       tail);
}
