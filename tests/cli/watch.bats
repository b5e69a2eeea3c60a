# kernel_watch, alone and under Oclgrind, on kernels with planted faults: each must be seen.
bats_require_minimum_version 1.5.0
load helpers

oclgrind() {
    type -P oclgrind >/dev/null || skip "oclgrind is not installed" # not this function
    # with --exact, plans are not released
    ASAN_OPTIONS=detect_leaks=0 CLSOFTMAX_KERNEL_DIR=$1 run "$SOURCE/tests/devices/oclgrind.sh" "$BUILD/kernel_watch" \
        --exact "$2"
}

@test "Oclgrind finds nothing in the kernels as they are" {
    oclgrind "$SOURCE/kernels" item
    echo "$output"
    [ "$status" -eq 0 ]
    [[ $output == "kernel_watch: "*" 0 found wanting" ]]
}

@test "Oclgrind sees a missing barrier, a barrier that some pass, a store and a load beyond the end" {
    local strategy file pattern replacement finding
    while IFS='|' read -r strategy file pattern replacement finding; do
        plant "$file" "$pattern" "$replacement"
        oclgrind faulty "$strategy"
        echo "$file, $pattern: ${output:0:2000}"
        [ "$status" -eq 1 ]
        [[ $output == *"$finding"* ]]
    done <<'FAULTS'
split|chunks.h|^            barrier(CLK_LOCAL_MEM_FENCE); |            ; |data race at local memory
split|chunks.h|if (item < next) {  |if (item < next) { barrier(CLK_LOCAL_MEM_FENCE); |divergence
item|elements.h|ROW_FLOATS(, lanes) = value;|& count += count < CORE_WIDTH;|Invalid write
item|elements.h|i < count ? row_load_one(address + i)|i <= count ? row_load_one(address + i)|Invalid read
FAULTS
}

@test "guard zones see a store beyond the end without Oclgrind" {
    needs_device
    plant elements.h 'ROW_FLOATS(, lanes) = value;' '& count += count < CORE_WIDTH;'
    CLSOFTMAX_KERNEL_DIR=faulty run "$BUILD/kernel_watch" item
    echo "$output"
    [ "$status" -eq 1 ]
    [[ $output == *": results from "*": a guard zone was written"* ]]
}
