# The commands `devices` and `verify`.
bats_require_minimum_version 1.5.0
load helpers

@test "devices: the native devices are always listed, and one device is automatic" {
    run --separate-stderr "$CLSOFTMAX" devices
    [ "$status" -eq 0 ]
    [[ $output == *"cpu "*"native CPU"* ]]
    [[ $output == *"reference "* ]]
    [ "$(grep -c '^\* [a-z0-9]' <<<"$output")" -eq 1 ] || [ "$(grep -c '^\* [^i]' <<<"$output")" -eq 1 ]
}

@test "devices --json is JSON with one automatic device" {
    run --separate-stderr "$CLSOFTMAX" devices --json
    [ "$(grep -o '"automatic": true' <<<"$output" | wc -l)" -eq 1 ]
    if command -v python3 >/dev/null; then
        python3 -c 'import json, sys; assert json.load(sys.stdin)["devices"][0]["tuning"]["lane_classes"] > 0' \
            <<<"$output"
    fi
}

@test "devices without a driver: cpu is automatic, with the reason" {
    run --separate-stderr env OCL_ICD_VENDORS=/nonexistent "$CLSOFTMAX" devices
    [ "$status" -eq 0 ]
    [[ $output == "* cpu"*"no OpenCL driver is installed"* ]]
}

# verifies OPTION...: a device keeps the promise, and its compiler does not warn, which would be shown to the user
verifies() {
    POCL_CACHE_DIR=$PWD run --separate-stderr "$CLSOFTMAX" verify "$@"
    echo "$output $stderr"
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [[ $output == *"passed"*"the promise holds"* ]]
    [[ $output != *"FAILED"* ]]
}

@test "verify: every device keeps the promise" {
    local device
    verifies -d cpu
    verifies -d reference
    "$CLSOFTMAX" devices --json >devices.json
    for device in $(grep -o '"selector": "[0-9]*:[0-9]*"' devices.json | cut -d'"' -f4); do
        if [ -n "${CLSOFTMAX_TEST_LONG-}" ]; then
            verifies -d "$device"
        else # most of the time goes into compiling kernels; test_cross has a sample of everything
            verifies -d "$device" --strategy plain
            verifies -d "$device" --strategy lane --operation softmax
        fi
    done
}

@test "arguments that are wrong" {
    run --separate-stderr "$CLSOFTMAX" devices everything
    expect_error 2 "everything: no such argument"
    run --separate-stderr "$CLSOFTMAX" verify everything
    expect_error 2 "everything: no such argument"
    run --separate-stderr "$CLSOFTMAX" verify -d 77:7
    expect_error 2 'device "77:7"'
    run --separate-stderr "$CLSOFTMAX" verify -d cpu --operation none
    expect_error 2 "--operation none: it takes one of softmax, log_softmax"
    run --separate-stderr "$CLSOFTMAX" verify -d cpu --strategy group # the header of the table is printed before
    [ "$status" -eq 2 ]
    [[ $stderr == 'clsoftmax: group: strategy "group" does not run on this device' ]]
}
