# The bits do not depend on the compiler, its level, the instruction set, or whether fma is an instruction or a
# library call.
bats_require_minimum_version 1.5.0
load helpers

FLAGS="-std=gnu11 -D_GNU_SOURCE -ffp-contract=off -fno-math-errno -fno-trapping-math -fopenmp-simd -DCPU_ISA=baseline"

# Small enough for -O0 and for aarch64 in an emulator.
STEP=509

# What surrounds the rows is compiled once, so that only the code under test differs between builds.
setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    around gcc .
    build gcc -O0
    compare
}

include() { printf -- "-I$SOURCE/%s " host/include host/lib host/lib/cpu kernels tests; }

# around COMPILER FOLDER: compiles what surrounds the rows into the folder
around() {
    local file
    for file in tests/support/digest_problems.c host/lib/array.c host/lib/problem.c host/lib/status.c; do
        # shellcheck disable=SC2046
        "$1" -std=gnu11 -D_GNU_SOURCE -O1 -ffp-contract=off $(include) -c "$SOURCE/$file" \
            -o "$2/$(basename "$file" .c).o"
    done
}

# compare [EMULATOR]: ./digest against the table
compare() { "$@" ./digest "$SOURCE/tests/numbers/digests.txt" $STEP; }

# build COMPILER FLAGS...: makes ./digest, with the objects of `around` in the folder AROUND and the CPU path in CPU; of
# that only the files CHANGED, where the others have been built
build() {
    local compiler=$1 file lean
    shift
    # shellcheck disable=SC2046,SC2086
    for file in ${CHANGED-item lane parts sweep}; do
        for lean in 0 1; do
            "$compiler" $FLAGS "$@" $(include) -DCORE_LEAN=$lean -c "${CPU-$SOURCE/host/lib/cpu}/cpu_$file.c" \
                -o "cpu_$file.$lean.o"
        done
    done
    # shellcheck disable=SC2046,SC2086
    "$compiler" $FLAGS "$@" $(include) "$SOURCE/tests/numbers/digest.c" cpu_{item,lane,parts,sweep}.{0,1}.o \
        "${AROUND-$BATS_FILE_TMPDIR}"/{array,digest_problems,problem,status}.o -o digest -lm
}

# build_in_part COMPILER LEVEL FLAGS...: makes ./digest with two files of the CPU path at a level, and the others at -O0.
# Compiling takes most of the time here, and they share their loops. A long run has all of them at the level.
build_in_part() {
    [ -n "${CLSOFTMAX_TEST_LONG-}" ] || build "$1" -O0 "${@:3}"
    CHANGED=${CLSOFTMAX_TEST_LONG:+item lane parts sweep}
    CHANGED=${CHANGED:-item lane} build "$@"
}

has() { [ "$(uname -m)" = x86_64 ] && grep -qw "$1" /proc/cpuinfo; }

@test "the recorded bits from every build" {
    local compilers=(gcc) compiler level sets flags
    command -v clang >/dev/null && compilers+=(clang)
    sets=("")
    has fma && has avx2 && sets+=("-mavx2 -mfma -mf16c")
    has avx512vl && has avx512dq &&
        sets+=("-mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -mf16c -mprefer-vector-width=512")
    for compiler in "${compilers[@]}"; do
        for level in -O0 -O3; do
            for flags in "${sets[@]}"; do
                # What -O0 makes of vectors is slow to run, and gcc's -O3 is what test_digest runs. Compiling takes most
                # of the time, so a short run has the plain vectors and the widest.
                [ -n "${CLSOFTMAX_TEST_LONG-}" ] || { [ $level = -O0 ] && [ -z "$flags" ]; } ||
                    { [ $level = -O3 ] && [ $compiler = clang ] && [[ $flags != "-mavx2"* ]]; } || continue
                [ "$compiler$level$flags" != gcc-O0 ] || continue # setup_file has compared it
                echo "$compiler $level $flags:"
                # shellcheck disable=SC2086
                build_in_part "$compiler" $level $flags
                compare
            done
        done
    done
}

@test "the same with fma in software" {
    [ "$(uname -m)" = x86_64 ] || skip "fma is always an instruction here"
    cd "$BATS_FILE_TMPDIR"
    GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2 compare
}

@test "aarch64 gives the bits of x86-64" {
    [ "$(uname -m)" = x86_64 ] || skip "this is not x86-64"
    command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64-static >/dev/null || skip "no cross compiler"
    around aarch64-linux-gnu-gcc .
    for level in -O1 ${CLSOFTMAX_TEST_LONG:+-O0 -O3}; do # compiling takes most of the time
        AROUND=. build_in_part aarch64-linux-gnu-gcc $level -static
        compare qemu-aarch64-static
    done
}

needs_musl() {
    command -v musl-gcc >/dev/null || skip "no musl-gcc"
    ! is_sanitized || skip "AddressSanitizer"
}

@test "musl's C library gives the bits of glibc's" {
    needs_musl
    around musl-gcc .
    AROUND=. build musl-gcc -O0 # fma is a call of the C library
    compare
}

# Of the packages there are only headers for musl. Its threads have stacks of 128 KB.
@test "library and command build with musl, and pass tests of files and text" {
    needs_musl
    mkdir include
    ln -s "$(sed -n "s/^OPENCL_HEADERS:PATH=//p" "$BUILD/CMakeCache.txt")/CL" include
    { cmake -S "$SOURCE" -B out -DCMAKE_C_COMPILER=musl-gcc -DCMAKE_BUILD_TYPE=Debug -DCLSOFTMAX_TESTS=OFF \
        -DCLSOFTMAX_BENCH=OFF -DCLSOFTMAX_MPI=OFF -DCMAKE_DISABLE_FIND_PACKAGE_PkgConfig=ON \
        -DOPENCL_HEADERS="$PWD/include" &&
        cmake --build out --parallel "$(nproc)"; } >build.log 2>&1 || { cat build.log; false; }
    readelf -l out/clsoftmax | grep -q ld-musl
    CLSOFTMAX=$PWD/out/clsoftmax run bats "$SOURCE"/tests/cli/{npy,text}.bats
    echo "$output"
    [ "$status" -eq 0 ]
    run env CLSOFTMAX_THREADS=4 out/clsoftmax run -d cpu "$SOURCE/tests/data/digits_val_logits.npy" -T 3.05 --verify \
        -o digits.npy
    [ "$status" -eq 0 ]
    "$CLSOFTMAX" run -d cpu "$SOURCE/tests/data/digits_val_logits.npy" -T 3.05 | cmp - \
        <(out/clsoftmax run -d cpu "$SOURCE/tests/data/digits_val_logits.npy" -T 3.05)
}

@test "the digest sees a part of a row that is left out between two phases" {
    local pattern
    cp -r "$SOURCE/host/lib" faulty
    build gcc -O0
    while read -r pattern; do
        sed "s/$pattern; i < w->cut->parts/$pattern; i < 1/" "$SOURCE/host/lib/cpu/cpu_parts.c" >faulty/cpu/cpu_parts.c
        run cmp -s "$SOURCE/host/lib/cpu/cpu_parts.c" faulty/cpu/cpu_parts.c
        [ "$status" -eq 1 ] || { echo "nothing was planted: $pattern"; false; }
        CHANGED=parts CPU=faulty/cpu build gcc -O0
        STEP=41 run compare # more lines, since few have rows of several blocks
        echo "$pattern: $output"
        [ "$status" -eq 1 ]
        [[ $output == *" many, in parts: "*" different" ]]
        [[ $output != *" one by one: "* ]]
    done <<'FAULTS'
size_t i = 1
size_t i = 0
FAULTS
}

@test "the digest sees a wrong bit" {
    cp -r "$SOURCE/kernels" faulty
    sed -i 's/0x1.1113[0-9a-f]*p-7f/0x1.1110p-7f/' faulty/core/faithful.h
    build gcc -O0 -Ifaulty
    run compare
    [ "$status" -eq 1 ]
    [[ $output == *" different" ]]
    [[ $output != *" 0 different" ]]
}

@test "a compiler that may reorder arithmetic: gcc is refused by the compiler, clang by a known answer" {
    local flags unsafe=("-fassociative-math -fno-signed-zeros -fno-trapping-math" -funsafe-math-optimizations -ffast-math
        -freciprocal-math)
    is_sanitized && skip "AddressSanitizer is not linked here"
    ! nm "$CLSOFTMAX" | grep -q __gcov_dump || skip "gcov's counters are not linked here"
    for flags in "${unsafe[@]}"; do
        # shellcheck disable=SC2046,SC2086
        run gcc $FLAGS $flags $(include) -c "$SOURCE/host/lib/cpu/cpu_item.c" -o item.o
        [ "$status" -ne 0 ]
        [[ $output == *"the numeric core needs f32 arithmetic as written"* ]]
    done
    command -v clang >/dev/null || skip "no clang"
    cat >open.c <<'C'
#include <clsoftmax/clsoftmax.h>
#include <stdio.h>
int main(void)
{
    clsoftmax_context *context;
    clsoftmax_status status = clsoftmax_context_create("cpu", &context);
    printf("%d %s\n", status, status == CLSOFTMAX_OK ? "opened" : clsoftmax_last_error());
    clsoftmax_context_release(context);
}
C
    for flags in "" "${unsafe[@]::2}"; do # an object in place of the library's own
        for file in item lane; do
            # shellcheck disable=SC2046,SC2086
            clang $FLAGS -w -O1 $flags $(include) -c "$SOURCE/host/lib/cpu/cpu_$file.c" -o $file.o
            gcc -I"$SOURCE/host/include" open.c $file.o "$BUILD/host/libclsoftmax.a" -o open -lm
            CLSOFTMAX_CPU_ISA=baseline run ./open
            echo "$file $flags: $output"
            [ -n "$flags" ] || [ "$output" = "0 opened" ]
            [ -z "$flags" ] || [[ $output == "31 "*"wrong bits for a known answer"* ]]
        done
    done
}
