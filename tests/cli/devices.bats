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

@test "verify: every device keeps the promise" {
    "$CLSOFTMAX" devices --json >devices.json
    for device in cpu reference $(grep -o '"selector": "[0-9]*:[0-9]*"' devices.json | cut -d'"' -f4); do
        POCL_CACHE_DIR=$PWD run --separate-stderr "$CLSOFTMAX" verify -d "$device"
        [ -z "$stderr" ] || echo "$stderr" # warnings of the compiler would be shown to the user
        [ -z "$stderr" ]
        echo "$output"
        [ "$status" -eq 0 ]
        [[ $output == *"passed"*"the promise holds"* ]]
        [[ $output != *"FAILED"* ]]
    done
}

@test "arguments that are wrong" {
    run --separate-stderr "$CLSOFTMAX" devices everything
    expect_error 2 "everything: no such argument"
    run --separate-stderr "$CLSOFTMAX" verify everything
    expect_error 2 "everything: no such argument"
    run --separate-stderr "$CLSOFTMAX" verify -d 77:7
    expect_error 2 'device "77:7"'
}
