# What the .bats files share. CLSOFTMAX names the command under test, BENCH the benchmark, SOURCE the checkout and BUILD
# its build folder.

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    unset CLSOFTMAX_DEVICE
}

# clsoftmax ARGUMENT...: runs the command on cpu, so that a test of the command does not depend on a driver
clsoftmax() { CLSOFTMAX_DEVICE=${CLSOFTMAX_DEVICE-cpu} "$CLSOFTMAX" "$@"; }

# expect_error STATUS TEXT...: the last `run --separate-stderr` ended with the status, without output and with one line
# of error that has every TEXT
expect_error() {
    local wanted=$1 text
    shift
    [ "$status" -eq "$wanted" ] || { echo "exit status $status, not $wanted: $stderr"; return 1; }
    [ -z "$output" ] || { echo "output: $output"; return 1; }
    [ "${#stderr_lines[@]}" -eq 1 ] || { echo "not one line: $stderr"; return 1; }
    [[ $stderr == "${PROGRAM-clsoftmax}: "* ]] || { echo "no name in front: $stderr"; return 1; }
    for text in "$@"; do
        [[ $stderr == *"$text"* ]] || { echo "\"$text\" is not in: $stderr"; return 1; }
    done
}

# needs_device: skips where there is no OpenCL device, or fails if CLSOFTMAX_REQUIRE_DEVICE is set
needs_device() {
    local devices
    devices=$("$CLSOFTMAX" devices --json) && [[ $devices == *'"selector": "0:0"'* ]] && return
    [ -z "${CLSOFTMAX_REQUIRE_DEVICE-}" ] || { echo "no OpenCL device"; return 1; }
    skip "no OpenCL device"
}

# needs_terminal: skips where there is no /dev/pts, as in a bare chroot
needs_terminal() {
    python3 -c 'import os; os.openpty()' 2>/dev/null || skip "no pseudo terminals"
}

# python ARGUMENT...: runs a Python that has NumPy where there is one. Debian's has it; another may come first in PATH.
python() {
    if python3 -c 'import numpy' 2>/dev/null; then python3 "$@"; else /usr/bin/python3 "$@"; fi
}

needs_numpy() {
    python -c 'import numpy' 2>/dev/null || skip "no NumPy"
}

needs_strace() {
    command -v strace >/dev/null || skip "no strace"
}

# injected CALLS:WHAT COMMAND...: runs the command under strace, which does WHAT to these system calls. LeakSanitizer
# does not work under strace.
injected() {
    ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0" CLSOFTMAX_DEVICE=${CLSOFTMAX_DEVICE-cpu} \
        strace -f -o /dev/null -e "trace=${1%%:*}" -e "inject=$1" "${@:2}"
}

# wait_for_file PATTERN: waits until there is such a file
wait_for_file() {
    local tries
    for tries in {1..500}; do
        ! compgen -G "$1" >/dev/null || return 0
        sleep 0.01
    done
    echo "no $1 after $tries tries"
    return 1
}

is_sanitized() { grep -q __asan_init "$CLSOFTMAX"; }

# limits_address_space: skips under AddressSanitizer, which needs terabytes of address space
limits_address_space() {
    ! is_sanitized || skip "AddressSanitizer"
}

# plant FILE PATTERN REPLACEMENT: copies the kernels to ./faulty, and changes FILE there, in whichever folder it is
plant() {
    local path
    rm -rf faulty
    cp -r "$SOURCE/kernels" faulty
    path=$(cd faulty && find . -name "$1")
    sed -i "s/$2/$3/" "faulty/$path"
    ! diff -q "$SOURCE/kernels/$path" "faulty/$path" >/dev/null || { echo "nothing was planted: $1 $2"; return 1; }
}

# texts FILE.svg: prints the texts of a picture, one a line; fails if it is not well-formed XML
texts() {
    python3 - "$1" <<'PYTHON'
import sys, xml.etree.ElementTree as tree
for element in tree.parse(sys.argv[1]).iter("{http://www.w3.org/2000/svg}text"):
    print("".join(element.itertext()).strip())
PYTHON
}

# npy FILE DESCR FORTRAN SHAPE [VERSION]: writes the header of an .npy file, to which data can be appended
npy() {
    local version=${5-1} header="{'descr': '$2', 'fortran_order': $3, 'shape': $4, }"
    npy_raw "$1" "$version" "$header"
}

# npy_raw FILE VERSION HEADER: writes this text as the header, with a line feed behind it
npy_raw() {
    local length=$((${#3} + 1)) width=4
    [ "$2" -eq 1 ] && width=2
    printf '\x93NUMPY%b\x00' "\\x0$2" >"$1"
    little_endian "$length" "$width" >>"$1"
    printf '%s\n' "$3" >>"$1"
}

# little_endian NUMBER BYTES: prints the bytes of a number
little_endian() {
    local number=$1 i
    for ((i = 0; i < $2; i++)); do
        printf '%b' "\\x$(printf %02x $((number & 255)))"
        number=$((number >> 8))
    done
}
