# The bits do not depend on the compiler, its level, the instruction set, or whether fma is an instruction or a library call.
bats_require_minimum_version 1.5.0
load helpers

FLAGS="-std=gnu11 -D_GNU_SOURCE -ffp-contract=off -fno-math-errno -fno-trapping-math -fopenmp-simd -DCPU_ISA=baseline"

# data.o: the data, compiled once, so that only the code under test differs; EXPECTED: the digest of a plain build
setup_file() {
    cd "$BATS_FILE_TMPDIR" || return 1
    gcc -std=gnu11 -O1 -ffp-contract=off -I"$SOURCE/tests" -c "$SOURCE/tests/support/fill.c" -o data.o
    export EXPECTED
    EXPECTED=$(digest gcc -O0)
    [ -n "$EXPECTED" ]
}

# digest COMPILER FLAGS...: compiles and runs
digest() {
    local compiler=$1
    shift
    # shellcheck disable=SC2086
    "$compiler" $FLAGS "$@" -I"$SOURCE/host/include" -I"$SOURCE/host/lib/cpu" -I"$SOURCE/kernels" -I"$SOURCE/tests" "$SOURCE/tests/numbers/digest.c" \
        "$SOURCE"/host/lib/cpu/cpu_{item,lane,sweep}.c "$BATS_FILE_TMPDIR/data.o" -o digest -lm && ./digest
}

has() { [ "$(uname -m)" = x86_64 ] && grep -qw "$1" /proc/cpuinfo; }

@test "one digest from every build" {
    local compilers=(gcc) compiler level sets flags found
    command -v clang >/dev/null && compilers+=(clang)
    sets=("")
    has fma && has avx2 && sets+=("-mavx2 -mfma -mf16c")
    has avx512vl && has avx512dq && sets+=("-mavx512f -mavx512dq -mavx512bw -mavx512vl -mfma -mf16c -mprefer-vector-width=512")
    for compiler in "${compilers[@]}"; do
        for level in -O0 -O3; do
            for flags in "${sets[@]}"; do
                # shellcheck disable=SC2086
                found=$(digest "$compiler" $level $flags 2>/dev/null)
                echo "$compiler $level $flags: $found"
                [ "$found" = "$EXPECTED" ]
            done
        done
    done
}

@test "the same with fma in software" {
    [ "$(uname -m)" = x86_64 ] || skip "fma is always an instruction here"
    [ "$(GLIBC_TUNABLES=glibc.cpu.hwcaps=-FMA,-FMA4,-AVX2 "$BATS_FILE_TMPDIR/digest")" = "$EXPECTED" ]
}

@test "aarch64 gives the bits of x86-64" {
    [ "$(uname -m)" = x86_64 ] || skip "this is not x86-64"
    command -v aarch64-linux-gnu-gcc >/dev/null && command -v qemu-aarch64-static >/dev/null || skip "no cross compiler"
    for level in -O0 -O3; do
        # shellcheck disable=SC2086
        aarch64-linux-gnu-gcc $FLAGS $level -static -I"$SOURCE/host/include" -I"$SOURCE/host/lib/cpu" -I"$SOURCE/kernels" \
            -I"$SOURCE/tests" "$SOURCE/tests/numbers/digest.c" "$SOURCE"/host/lib/cpu/cpu_{item,lane,sweep}.c "$SOURCE/tests/support/fill.c" \
            -o digest_arm -lm
        [ "$(qemu-aarch64-static ./digest_arm)" = "$EXPECTED" ]
    done
}

@test "the digest sees a wrong bit" {
    cp -r "$SOURCE/kernels" faulty
    sed -i 's/0x1.1113[0-9a-f]*p-7f/0x1.1110p-7f/' faulty/core/numeric_core.h
    found=$(digest gcc -O0 -Ifaulty)
    [ -n "$found" ]
    [ "$found" != "$EXPECTED" ]
}
