#!/usr/bin/env bash
# gpu_check.sh FOLDER: compiles every FOLDER/*.cl for an NVIDIA and an AMD GPU, and prints how many registers, how much
# memory and how many instructions each kernel takes. It fails if a kernel does not compile, if ptxas spills its
# registers into memory, or if a row takes more instructions a class than a bar allows.
# ./dev gpu-check runs it on the output of kernel_variants; cli/gpu_check.bats plants faults for it.
#
# Open compilers take the place of the drivers' own: clang, with the built-in functions of libclc. NVIDIA's ptxas, which
# is also the last stage of its driver, makes machine code where the CUDA toolkit is installed.
set -euo pipefail

# Labels (globs) of kernels whose spills are accepted, with the reason. Their cost is not measured. With statistics
# ptxas restricts itself to 40, 64 or 80 registers, where the work-group would allow more, and spills 4 to 20 bytes of a
# work-item.
ACCEPTED_SPILLS=(
    "log_softmax+statistics:group:bf16->f16:temperature per row:ties:width 1:work-group 256:8 x 1 at a time:levels 2"
    "none+statistics:group:f32->f32:width 1:work-group 256:32 x 1 kept:levels 2"
    "softmax+statistics:group:f32->f32:width 1:work-group 256:8 x 1 at a time:levels 3"
    "softmax+statistics:split:f32->f32:width 1:work-group 256:8 x 1 at a time:levels 2 row_split_results"
    "softmax+statistics:split:f32->f32:width 1:work-group 64:2 x 4 at a time:levels 2 row_split_results"
    "softmax+statistics:split:f32->f32:width 1:work-group 64:8 x 1 at a time:levels 2 row_split_results"
    # one register, where all 64 that a work-item of 1,024 can have hold 32 logits and their results
    "softmax:group:f32->f16:width 1:work-group 1024:32 x 1 kept:levels 2"
    # 12 registers: libclc rounds to f16 in software, by 4,700 instructions where the kernel has 1,900
    "softmax:group:f32->f16:lean:width 1:work-group 512:8 x 4 kept with exponentials:levels 2"
)

# Most NVIDIA instructions for each class that a work-item keeps, as MOST|LABEL: all of the kernel's code over these
# classes. The rows are f32, of 4,096 classes; accuracy fast takes 0.57 of what faithful takes, and may take 0.6.
INSTRUCTION_BARS=(
    "86|softmax:group:f32->f32:width 1:work-group 256:4 x 4 kept with exponentials:levels 2"
    "50|softmax:group:f32->f32:lean:width 1:work-group 128:8 x 4 kept with exponentials:levels 2"
)
INSTRUCTION_BYTES=16 # of an instruction, from NVIDIA's sm_70 on

CLANG=clang-19 # the version of libclc: others cannot read its bitcode
NVIDIA=sm_90   # Hopper
AMD=gfx90a     # CDNA 2

export PATH="$PATH:/usr/local/cuda/bin" LC_ALL=C

# compile_for TRIPLE FILE.cl OUTPUT OPTION...: compiles to assembly
compile_for() {
    $CLANG -x cl -cl-std=CL1.2 -O3 -S -target "$1" -Xclang -mlink-builtin-bitcode -Xclang "/usr/lib/clc/$1.bc" \
        "$2" -o "$3" "${@:4}"
}

# with_work_group_sizes AMD.s NVIDIA.ptx: prints the PTX with the sizes of work-groups, which clang 19 writes for AMD
# alone. Without them ptxas would not know how few registers a work-item of a large work-group can have.
with_work_group_sizes() {
    awk '
        FNR == NR && /^    \.max_flat_workgroup_size:/ { size = $2 }
        FNR == NR && /^    \.name:/ { sizes[$2] = size }
        FNR == NR { next }
        match($0, /\.entry [A-Za-z0-9_]+/) { kernel = substr($0, RSTART + 7, RLENGTH - 7) }
        { print }
        kernel && /^\)/ { print ".maxntid " sizes[kernel] ", 1, 1"; kernel = "" }' "$1" "$2"
}

# lines_of LABEL AMD.s PTXAS.txt: prints a line for each kernel: registers|local|spill stores|spill loads|shared|
# instructions (NVIDIA; each is - without ptxas)|VGPRs|SGPRs|scratch|LDS (AMD)|label
lines_of() {
    awk -v label="$1" '
        # the metadata of a kernel is in alphabetical order
        /^    \.group_segment_fixed_size:/ { lds = $2 }
        /^    \.name:/ { name = $2; names[++count] = name }
        /^    \.private_segment_fixed_size:/ { scratch = $2 }
        /^    \.sgpr_count:/ { sgprs = $2 }
        /^    \.vgpr_count:/ { amd[name] = $2 "|" sgprs "|" scratch "|" lds }
        /^ptxas/ { spoken = 1 }
        /^code / { code[$2] = $3 }
        /^ptxas info .*Function properties for/ { name = $NF }
        /bytes stack frame.*bytes spill stores.*bytes spill loads/ { spills = $1 "|" $5 "|" $9 }
        /^ptxas info .*Used [0-9]+ registers/ {
            match($0, /Used [0-9]+/)
            registers = substr($0, RSTART + 5, RLENGTH - 5)
            shared = match($0, /[0-9]+ bytes smem/) ? substr($0, RSTART, RLENGTH - 11) : 0
            if (spills != "")
                nvidia[name] = registers "|" spills "|" shared
            spills = ""
        }
        END {
            for (i = 1; i <= count; i++) {
                name = names[i]
                if (spoken && !(name in nvidia)) {
                    print "ptxas does not say what it takes: " name >"/dev/stderr"
                    exit 1
                }
                print (name in nvidia ? nvidia[name] "|" code[name] : "-|-|-|-|-|-") "|" amd[name] "|" \
                    label (count > 1 ? " " name : "")
            }
            exit !count
        }' "$2" "$3"
}

# assemble FILE.ptx OUTPUT: makes machine code, and writes to OUTPUT the report of ptxas, and "code KERNEL INSTRUCTIONS"
# for each kernel, from the sizes of the sections of code. OUTPUT stays empty without ptxas.
assemble() {
    local section type address offset size rest
    : >"$2"
    command -v ptxas >/dev/null || return 0
    ptxas -v -arch=$NVIDIA "$1" -o "$2.cubin" >"$2" 2>&1 || {
        cat "$2"
        return 1
    }
    [ -e "$2.cubin" ] || return 0
    # shellcheck disable=SC2034
    readelf -SW "$2.cubin" 2>/dev/null | sed -n 's/^ *\[ *[0-9]*\] *\.text\.//p' |
        while read -r section type address offset size rest; do
            echo "code $section $((0x$size / INSTRUCTION_BYTES))"
        done >>"$2"
    rm "$2.cubin"
}

# compile FILE.cl: writes FILE.lines for the table, or FILE.log with the errors
compile() {
    local base=${1%.cl}
    if {
        compile_for amdgcn--amdhsa "$1" "$base.s" -mcpu=$AMD -nogpulib &&
            compile_for nvptx64--nvidiacl "$1" "$base.clang.ptx" -march=$NVIDIA &&
            with_work_group_sizes "$base.s" "$base.clang.ptx" >"$base.ptx" &&
            assemble "$base.ptx" "$base.ptxas" &&
            lines_of "$(basename "$base")" "$base.s" "$base.ptxas" >"$base.lines"
    } >"$base.log" 2>&1; then
        rm "$base.log"
    else
        rm -f "$base.lines"
    fi
}

print_table() {
    local format='%5s %5s %11s %10s %6s %6s | %5s %5s %7s %6s | %s\n' line
    printf '%48s | %26s |\n' "NVIDIA $NVIDIA" "AMD $AMD"
    # shellcheck disable=SC2059
    printf "$format" regs local 'spill store' 'spill load' shared instrs VGPRs SGPRs scratch LDS variant
    while IFS='|' read -r -a line; do
        # shellcheck disable=SC2059
        printf "$format" "${line[@]}"
    done
}

# forbidden_spills: prints the labels of kernels that spill and are not accepted
forbidden_spills() {
    local label accepted
    awk -F '|' '$3 + $4 > 0 { print $NF }' | while IFS= read -r label; do
        for accepted in "${ACCEPTED_SPILLS[@]}"; do
            # shellcheck disable=SC2053
            [[ $label != $accepted ]] || continue 2
        done
        echo "$label"
    done
}

# check_instructions: prints the instructions a class of each kernel that has a bar; fails if one is above its bar, or
# missing among kernels of its strategy
check_instructions() {
    local lines bar label most instructions classes failed=0
    lines=$(cat)
    for bar in "${INSTRUCTION_BARS[@]}"; do
        most=${bar%%|*} label=${bar#*|}
        if ! instructions=$(grep -F "|$label" <<<"$lines" | cut -d '|' -f 6) || [ -z "$instructions" ]; then
            ! grep -q '|softmax:group:f32->f32:' <<<"$lines" || { echo "gpu-check: $label: is not there"; failed=1; }
            continue
        fi
        [ "$instructions" != - ] || continue
        classes=$(($(sed 's/.*:\([0-9]*\) x \([0-9]*\) kept.*/\1 * \2/' <<<"$label")))
        printf 'gpu-check: %s.%s instructions a class, of at most %s: %s\n' $((instructions / classes)) \
            $((instructions * 10 / classes % 10)) "$most" "$label"
        [ "$instructions" -le $((most * classes)) ] || { echo "gpu-check: $label: too many instructions"; failed=1; }
    done
    return $failed
}

if [ "$1" = --one ]; then
    compile "$2"
    exit
fi
folder=$1
find "$folder" -name '*.cl' -print0 | xargs -0 -n 1 -P "$(nproc)" "$0" --one
lines=$(find "$folder" -name '*.lines' -exec cat {} + | sort -t '|' -k 11)
[ -z "$lines" ] || print_table <<<"$lines"

failed=0
while IFS= read -r log; do
    echo "gpu-check: $(basename "$log" .log): does not compile"
    cat "$log"
    failed=1
done < <(find "$folder" -name '*.log' | sort)
while IFS= read -r label; do
    echo "gpu-check: $label: ptxas spills registers into memory"
    failed=1
done < <(forbidden_spills <<<"$lines")
check_instructions <<<"$lines" || failed=1
[ $failed -eq 0 ] || exit 1
if command -v ptxas >/dev/null; then
    echo "gpu-check: $(wc -l <<<"$lines") kernels compile; no spill beyond the accepted ones"
else
    echo "gpu-check: $(wc -l <<<"$lines") kernels compile; ptxas (CUDA toolkit) is not here to tell what they spill"
fi
