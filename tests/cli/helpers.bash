# What the .bats files share. CLSOFTMAX is the command under test, BENCH the other one, SOURCE the checkout.

setup() {
    cd "$BATS_TEST_TMPDIR" || return 1
    unset CLSOFTMAX_DEVICE
}

# clsoftmax on the CPU path, so that a test of the command does not hang on a driver.
clsoftmax() { CLSOFTMAX_DEVICE=${CLSOFTMAX_DEVICE-cpu} "$CLSOFTMAX" "$@"; }

# expect_error STATUS TEXT...: the last `run --separate-stderr` ended so, with one line that holds every TEXT and no output.
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

# needs_device: skips where there is no OpenCL device, which is a failure where CLSOFTMAX_REQUIRE_DEVICE is set.
needs_device() {
    local devices
    devices=$("$CLSOFTMAX" devices --json) && [[ $devices == *'"selector": "0:0"'* ]] && return
    [ -z "${CLSOFTMAX_REQUIRE_DEVICE-}" ] || { echo "no OpenCL device"; return 1; }
    skip "no OpenCL device"
}

needs_strace() {
    command -v strace >/dev/null || skip "no strace"
}

# injected CALLS:WHAT COMMAND...: with what strace does to these system calls. LeakSanitizer does not work under it.
injected() {
    ASAN_OPTIONS="${ASAN_OPTIONS-}:detect_leaks=0" CLSOFTMAX_DEVICE=${CLSOFTMAX_DEVICE-cpu} \
        strace -f -o /dev/null -e "trace=${1%%:*}" -e "inject=$1" "${@:2}"
}

# wait_for_file PATTERN: until there is one
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

# limits_address_space: skips where that cannot be limited, under AddressSanitizer, whose shadow takes terabytes of it.
limits_address_space() {
    ! is_sanitized || skip "AddressSanitizer"
}

# plant FILE PATTERN REPLACEMENT: a copy of the kernels in ./faulty with one line changed, in the FILE of whichever folder
plant() {
    local path
    rm -rf faulty
    cp -r "$SOURCE/kernels" faulty
    path=$(cd faulty && find . -name "$1")
    sed -i "s/$2/$3/" "faulty/$path"
    ! diff -q "$SOURCE/kernels/$path" "faulty/$path" >/dev/null || { echo "nothing was planted: $1 $2"; return 1; }
}

# texts FILE.svg: what is written in a picture, a text a line; fails if it is not well-formed XML
texts() {
    python3 - "$1" <<'PYTHON'
import sys, xml.etree.ElementTree as tree
for element in tree.parse(sys.argv[1]).iter("{http://www.w3.org/2000/svg}text"):
    print("".join(element.itertext()).strip())
PYTHON
}

# npy FILE DESCR FORTRAN SHAPE [VERSION]: an .npy header into FILE; data is to be appended.
npy() {
    local version=${5-1} header="{'descr': '$2', 'fortran_order': $3, 'shape': $4, }"
    npy_raw "$1" "$version" "$header"
}

# npy_raw FILE VERSION HEADER: the header as it stands, with a line feed behind.
npy_raw() {
    local length=$((${#3} + 1)) width=4
    [ "$2" -eq 1 ] && width=2
    printf '\x93NUMPY%b\x00' "\\x0$2" >"$1"
    little_endian "$length" "$width" >>"$1"
    printf '%s\n' "$3" >>"$1"
}

# little_endian NUMBER BYTES
little_endian() {
    local number=$1 i
    for ((i = 0; i < $2; i++)); do
        printf '%b' "\\x$(printf %02x $((number & 255)))"
        number=$((number >> 8))
    done
}
