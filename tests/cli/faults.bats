# Faults that are planted into copies of the kernels and of the command: each is of a kind that a check exists for, and
# that check must see it.
bats_require_minimum_version 1.5.0
load helpers

# core_error FOLDER FLAG...: compiles core_error.c with the kernels of the folder, and runs it
core_error() {
    gcc "${@:2}" -std=gnu11 -D_GNU_SOURCE -O0 -ffp-contract=off -fopenmp-simd -DCPU_ISA=baseline -I"$SOURCE/host/include" \
        -I"$SOURCE/host/lib/cpu" -I"$1" -I"$SOURCE/tests" "$SOURCE/tests/numbers/core_error.c" \
        "$SOURCE/host/lib/cpu/cpu_item.c" \
        "$SOURCE/tests/support/oracle.c" "$SOURCE/tests/support/fill.c" -o core_error -lmpfr -lgmp -lm && ./core_error
}

# plant_core PATTERN REPLACEMENT: changes the faithful core, in whichever of its two files the pattern is
plant_core() {
    local file=numeric_core.h
    ! grep -q "$1" "$SOURCE/kernels/core/faithful.h" || file=faithful.h
    plant $file "$1" "$2"
}

@test "the numeric core as it is stays below 1 ULP" {
    run core_error "$SOURCE/kernels"
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "the oracle sees a fault in each part of the numeric core" {
    local pattern replacement
    while IFS='|' read -r pattern replacement; do
        plant_core "$pattern" "$replacement"
        run core_error faulty
        echo "$pattern: $output"
        [ "$status" -eq 1 ]
        [[ $output == *"worst "* ]] # it compiled
    done <<'FAULTS'
z_low = core_fma(scaled, (core_float)(row.reciprocal_low), z_low);|
core_fma(scaled, reciprocal, -z);|(core_float)(0.0f);
(e.high - (high - unit)) + e.low;|e.high - (high - unit);
core_fma(reduced.r_low, one_plus_r + tail, tail);|core_fma(reduced.r_low, one_plus_r, tail);
core_fma(e.low, high, e.high \* (core_float)(factor_low));|(core_float)(0.0f);
temperature < CORE_ROW(0x1p-62f)|temperature < CORE_ROW(0.0f)
temperature >= CORE_ROW(0x1p62f)|temperature > CORE_ROW(0x1p200f)
(temperature.scale > CORE_ROW(1.0f)) &|(temperature.scale > CORE_ROW(0x1p100f)) \&
quotient <= CORE_ROW(256.0f)|quotient <= CORE_ROW(1048576.0f)
(shift - CORE_ROW(CORE_ZERO_EXPONENT)) \* halving;|(shift - CORE_ROW(137)) * halving;
64 : 96)$|64 : 0)
CORE_FLUSH_AFTER 256|CORE_FLUSH_AFTER 1024
^    guess = core_newton_step(divisor.high, guess);$|
FAULTS
}

@test "the lean core as it is stays below 3 ULP" {
    run core_error "$SOURCE/kernels" -DCORE_LEAN=1
    echo "$output"
    [ "$status" -eq 0 ]
}

@test "the oracle sees a fault in each part of the lean core" {
    local pattern replacement
    while IFS='|' read -r pattern replacement; do
        plant lean.h "$pattern" "$replacement"
        run core_error faulty -DCORE_LEAN=1
        echo "$pattern: $output"
        [ "$status" -eq 1 ]
        [[ $output == *"worst "* ]] # it compiled
    done <<'FAULTS'
reduced.r = core_fma(difference, (core_float)(row.reciprocal_low), reduced.r);|
scaled > lowest ? scaled : lowest|scaled
x > lowest ? x : lowest|x
core_fma(x, (core_float)(row.scale), -(core_float)(row.base))|x
0x1.417d38p-13f|0.0f
0x1.5f0974p-10f|0x1.5e0974p-10f
0x1.62e430p-1f|0x1.62e440p-1f
<< 23|<< 22
+ CORE_UNIT_LOW) - high) + e.high|+ CORE_UNIT_LOW) - high)
core_two_float scaled = {reciprocal.high \* CORE_EXPONENTIAL_UNIT, reciprocal.low|core_two_float scaled = {reciprocal.high * CORE_EXPONENTIAL_UNIT, 64.0f * reciprocal.low
FAULTS
    while IFS='|' read -r pattern replacement; do
        plant numeric_core.h "$pattern" "$replacement"
        run core_error faulty -DCORE_LEAN=1
        echo "$pattern: $output"
        [ "$status" -eq 1 ]
    done <<'FAULTS'
low = core_fma(row.reciprocal_high, CORE_ROW(CORE_LOG2_E_LOW), low);|
row.reciprocal_low = core_fma(row.reciprocal_low, log2_e, low);|
CORE_FLUSH_AFTER 256|CORE_FLUSH_AFTER 1024
FAULTS
}

@test "verify sees a kernel that differs from cpu" {
    needs_device
    plant faithful.h "if (levels == 3)" "if (levels == 4)"
    run --separate-stderr env CLSOFTMAX_KERNEL_DIR=faulty "$CLSOFTMAX" verify -d 0:0 --strategy plain \
        --operation softmax
    echo "$output $stderr"
    [ "$status" -eq 1 ]
    grep -q "^plain .*FAILED: 2^20 + 1 classes, 1x1048577$" <<<"$output"
}

# verify_sees OPERATION: plants each fault of standard input, FILE|PATTERN|REPLACEMENT, which verify must see
verify_sees() {
    local file pattern replacement
    while IFS='|' read -r file pattern replacement; do
        plant "$file" "$pattern" "$replacement"
        run --separate-stderr env CLSOFTMAX_KERNEL_DIR=faulty "$CLSOFTMAX" verify -d 0:0 --strategy plain \
            --operation "$1"
        echo "$pattern: $output $stderr"
        [ "$status" -eq 1 ] || return 1
        grep -q "^plain .*FAILED" <<<"$output" || return 1
    done
}

@test "verify sees operands that are lost, lose their scale or their sign" {
    needs_device
    verify_sees softmax_backward <<'FAULTS'
elements.h|const float read = HAS_OPERAND ? OPERAND(dtype_load_one)(address) : 0.0f;|const float read = 0.0f;
operand.h|(core_row_int)(252) - field|(core_row_int)(254) - field
numeric_core.h|0x1.8p+64f : 0x1.8p+96f|0x1.8p+64f : 0x1.cp+96f
operand.h|return key < (core_row_uint)(CORE_OPERAND_INFINITE) ? kind : (core_row_int)(CORE_ROW_NAN);|return kind;
FAULTS
}

@test "verify sees a gradient without the label's own result, and one of rows without a label" {
    needs_device
    verify_sees cross_entropy_gradient <<'FAULTS'
phases.h|if (label >= 0 && core_row_is_computed(kinds\[i\]))|if (label > 1000000)
phases.h|? weight : CORE_NO_LABEL;|? weight : weight;
FAULTS
}

@test "verify sees targets and smoothed labels whose distances, scale or mask are wrong" {
    needs_device
    verify_sees cross_entropy_of_targets <<'FAULTS'
row_end.h|sums.distances.exponent += (core_row_int)(2) - power;|sums.distances.exponent += (core_row_int)(3) - power;
targets.h|likelihood.exponent -= exponent;|
FAULTS
    verify_sees smoothed_cross_entropy_gradient <<'FAULTS'
operand.h|(type)(0.0f) : (type)(1.0f)) : (read))|(type)(1.0f) : (type)(1.0f)) : (read))
FAULTS
}

@test "verify sees a distillation whose later sums, units or teacher are wrong" {
    needs_device
    verify_sees distillation_gradient <<'FAULTS'
divergence.h|result.power = core_row_float_of_bits(core_row_uint_of_int(127 - result.halvings) << 23);|result.power = core_row_float_of_bits(core_row_uint_of_int(126 - result.halvings) << 23);
divergence.h|return core_fma(d, q, (core_float)(0.5f));|return core_fma(d, q, (core_float)(0.5001f));
divergence.h|return is_nan ? nan : other;|return kind;
terms.h|return TERM_IS_LARGEST(term) ? largest : core_total_merge(a, b);|return core_total_merge(a, b);
distillation.h|is_squared ? times.exponent : over.exponent|over.exponent
FAULTS
    verify_sees jensen_shannon_gradient <<'FAULTS'
mixture.h|core_fma(guess, core_fma(-divisor, guess, one), guess)|guess
mixture.h|core_fma(square, series, (core_float)(1.0f . 3))|core_fma(square, series, (core_float)(0.3334f))
mixture.h|q \* growth, p - q|q * d, p - q
mixture.h|n += core_select|n -= core_select
mixture.h|core_beside(q, mixture, -left|core_beside(q, mixture, -share
distillation.h|end.mixed.ratio = student_sum.high \* divergence.teacher.high|end.mixed.ratio = CORE_ROW(1.0f)
divergence.h|? CORE_SMALLER(square, one) \* of_mixture|? CORE_SMALLER(square, one) * of_mixture * 0x1p-30f
FAULTS
}

@test "a kernel in CLSOFTMAX_KERNEL_DIR that cannot be read is an error" {
    needs_device
    local file strategy
    unreadable() {
        run --separate-stderr env CLSOFTMAX_KERNEL_DIR=unreadable "$CLSOFTMAX" run -d 0:0 --strategy $strategy - \
            <<<"1 2 3"
        expect_error 1 "CLSOFTMAX_KERNEL_DIR: cannot read unreadable/$file"
    }
    for file in core/{language,numeric_core,logarithm,row_setting,statistics}.h \
        strategies/{elements,phases,lanes,chunks}.h strategies/{lane,group}.cl; do
        strategy=lane
        case $file in */chunks.h | */group.cl) strategy=group ;; esac
        rm -rf unreadable
        cp -r "$SOURCE/kernels" unreadable
        rm "unreadable/$file"
        unreadable
        mkdir "unreadable/$file" # it opens, and reading it fails
        unreadable
    done
    CLSOFTMAX_KERNEL_DIR="" "$CLSOFTMAX" run -d 0:0 - <<<"1 2 3" # an empty name is none
}

@test "sweep --verify sees temperatures that get lost in kernels" {
    needs_device
    local file pattern replacement strategy output
    seq -s ' ' 700 >row.txt
    seq -s ' ' 2 701 >>row.txt
    while IFS='|' read -r strategy output file pattern replacement; do
        local words="-d 0:0 --strategy $strategy --verify -T lin:0.5:20:40 row.txt $output"
        "$CLSOFTMAX" sweep $words >/dev/null
        plant "$file" "$pattern" "$replacement"
        run --separate-stderr env CLSOFTMAX_KERNEL_DIR=faulty "$CLSOFTMAX" sweep $words
        echo "$file, $pattern: $stderr"
        [ "$status" -eq 1 ]
        [[ $stderr == *"differ from cpu"* ]] # it compiled
    done <<'FAULTS'
item|-o p.npy|item.cl|p += sweep.SWEEP_STRIDE|p += 0 * sweep.SWEEP_STRIDE
group|-o p.npy|phases.h|FIRST_TEMPERATURE + k\]|FIRST_TEMPERATURE]
split|-o p.npy|split.h|split_parts(place, k) + place|split_parts(place, 0) + place
column|--stats|column_temperatures.cl|k += CORE_WIDTH|k += 2 * CORE_WIDTH
FAULTS
}

@test "run --verify sees chunks, parts of rows and digits that go missing" {
    needs_device
    local strategy logits temperature file pattern replacement
    while IFS='|' read -r strategy logits temperature file pattern replacement; do
        $logits | tr '\n' ' ' >row.txt
        "$CLSOFTMAX" run -d 0:0 --strategy "$strategy" --verify -T "$temperature" row.txt -o p.npy
        plant "$file" "$pattern" "$replacement"
        run --separate-stderr env CLSOFTMAX_KERNEL_DIR=faulty "$CLSOFTMAX" run -d 0:0 --strategy "$strategy" --verify \
            -T "$temperature" row.txt -o p.npy
        echo "$file, $pattern: $stderr"
        [ "$status" -eq 1 ]
        [[ $stderr == *"differ from cpu"* ]] # it compiled
    done <<'FAULTS'
item|seq 19|1e5|elements.h|i < count ? row_load_one(address + i) : padding|row_load_one(address + i)
item|seq 5000|1e5|item.cl|core_row_is_unscaled(row->set.row)|row->set.row.base == 0.0f
item|echo 3e38 1e38 3e38|1e-20|numeric_core.h|(temperature.scale > CORE_ROW(1.0f)) \&|(temperature.scale > CORE_ROW(0x1p100f)) \&
column|seq 5000|1e5|phases.h|sums.added == CORE_FLUSH_AFTER|sums.added == 0
group|seq 5000|1e5|chunks.h|branch < branches|branch + 1 < branches
group|seq 5000|1e5|chunks.h|mine->pairs\[i\] = e|mine->pairs[element] = e
group|seq 5000|1e5|chunks.h|place >= count|place + WORK_GROUP_SIZE >= count
split|seq 50257|1e5|split.h|part < place->piece.PIECE_PARTS_OF_ROW|part + 1 < place->piece.PIECE_PARTS_OF_ROW
split|seq 600001|1e5|split.h|begin + each + (place->part < more)|begin + each
FAULTS
}

@test "test_invariance sees rows at T = 1 that take the short way wrongly, or lose a bit there" {
    needs_device
    local file pattern replacement
    while IFS='|' read -r file pattern replacement; do
        plant "$file" "$pattern" "$replacement"
        CLSOFTMAX_KERNEL_DIR=faulty run "$BUILD/test_invariance" --filter 'invariance/neighbours' -j1
        echo "$file, $pattern: $output"
        [ "$status" -eq 1 ]
        [[ $output == *": row "* ]] # it compiled
    done <<'FAULTS'
lanes.h|core_row_is_unscaled(states\[v\].set.row)|states[v].set.row.scale == CORE_ROW(1.0f)
item.cl|core_row_is_unscaled(row->set.row)|row->set.row.scale == 1.0f
faithful.h|= n \* 0x1.05c610p-29f|= n * 0.0f
FAULTS
}

@test "test_streams sees cache lines of two rows that get lost" {
    needs_device
    local pattern replacement
    while IFS='|' read -r pattern replacement; do
        plant item.cl "$pattern" "$replacement"
        CLSOFTMAX_KERNEL_DIR=faulty run "$BUILD/test_streams" --filter 'streams/opencl_f32' -j1
        echo "$pattern: $output"
        [ "$status" -eq 1 ]
        [[ $output == *"behind a line"* ]] # it compiled
    done <<'FAULTS'
line->count == past && line->address|line->address
line->address + past == p|past > 0
^    item_end_line(&line);|
FAULTS
}

# fuzz_with TARGET FILE SOURCE...: links the target with its other sources, and with ./faulty.c in place of FILE, and
# runs it on its corpus
fuzz_with() {
    local compile=(gcc -std=gnu11 -D_GNU_SOURCE -O1) folder
    for folder in host/include host/lib host/cli kernels tests; do compile+=("-I$SOURCE/$folder"); done
    "${compile[@]}" -w -iquote "$SOURCE/$(dirname "$2")" -c faulty.c -o faulty.o
    local target=$1
    case $1 in npz | safetensors) target=npy ;; esac
    "${compile[@]}" "-DFUZZ_SUFFIX=\".$1\"" "$SOURCE/tests/fuzz/fuzz_$target.c" "$SOURCE/tests/fuzz/replay.c" "${@:3}" faulty.o \
        "$BUILD/host/cli/libcli_run.a" "$BUILD/host/cli/libcli_support.a" "$BUILD/host/libclsoftmax.a" -o faulty \
        $(pkg-config --libs jansson libzip) -lpthread -lm -ldl && ./faulty "$SOURCE/tests/fuzz/corpus/$1"/*
}

@test "each fuzz target sees a fault of its kind in its corpus" {
    ! nm "$CLSOFTMAX" | grep -q __gcov_dump || skip "gcov's counters are not linked here"
    ! is_sanitized || skip "AddressSanitizer is not linked here"
    local target file pattern replacement more
    while IFS='|' read -r target file pattern replacement more; do
        sed "s/$pattern/$replacement/" "$SOURCE/$file" >faulty.c
        run cmp -s "$SOURCE/$file" faulty.c
        [ "$status" -eq 1 ] || { echo "nothing was planted: $pattern"; false; }
        # shellcheck disable=SC2086
        run fuzz_with "$target" "$file" ${more//@/$SOURCE}
        echo "$target, $file, $pattern: $output"
        [ "$status" -eq 134 ]
        [[ $output == *" does not hold"* ]]
    done <<'FAULTS'
names|host/cli/support/text.c|c\[1\] < 0xA0|c[1] < 0x80|
text|host/cli/files/array_text.c|%.9g|%.6g|
npy|host/cli/files/array_file.c|(first + done) \* element.bytes|done * element.bytes|
npz|host/cli/files/npy_file.c|(uint64_t)stat.st_size|UINT64_MAX|
safetensors|host/cli/files/safetensors_file.c|end != data_bytes|0|
options|host/cli/options/run_option_rows.c|options->shard_index >= options->shard_count|0|
plan|host/lib/plan/tiles.c|tile.first_class = tile.piece|tile.first_class = tile.pass|
run|host/cli/run/run_input.c|is_class ? (int64_t)number|is_class ? 0|@/host/cli/run/ranks_one.c @/host/cli/results/result_file.c
cpu|host/lib/reference.c|(double)temperature + 0.0|(double)temperature|@/tests/fuzz/fuzz_problem.c
FAULTS
    needs_device
    plant item.cl "core_row_is_unscaled(row->set.row)" "row->set.row.base == 0.0f"
    CLSOFTMAX_KERNEL_DIR=faulty run "$BUILD/fuzz_devices" "$SOURCE/tests/fuzz/corpus/devices"/*
    echo "devices: $output"
    [ "$status" -eq 134 ]
    [[ $output == *" does not hold"* ]]
}

# run_with TEST FILE: runs tests/numbers/test_TEST.c with ./faulty.c in place of a file of the library
run_with() {
    gcc -std=gnu11 -D_GNU_SOURCE -O1 -w -ffp-contract=off -I"$SOURCE/host/include" -I"$SOURCE/host/lib" \
        -I"$SOURCE/kernels" -I"$SOURCE/tests" -iquote "$SOURCE/$(dirname "$2")" faulty.c \
        "$SOURCE/tests/numbers/test_$1.c" "$SOURCE"/tests/support/{device,dtype_values}.c "$BUILD/host/libclsoftmax.a" \
        -lcriterion -lmpfr -lgmp -lpthread -lm -ldl -o faulty && ./faulty -j1
}

@test "tests of the library see faults in mixes and in teachers of top classes" {
    ! nm "$CLSOFTMAX" | grep -q __gcov_dump || skip "gcov's counters are not linked here"
    ! is_sanitized || skip "AddressSanitizer is not linked here"
    local target file pattern replacement
    while IFS='|' read -r target file pattern replacement; do
        sed "s/$pattern/$replacement/" "$SOURCE/$file" >faulty.c
        run cmp -s "$SOURCE/$file" faulty.c
        [ "$status" -eq 1 ] || { echo "nothing was planted: $pattern"; false; }
        run run_with "$target" "$file"
        echo "$file, $pattern: $output"
        [ "$status" -eq 1 ]
        [[ $output == *"Synthesis"* ]] # it compiled
    done <<'FAULTS'
mix|host/lib/mix.c|alpha == 0 ? b : |
mix|host/lib/mix.c|alpha \* a + (1 - alpha) \* b|(float)(alpha * a) + (1 - alpha) * b
mix|host/lib/mix.c|f16_of_float(rounded_to_odd(value))|f16_of_float(rounded(value))
mix|host/lib/mix.c|value > (double)nearest ? INFINITY : -INFINITY|value > (double)nearest ? -INFINITY : INFINITY
mix|host/lib/mix.c|has_labels ? own->mean : 0|own->mean
mix|host/lib/mix.c|classes, student, 1, labels, own|classes, student, temperature, labels, own
top_teacher|host/lib/top_teacher.c|-expm1(largest) - others|1 - exp(largest) - others
top_teacher|host/lib/top_teacher.c|row->temperature \* log(share)|log(share)
top_teacher|host/lib/top_teacher.c|largest + row->temperature \* log(sum)|largest + log(sum)
top_teacher|host/lib/top_teacher.c|(float)fmin(1, of_listed)|1
top_teacher|host/lib/top_teacher.c|exp(logarithm < largest ? logarithm : largest)|exp(logarithm)
top_teacher|host/lib/top_teacher.c|!isnan(\*place)|0
top_teacher|host/lib/top_teacher.c|logarithm <= row->most|logarithm <= 1e30
FAULTS
}

# unlisted TABLE: prints what the command calls of other libraries that is not in the table (libc_calls.h) and could
# fail
unlisted() {
    nm -D --undefined-only "$CLSOFTMAX" | sed 's/.* //; s/@.*//' |
        grep -vxF "$(grep -oE '^    [A-Z_]+\([a-z_0-9]+' "$1" | sed 's/.*(//')" |
        grep -vxE '_ITM.*|__(cxa|gmon|errno|isoc|libc_start|tls|sched_cpucount|stack_chk).*' |
        grep -vxE '__(v?sn?printf_chk|mem[a-z]*_chk|str[a-z]*_chk).*' |
        grep -vxE '(mem|str|str[a-z]*case)(cmp|cpy|move|set|chr|len|rchr|str|spn|cspn|sep|error|signal|ncmp)' |
        grep -vxE 'strto(d|f|l|ul|ull)|strn?casecmp|strncmp|memmem|qsort|v?sn?printf' |
        grep -vxE 'pthread_(cond|mutex|once|join)[a-z_]*|sem_[a-z]*|sched_yield|fe[gs]etenv' |
        grep -vxE 'feof|ferror|fileno|dirfd|rewind|fcntl|free|get(env|opt_long|pid)|isatty|dlsym|umask|munmap' |
        grep -vxE 'exp|expm1|fmaf?|fm(ax|in)f?|frexp|ldexpf?|log|log10|nearbyint|log1p|nextafterf|pow' |
        grep -vxE 'json_.*|zip_.*|ungetc' | # they fail by what a file holds: cli/kinds.bats, and the targets of fuzz
        grep -vxE 'clock_gettime|nanosleep|raise|sigaction|signal|sig(add|empty)set' |
        grep -vxE 'posix_spawn(attr_set[a-z]*|[a-z_]*_destroy)' || true
}

@test "the table of file_faults has every call of the command that can fail" {
    ! nm "$CLSOFTMAX" | grep -q __gcov_dump || skip "gcov's calls are not the command's"
    ! grep -q __asan_init "$CLSOFTMAX" || skip "AddressSanitizer has names of its own"
    unlisted "$SOURCE/tests/faults/libc_calls.h"
    [ -z "$(unlisted "$SOURCE/tests/faults/libc_calls.h")" ]
    grep -v "(rename," "$SOURCE/tests/faults/libc_calls.h" >without_rename.h
    [ "$(unlisted without_rename.h)" = rename ]
}
