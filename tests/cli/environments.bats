# Machines that lack something, and drivers with unusual settings: the results are the same, or cpu computes them and a
# notice says why.
bats_require_minimum_version 1.5.0
load helpers

LOGITS=$SOURCE/tests/data/digits_val_logits.npy
ANSWER="0.0900305733 0.244728476 0.665240943"

# expect_cpu REASON VARIABLE=VALUE...: auto computes on cpu, with a notice that gives this reason
expect_cpu() {
    local reason=$1
    shift
    run --separate-stderr env "$@" "$CLSOFTMAX" run -T 10 - <<<"10 20 30"
    echo "$* $output $stderr"
    [ "$status" -eq 0 ]
    [ "$output" = "$ANSWER" ]
    [[ $stderr == "clsoftmax: note: computing on device \"cpu\": $reason"* ]]
}

opencl_device() {
    needs_device
}

@test "the OpenCL loader is not a library" {
    mkdir lib
    echo "not a library" | tee lib/libOpenCL.so.1 >lib/libOpenCL.so
    expect_cpu "the OpenCL loader libOpenCL.so.1 is not installed" LD_LIBRARY_PATH="$PWD/lib"
}

@test "the OpenCL loader lacks a function" {
    mkdir lib
    ln -s "$(ldd "$CLSOFTMAX" | awk '$1 ~ /^libm\.so/ { print $3 }')" lib/libOpenCL.so.1
    [ -e lib/libOpenCL.so.1 ] || skip "the command is linked without libm"
    expect_cpu "the OpenCL loader lacks cl" LD_LIBRARY_PATH="$PWD/lib"
}

@test "there is no vendor file; one names a missing library; one names a file that is not a library" {
    mkdir none missing broken
    echo "$PWD/nowhere.so" >missing/a.icd
    echo "not a library" >broken/lib.so
    echo "$PWD/broken/lib.so" >broken/a.icd
    for folder in none missing broken; do
        expect_cpu "no OpenCL driver is installed" OCL_ICD_VENDORS="$PWD/$folder"
    done
}

@test "an OpenCL platform has no devices" {
    opencl_device
    expect_cpu "no OpenCL platform has a device" POCL_DEVICES=
}

@test "PoCL gives the same bits without a cache, with small work-groups, with one thread and without threads" {
    opencl_device
    clsoftmax run "$LOGITS" -T 0.7 -o whole.npy
    for setting in POCL_MAX_WORK_GROUP_SIZE=8 POCL_MAX_PTHREAD_COUNT=1 POCL_DEVICES=basic POCL_KERNEL_CACHE=0 \
        POCL_MEMORY_LIMIT=1; do
        POCL_CACHE_DIR=$PWD run --separate-stderr env "$setting" "$CLSOFTMAX" run -d 0:0 "$LOGITS" -T 0.7 -o p.npy
        echo "$setting $stderr"
        [ "$status" -eq 0 ]
        cmp whole.npy p.npy
    done
    # PoCL 3.1 then has no device; another version may work without a cache
    for setting in POCL_CACHE_DIR=/proc/nowhere "-u POCL_CACHE_DIR -u XDG_CACHE_HOME HOME=/proc/nowhere"; do
        run --separate-stderr env $setting "$CLSOFTMAX" run "$LOGITS" -T 0.7 -o p.npy
        echo "$setting $stderr"
        [ "$status" -eq 0 ]
        [ -z "$stderr" ] ||
            [ "$stderr" = 'clsoftmax: note: computing on device "cpu": no OpenCL platform has a device' ]
        cmp whole.npy p.npy
    done
}

@test "PoCL without its linker in PATH: a note says beforehand what is missing" {
    local device
    needs_device
    device=$("$CLSOFTMAX" devices)
    grep -q "Portable Computing Language" <<<"$device" || skip "no PoCL"
    mkdir empty
    for path in "PATH=$PWD/empty" "PATH=" "PATH=$PWD/empty:/proc/nowhere"; do
        POCL_CACHE_DIR=$PWD/cache run --separate-stderr env "$path" "$CLSOFTMAX" run -d 0:0 - <<<"1 2"
        echo "$path: $status $stderr"
        [[ ${stderr_lines[0]} == "clsoftmax: note: 0:0: PoCL builds kernels with the linker ld (package binutils), "* ]]
    done
    run --separate-stderr "$CLSOFTMAX" run -d 0:0 - <<<"1 2"
    [ -z "$stderr" ]
    run --separate-stderr env PATH="$PWD/empty" "$CLSOFTMAX" run - <<<"1 2"
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
}

@test "stacks of 128 KB, as musl gives to threads, are large enough for every strategy of cpu" {
    local shape options
    ! is_sanitized || skip "AddressSanitizer"
    for shape in "77 10" "3 255" "70 255" "3 5000"; do
        seq ${shape% *} | while read -r i; do seq -s" " "$i" $((i + ${shape#* } - 1)); done >x.txt
        for options in "" --stats "--axis 0" "--axis 0 --stats" "--out-dtype f16" "--log" "--strategy item --stats"; do
            echo "$shape $options"
            # the environment is on the stack, too
            bash -c "ulimit -s 136; exec env -i CLSOFTMAX_THREADS=2 '$CLSOFTMAX' run -d cpu -T 3 $options x.txt" >small
            clsoftmax run -d cpu -T 3 $options x.txt | cmp small
        done
    done
}

@test "cpu gives the same bits with one thread, with more threads than processors, with the baseline instructions" {
    clsoftmax sweep "$LOGITS" -T log:0.1:10:200 -o whole.npy # 1.4 million elements
    for setting in CLSOFTMAX_THREADS=1 CLSOFTMAX_THREADS=17 CLSOFTMAX_CPU_ISA=baseline; do
        env "$setting" "$CLSOFTMAX" sweep -d cpu "$LOGITS" -T log:0.1:10:200 -o p.npy
        cmp whole.npy p.npy
    done
}

@test "an empty environment, a closed standard input or output" {
    run --separate-stderr env -i "$CLSOFTMAX" run -d cpu -T 10 - <<<"10 20 30"
    [ "$output" = "$ANSWER" ]
    run --separate-stderr bash -c '"$CLSOFTMAX" run -d cpu - <&-'
    [ "$status" -ne 0 ]
    [ -z "$output" ]
    run --separate-stderr bash -c '"$CLSOFTMAX" run -d cpu "$1" >&-' - "$LOGITS"
    [ "$status" -eq 1 ]
}

@test "a minimal container has the command, the C library and the pool of threads, and nothing else" {
    local enter=(unshare --user --map-root-user chroot) library
    [ "$(id -u)" -ne 0 ] || enter=(chroot)
    ! is_sanitized || skip "AddressSanitizer"
    mkdir -p root/tmp
    cp "$CLSOFTMAX" root/clsoftmax
    ldd "$CLSOFTMAX" | grep -o '/[^ ]*' | while read -r library; do
        mkdir -p "root$(dirname "$library")"
        cp -L "$library" "root$library"
    done
    ! find root -name 'libOpenCL*' | grep -q .
    "${enter[@]}" root /clsoftmax --version || skip "no root folder of one's own here"
    run --separate-stderr "${enter[@]}" root /clsoftmax run -T 10 - <<<"10 20 30"
    echo "$output $stderr"
    [ "$status" -eq 0 ]
    [ "$output" = "$ANSWER" ]
    [ "$stderr" = 'clsoftmax: note: computing on device "cpu": the OpenCL loader libOpenCL.so.1 is not installed' ]
    run --separate-stderr "${enter[@]}" root /clsoftmax run -d 0:0 - <<<"10 20 30"
    expect_error 2 'device "0:0"' "libOpenCL.so.1 is not installed"
    echo "10 20 30" | "${enter[@]}" root /clsoftmax run -T 10 - -o /tmp/p.npy
    # the container's limit of processors, as cgroup v2 and v1 tell it
    local here limits=", as many threads as the container's limit of processors allows"
    here=$(nproc)
    mkdir -p root/sys/fs/cgroup/cpu
    echo "50000 100000" >root/sys/fs/cgroup/cpu.max
    [[ $("${enter[@]}" root /clsoftmax devices) == *"1 thread, "*"$limits"* ]] || [ "$here" -eq 1 ]
    echo "max 100000" >root/sys/fs/cgroup/cpu.max
    [[ $("${enter[@]}" root /clsoftmax devices) == *"$here thread"* ]]
    [[ $("${enter[@]}" root /clsoftmax devices) != *"$limits"* ]]
    rm root/sys/fs/cgroup/cpu.max
    echo 100000 >root/sys/fs/cgroup/cpu/cpu.cfs_quota_us
    echo 100000 >root/sys/fs/cgroup/cpu/cpu.cfs_period_us
    [[ $("${enter[@]}" root /clsoftmax devices) == *"1 thread, "*"$limits"* ]] || [ "$here" -eq 1 ]
    echo -1 >root/sys/fs/cgroup/cpu/cpu.cfs_quota_us
    [[ $("${enter[@]}" root /clsoftmax devices) != *"$limits"* ]]
    clsoftmax run -T 10 - -o here.npy <<<"10 20 30"
    cmp root/tmp/p.npy here.npy
    "${enter[@]}" root /clsoftmax devices | grep -q "^\* cpu "
}
