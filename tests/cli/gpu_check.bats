# gpu_check.sh on kernels with planted faults, which it must see, and on kernels that it must let pass.
bats_require_minimum_version 1.5.0
load helpers

# kernel NAME WORK_GROUP_SIZE KEPT: writes a kernel whose work-items keep so many floats across a barrier
kernel() {
    cat >"$1.cl" <<TEXT
__kernel __attribute__((reqd_work_group_size($2, 1, 1))) void $1(__global float *x)
{
    float kept[$3];
    const uint item = (uint)get_local_id(0);
    #pragma unroll
    for (uint i = 0; i < $3; i++)
        kept[i] = x[i * $2 + item];
    barrier(CLK_GLOBAL_MEM_FENCE);
    #pragma unroll
    for (uint i = 0; i < $3; i++)
        x[i * $2 + $2 - 1 - item] = fma(kept[i], 2.0f, 1.0f);
}
TEXT
}

check() {
    command -v clang-19 >/dev/null && [ -e /usr/lib/clc/nvptx64--nvidiacl.bc ] ||
        skip "./dev gpu-check installs its compilers"
    run --separate-stderr "$SOURCE/tests/devices/gpu_check.sh" .
    echo "$output $stderr"
}

@test "kernels that fit pass, and each has a line" {
    kernel fits 256 80
    kernel fits_too 1024 20
    check
    [ "$status" -eq 0 ]
    [[ $output == *"| fits"$'\n'* && $output == *"| fits_too"$'\n'* && $output == *"2 kernels compile"* ]]
}

@test "a kernel that does not compile fails, and is named" {
    kernel fits 256 8
    kernel broken 256 not_a_number
    kernel unresolved 256 8
    sed -i 's/fma(/no_such_function(/' unresolved.cl
    check
    [ "$status" -eq 1 ]
    [[ $output == *"broken: does not compile"* && $output == *"unresolved: does not compile"* ]]
    [[ $output != *"fits: does not compile"* ]]
}

# The work-items of a group of 256 have room for 80 registers; those of a group of 1,024 have at most 64.
@test "a spill fails, and is named" {
    [ -n "$(PATH=$PATH:/usr/local/cuda/bin command -v ptxas)" ] || skip "no ptxas"
    kernel fits 256 80
    kernel spills 1024 80
    check
    [ "$status" -eq 1 ]
    [[ $output == *"gpu-check: spills: ptxas spills"* && $output != *"gpu-check: fits: "* ]]
}

# The labels are those of the kernels with bars. A work-item of the first keeps 16 classes, so that it may have 1,376
# instructions; the faulty kernel has more.
@test "too many instructions a class fail, and so does a kernel with a bar that is gone" {
    [ -n "$(PATH=$PATH:/usr/local/cuda/bin command -v ptxas)" ] || skip "no ptxas"
    local faithful="softmax:group:f32->f32:width 1:work-group 256:4 x 4 kept with exponentials:levels 2.cl"
    local lean="softmax:group:f32->f32:lean:width 1:work-group 128:8 x 4 kept with exponentials:levels 2.cl"
    kernel fits 256 8
    cp fits.cl "$faithful"
    cp fits.cl "$lean"
    check
    [ "$status" -eq 0 ]
    [[ $output == *"instructions a class, of at most 50: softmax:group:f32->f32:lean:"* ]]
    kernel lengthy 256 220
    sed -i 's/fma(kept\[i\], 2.0f, 1.0f)/kept[i] * kept[i] * (kept[i] + 3.0f)/' lengthy.cl
    mv lengthy.cl "$faithful"
    check
    [ "$status" -eq 1 ]
    [[ $output == *"4 x 4 kept with exponentials:levels 2: too many instructions"* ]]
    rm "${lean%.cl}".*
    cp fits.cl "$faithful"
    check
    [ "$status" -eq 1 ]
    [[ $output == *"8 x 4 kept with exponentials:levels 2: is not there"* ]]
}

@test "a folder without kernels fails" {
    check
    [ "$status" -ne 0 ]
}

@test "a ptxas that does not report spills fails" {
    kernel fits 256 8
    mkdir bin
    printf '#!/bin/sh\necho "ptxas info    : Used 8 registers"\n' >bin/ptxas
    chmod +x bin/ptxas
    PATH=$PWD/bin:$PATH check
    [ "$status" -eq 1 ]
    [[ $output == *"ptxas does not say what it takes: fits"* ]]
}
