# The command `run`, as a user meets it.
bats_require_minimum_version 1.5.0
load helpers

@test "the first example of the help" {
    run clsoftmax run -T 10 - <<<"10 20 30"
    [ "$output" = "0.0900305733 0.244728476 0.665240943" ]
    [ "$status" -eq 0 ]
}

@test "every device prints the same" {
    "$CLSOFTMAX" devices --json >devices.json
    for device in cpu reference $(grep -o '"selector": "[0-9]*:[0-9]*"' devices.json | cut -d'"' -f4); do
        run clsoftmax run -T 10 -d "$device" - <<<"10 20 30"
        [ "$output" = "0.0900305733 0.244728476 0.665240943" ]
    done
}

@test "probabilities to logits and back" {
    run clsoftmax run --probabilities -T 0.5 - <<<"0.25,0.75"
    [ "$output" = "0.100000001 0.899999976" ]
}

@test "the limits T = 0 and T = inf" {
    run clsoftmax run -T 0 - <<<"3 1 3"
    [ "$output" = "0.5 0 0.5" ]
    run clsoftmax run -T inf - <<<"3 1 3"
    [ "$output" = "0.333333343 0.333333343 0.333333343" ]
}

@test "text: delimiters, comments, inf and nan, Windows line ends" {
    printf '# logits\n1,2\t,3 ,  4 # four\r\n-inf, 0, nan,inf\n' >x.csv
    run --separate-stderr clsoftmax run x.csv
    [ "${lines[0]}" = "0.0320586041 0.0871443152 0.236882821 0.643914282" ]
    [ "${lines[1]}" = "nan nan nan nan" ]
    [ "$status" -eq 0 ]
}

@test "text: wrong input names the line and the value" {
    local text why
    while IFS='|' read -r text why; do
        printf '%b' "$text" >x.txt
        run --separate-stderr clsoftmax run x.txt
        expect_error 2 "x.txt" "$why"
    done <<'CASES'
1 2\n3\n|line 2: 1 values, but the rows before have 2
1 2\n\n3 4\n|line 3: a row behind line 2, which is blank
1 two 3\n|line 1, value 2: "two" is not a number
1 2x\n|"2x" is not a number
1,,2\n|value 2 is missing
1,2,\n|value 3 is missing
,1\n|value 1 is missing
1 1e999\n|"1e999" is finite, but too large
1 \0 2\n|a zero byte
# nothing\n|no row of numbers
|no row of numbers
CASES
    run --separate-stderr clsoftmax run --probabilities - <<<"0.5 -0.5"
    expect_error 2 "standard input: line 1, value 2" "negative"
    run --separate-stderr clsoftmax run --probabilities - <<<"1e999 0.5"
    expect_error 2 "standard input: line 1, value 1" "too large"
}

@test "errors quote untrusted bytes without those that control a terminal" {
    printf '1 \033]0:t\007\302\233\377x\303\251 3\n' >x.txt
    run --separate-stderr clsoftmax run x.txt
    expect_error 2 'x.txt: line 1, value 2: " ]0:t  ?xé" is not a number'
    run --separate-stderr clsoftmax run $'\033[2J\377.npy'
    expect_error 2 ' [2J?.npy: No such file'
}

@test "a row of 100,000 numbers, and no line feed at the end" {
    seq -s ' ' 100000 | tr -d '\n' >x.txt
    run clsoftmax run x.txt
    [ "$(wc -w <<<"$output")" -eq 100000 ]
}

@test "options that are wrong" {
    echo 1 | tee x.txt >x.dat
    local words why
    while IFS='|' read -r words why; do
        # shellcheck disable=SC2086
        run --separate-stderr clsoftmax run $words
        expect_error 2 "$why"
    done <<'CASES'
x.txt -T -1|-T -1: the temperature is a number from 0 to inf
x.txt -T nan|from 0 to inf
x.txt -T 1x|from 0 to inf
x.txt -T 1e39|larger than f32 holds
x.txt -T @t.txt|t.txt: No such file
x.txt -T|-T: an argument is missing
x.txt --frobnicate|--frobnicate: no such option
x.txt --axis 2|--axis: axis 2 is not there: the array has 2 dimensions
x.txt --axis -3|--axis: axis -3 is not there
x.txt --axis first|--axis first: it takes a whole number
x.txt --out-dtype f64|--out-dtype f64: it takes one of f32, f16, bf16
x.txt --input-dtype f16|x.txt: --input-dtype f16, but the file holds f32
x.txt --neg-inf-rows one|--neg-inf-rows one: it takes one of nan, zero, uniform
x.txt --pos-inf 1|--pos-inf 1: it takes one of nan, limit
x.txt --stats=s.txt|--stats=s.txt: the name of an .npy file
x.txt --strategy fast|--strategy fast: it takes one of auto, column, lane, item, split, group
x.txt -qz|-q: no such option
x.txt --strategy group|strategy "group" does not run on this device
x.txt y.txt|y.txt: one INPUT only
|INPUT is missing
x.txt -o out.txt|-o out.txt: the name of an .npy or .safetensors file
nowhere.npy|nowhere.npy: No such file
nowhere.txt|nowhere.txt: No such file
x.dat|x.dat: unknown kind of file
x.txt -d 77:7|device "77:7"
CASES
    run --separate-stderr "$CLSOFTMAX" frobnicate
    expect_error 2 "frobnicate: no such command"
    run --separate-stderr "$CLSOFTMAX"
    expect_error 2 "a command is missing"
}

@test "the real logits, verified on the default device" {
    run --separate-stderr "$CLSOFTMAX" run "$SOURCE/tests/data/digits_val_logits.npy" -T 3.05 --verify -o p.npy
    [ "$status" -eq 0 ]
    [[ $stderr == *"0 of 7000 values differ from cpu in bits"*"passed"* ]]
    [ "$(wc -c <p.npy)" -eq $((128 + 28000)) ]
}

@test "statistics alone: the compiler has no warning for any kernel" {
    needs_device
    for strategy in $("$BUILD/kernel_watch" --strategies); do
        POCL_CACHE_DIR=$PWD/$strategy run --separate-stderr "$CLSOFTMAX" run -d 0:0 --strategy "$strategy" --stats \
            "$SOURCE/tests/data/digits_val_logits.npy"
        [ "$status" -eq 0 ]
        [ -z "$stderr" ] || echo "$strategy: $stderr"
        [ -z "$stderr" ]
    done
}

@test "--accuracy fast: other bits, the same with every strategy and device, within its own bound" {
    local logits=$SOURCE/tests/data/digits_val_logits.npy
    clsoftmax run "$logits" -T 3.05 -o faithful.npy
    clsoftmax run "$logits" -T 3.05 --accuracy faithful -o p.npy
    cmp faithful.npy p.npy
    run --separate-stderr clsoftmax run "$logits" -T 3.05 --accuracy fast --stats=s.npy --verify -o fast.npy
    [[ $stderr == *"verify: cpu: 0 of "*" values differ from cpu in bits, at most "[1-4]" ULP from reference"*": passed" ]]
    ! cmp -s faithful.npy fast.npy
    clsoftmax run "$logits" -T 3.05 --accuracy fast --strategy item -o p.npy
    cmp fast.npy p.npy
    clsoftmax run "$logits" -T 3.05 --accuracy fast --strategy lane -o p.npy
    cmp fast.npy p.npy
    clsoftmax run "$logits" -T 3.05 --out-dtype f16 -o half.npy
    clsoftmax run "$logits" -T 3.05 --out-dtype f16 --accuracy fast -o p.npy
    cmp half.npy p.npy
    run --separate-stderr clsoftmax run "$logits" --accuracy exact
    expect_error 2 "--accuracy" "faithful" "fast"
    needs_device
    clsoftmax run "$logits" -T 3.05 --accuracy fast -d 0:0 -o p.npy
    cmp fast.npy p.npy
}

@test "--verify fails where a kernel is wrong" {
    needs_device
    cp -r "$SOURCE/kernels" faulty
    sed -i 's/0x1.555554p-3f/0x1.555558p-3f/' faulty/core/faithful.h
    run --separate-stderr env CLSOFTMAX_KERNEL_DIR=faulty "$CLSOFTMAX" run -d 0:0 \
        "$SOURCE/tests/data/digits_val_logits.npy" --verify -o p.npy
    [ "$status" -eq 1 ]
    [[ $stderr == *"FAILED"* ]]
    [ ! -e p.npy ]
}

@test "a failure leaves nothing under the name of the output, and no other file" {
    echo "1 2" >x.txt
    run --separate-stderr clsoftmax run x.txt -o nowhere/p.npy
    expect_error 1 "nowhere/p.npy: No such file or directory"
    mkdir folder.npy
    run --separate-stderr clsoftmax run x.txt -o folder.npy
    expect_error 1 "folder.npy: is a directory"
    run --separate-stderr clsoftmax run x.txt -o p.npy
    [ "$status" -eq 0 ]
    [ -z "$(find . -name '.*.clsoftmax-*')" ]
    [ "$(stat -c %a p.npy)" = "$(printf %o $((0666 & ~$(umask))))" ]
}

@test "a full disk" {
    [ -w /dev/full ] || skip "no /dev/full"
    seq -s ' ' 10000 >x.txt
    for words in "run -d cpu x.txt" "run -d cpu x.txt --stats" "devices" "devices --json" "verify -d cpu" "--help" \
        "run --help" "--version"; do
        run --separate-stderr bash -c "\"\$CLSOFTMAX\" $words >/dev/full"
        echo "$words: $stderr"
        [ "$status" -eq 1 ]
        [[ $stderr == *"No space left"* ]]
    done
}

@test "a limit on the size of files" {
    seq -s ' ' 100000 >x.txt
    run --separate-stderr bash -c 'ulimit -f 8; "$CLSOFTMAX" run -d cpu x.txt -o p.npy'
    [ "$status" -eq 1 ]
    [[ $stderr == *"p.npy: File too large" ]]
    [ -z "$(find . -name '*p.npy*')" ]
}

@test "an output that exists keeps its mode; of a link the target is replaced" {
    echo "1 2" >x.txt
    echo old >real.npy
    chmod 640 real.npy
    ln -s real.npy link.npy
    clsoftmax run x.txt -o link.npy
    [ -L link.npy ]
    [ "$(stat -c %a real.npy)" = 640 ]
    [ "$(wc -c <real.npy)" -eq 136 ]
}

@test "a signal that is ignored, as under nohup, stays ignored" {
    yes "1 2 3 4 5 6 7 8 9 10" | head -n 200000 >x.txt || true
    run --separate-stderr bash -c 'trap "" HUP; "$CLSOFTMAX" run -d cpu x.txt -o p.npy & pid=$!
        for i in 1 2 3 4 5 6 7 8; do sleep 0.05; kill -HUP $pid 2>/dev/null; done; wait $pid'
    [ "$status" -eq 0 ]
    [ -e p.npy ]
}

@test "where there are no more threads, a run takes fewer or gives an error, and does not hang" {
    limits_address_space
    for limit in 200000 300000 1000000; do
        run --separate-stderr timeout 20 bash -c \
            "ulimit -v $limit; CLSOFTMAX_THREADS=500 \"\$CLSOFTMAX\" run -d cpu -T 10 - <<<'10 20 30'"
        echo "$limit: $status $output $stderr"
        [ "$output" = "0.0900305733 0.244728476 0.665240943" ] || expect_error 1 "no memory"
    done
}

@test "a closed pipe ends quietly with 1" {
    seq 200000 >x.txt
    run --separate-stderr bash -c '"$CLSOFTMAX" run -d cpu x.txt | head -n 1; exit "${PIPESTATUS[0]}"'
    [ "$status" -eq 1 ]
    [ "$output" = 1 ]
    [ -z "$stderr" ]
}

@test "the environment names the device; a wrong name is an error" {
    run --separate-stderr env CLSOFTMAX_DEVICE="no such maker" "$CLSOFTMAX" run - <<<"1 2"
    expect_error 2 'device "no such maker"'
}

@test "without a driver auto computes on cpu and says so" {
    run --separate-stderr env OCL_ICD_VENDORS=/nonexistent "$CLSOFTMAX" run -T 10 - <<<"10 20 30"
    [ "$output" = "0.0900305733 0.244728476 0.665240943" ]
    [[ $stderr == 'clsoftmax: note: computing on device "cpu": no OpenCL driver is installed' ]]
    run --separate-stderr env OCL_ICD_VENDORS=/nonexistent "$CLSOFTMAX" run -d 0:0 - <<<"1 2"
    expect_error 2 'device "0:0": no OpenCL driver is installed'
}

@test "a device that cannot compile is passed over by auto, refused by name, listed with its reason" {
    needs_device
    export OPENCL_LAYERS="$NO_COMPILER_LAYER"
    run --separate-stderr "$CLSOFTMAX" run -T 10 - <<<"10 20 30"
    [ "$output" = "0.0900305733 0.244728476 0.665240943" ]
    [[ $stderr == *'computing on device "cpu":'*"refused a trivial kernel: CL_BUILD_PROGRAM_FAILURE (-11)"* ]]
    run --separate-stderr "$CLSOFTMAX" run -d 0:0 - <<<"1 2"
    expect_error 1 "refused a trivial kernel"
    run --separate-stderr "$CLSOFTMAX" devices
    [[ $output == *"NOT USABLE: "*"refused a trivial kernel"*"* cpu"* ]]
}

@test "a progress bar when asked for, none in a pipe; the same results in blocks" {
    seq 50 | awk '{print $1, 2, $1 / 7}' >x.txt
    clsoftmax run x.txt -o whole.npy
    run --separate-stderr clsoftmax run x.txt
    [ -z "$stderr" ]
    run --separate-stderr clsoftmax run x.txt --progress -o p.npy
    [[ $stderr == *"%"*"of 50 rows"* ]]
    cmp whole.npy p.npy
}

@test "help and version" {
    for command in run sweep plot explore devices verify; do
        run --separate-stderr "$CLSOFTMAX" $command --help
        [ "$status" -eq 0 ]
        [[ $output == "usage: clsoftmax $command"* ]]
    done
    run "$CLSOFTMAX" --help
    [[ $output == "usage: clsoftmax COMMAND"* ]]
    run "$CLSOFTMAX" --version
    [[ $output == "clsoftmax "[0-9]*.[0-9]*.[0-9]* ]]
}
