# What an addition to a table costs, tried on a copy of the sources: an operation is a patch of three files, whose
# results every strategy, dtype and sweep gives; and a table with a gap does not compile, and the compiler says where
# the gap is.
bats_require_minimum_version 1.5.0
load helpers

copy_tree() {
    ! is_sanitized || skip "the copy would be built without sanitizers"
    ! nm "$CLSOFTMAX" | grep -q __gcov_dump || skip "the copy would be built without gcov's counters"
    mkdir tree
    cp -r "$SOURCE"/{CMakeLists.txt,host,kernels} tree
}

# build LEVEL FOLDER TARGET...: targets of a folder of the copy at an optimisation level, with the baseline instructions
# alone, which compile in a third of the time; goes on behind an error, to see the others
build() {
    cmake -S tree -B tree/build -G "Unix Makefiles" -DCMAKE_BUILD_TYPE=None -DCMAKE_C_FLAGS="$1" \
        -DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=any -DCLSOFTMAX_TESTS=OFF -DCLSOFTMAX_BENCH=OFF -DCLSOFTMAX_MPI=OFF >/dev/null &&
        make -C "tree/build/$2" --jobs 2 --keep-going "${@:3}" 2>&1
}

# fails_to_build: builds files of the copy's library that look at the tables; that must fail
fails_to_build() {
    run build -O0 host lib/problem.o lib/formulas.o lib/reference.o lib/cpu/cpu_item.o
    [ "$status" -ne 0 ]
}

# names NAME FILE: the failed build has an error or warning about the NAME in the FILE
names() {
    grep -E "$2:[0-9]+:[0-9]+: (error|warning): .*$1" <<<"$output" ||
        { echo "nothing about $1 in $2:"; grep -E "error|warning" <<<"$output"; return 1; }
}

# verifies COUNT OPTION...: the copy verifies the operation, in COUNT lines that have passed
verifies() {
    run tree/build/clsoftmax verify --operation square "${@:2}"
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(grep -c ' square .* passed$' <<<"$output")" -eq "$1" ]
}

@test "an operation is a patch of three files and forty lines, right on every device" {
    local patch="$SOURCE/tests/cli/extend/square.patch"
    needs_device
    copy_tree
    [ "$(grep -c '^+++ ' "$patch")" -le 3 ]
    [ "$(grep -cE '^[-+]([^-+]|$)' "$patch")" -le 40 ]
    patch -d tree -p1 <"$patch"
    run build -O1 . clsoftmax_command
    echo "$output" | grep -E "error|warning" || true
    [ "$status" -eq 0 ]
    verifies 12 -d cpu
    if [ -n "${CLSOFTMAX_TEST_LONG-}" ]; then
        verifies 24 -d 0:0
    else # most of the time goes into compiling kernels
        verifies 4 -d 0:0 --strategy item
        verifies 4 -d 0:0 --strategy plain
    fi
}

@test "an operation without a row, a formula or a reference does not compile" {
    copy_tree
    sed -i 's|^    X(NONE, [^)]*)|& X(HALF, "half", "p / 2")|' tree/host/include/clsoftmax/clsoftmax.h
    grep -q HALF tree/host/include/clsoftmax/clsoftmax.h
    fails_to_build
    names OPERATION_HALF host/lib/problem.c
    names formula_HALF host/lib/formulas.c
    sed -i 's/^    X(NONE, [^)]*)/& X(HALF, MADE_OF_EXPONENTIALS, ENDING_RECIPROCAL, 0.0f)/' \
        tree/kernels/operations/operations.h
    grep -q HALF tree/kernels/operations/operations.h
    fails_to_build
    names operation_result_HALF kernels/operations/operations.h
}

@test "a dtype without its load does not compile" {
    copy_tree
    sed -i 's/    X(BF16, "bf16", 2)/    X(BF16, "bf16", 2) X(F64, "f64", 8)/' tree/host/include/clsoftmax/clsoftmax.h
    grep -q F64 tree/host/include/clsoftmax/clsoftmax.h
    fails_to_build
    names cpu_load_F64 host/lib/cpu/cpu_dtype.h
    names FORMAT_F64 host/lib/reference.c
}
