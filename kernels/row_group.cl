/*
 * group: one work-group per row, neighbouring work-items on neighbouring classes.
 *
 * For GPUs: parallel tree reductions in local memory for the maximum and for the integer sum. Barriers stand only where
 * every work-item of the group passes, and loop bounds that they depend on are the same for all. Reads the row three
 * times. Launch: rows work-groups of WORK_GROUP_SIZE, a power of two.
 */
static core_maximum_t group_maximum(core_maximum_t mine, __local core_maximum_t *all)
{
    const uint item = (uint)get_local_id(0);
    all[item] = mine;
    for (uint half_size = WORK_GROUP_SIZE / 2; half_size > 0; half_size /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item < half_size)
            all[item] = core_maximum_merge(all[item], all[item + half_size]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    return all[0];
}

static core_total_t group_total(core_total_t mine, __local core_total_t *all)
{
    const uint item = (uint)get_local_id(0);
    all[item] = mine;
    for (uint half_size = WORK_GROUP_SIZE / 2; half_size > 0; half_size /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (item < half_size)
            all[item] = core_total_merge(all[item], all[item + half_size]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    return all[0];
}

__kernel __attribute__((reqd_work_group_size(WORK_GROUP_SIZE, 1, 1))) void row_group(ROW_ARGUMENTS)
{
    __local core_maximum_t maxima[WORK_GROUP_SIZE];
    __local core_total_t totals[WORK_GROUP_SIZE];
    const ulong row_index = get_group_id(0);
    __global const float *x = logits + row_index * classes;
    __global float *p = probabilities + row_index * classes;
    const uint item = (uint)get_local_id(0);

    row_lanes_maximum lanes = row_maximum_of_nothing();
    for (ulong i = item; i < classes; i += WORK_GROUP_SIZE)
        lanes = row_maximum_add(lanes, x[i]);
    const core_maximum_t maximum = group_maximum(row_maximum_of_lanes(lanes), maxima);

    /* A row that is not ordinary still goes through the sum: its barriers must be passed by all. What it sums is not
     * used. */
    const core_temperature_t temperature = ROW_TEMPERATURE;
    const core_row_t row = core_row(temperature, core_maximum_value(maximum));
    row_sum sum = row_sum_of_nothing();
    for (ulong i = item; i < classes; i += WORK_GROUP_SIZE)
        sum = row_sum_add(sum, core_exponential(x[i], row));
    const core_two_float reciprocal = core_total_reciprocal(group_total(row_sum_flush(sum).total, totals));

    const int ordinary = core_row_is_ordinary(maximum);
    for (ulong i = item; i < classes; i += WORK_GROUP_SIZE)
        p[i] = ordinary ? core_probability(core_exponential(x[i], row), reciprocal) : core_float_of_bits(CORE_NAN_BITS);
}
