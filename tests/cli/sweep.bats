# The command `sweep`: many temperatures, with the bits of as many runs.
bats_require_minimum_version 1.5.0
load helpers

# body FILE: prints the bytes behind the header of an .npy file
body() {
    local length
    length=$(od -An -tu2 -j8 -N2 "$1")
    tail -c +$((10 + length + 1)) "$1"
}

# runs OPTION...: computes results and statistics by `run` at each of $temperatures, one after another
runs() {
    local temperature
    rm -f runs.results runs.statistics
    for temperature in $temperatures; do
        clsoftmax run "$@" -T "$temperature" -o run.npy --stats=run-statistics.npy
        body run.npy >>runs.results
        body run-statistics.npy >>runs.statistics
    done
}

# expect_runs: sweep.npy and sweep-statistics.npy hold what `runs` has computed
expect_runs() {
    body sweep.npy | cmp - runs.results && body sweep-statistics.npy | cmp - runs.statistics
}

# expect_shape FILE SHAPE
expect_shape() {
    head -c 256 "$1" | grep -aqF "'shape': $2" || { head -c 256 "$1" | grep -a shape; return 1; }
}

@test "a sweep has the bits of separate runs, whatever the axis, the dtype, the operation and the device" {
    local logits=$SOURCE/tests/data/digits_val_logits.npy options devices="cpu reference"
    "$CLSOFTMAX" devices --json >devices.json
    ! grep -q '"selector": "0:0"' devices.json || devices+=" 0:0"
    temperatures="0 0.1 1 3.05 1e4 inf"
    for CLSOFTMAX_DEVICE in $devices; do
        export CLSOFTMAX_DEVICE
        for options in "" "--axis 0" "--log --out-dtype f16" "--out-dtype bf16 --axis 0"; do
            # shellcheck disable=SC2086
            runs "$logits" $options
            # shellcheck disable=SC2086
            clsoftmax sweep "$logits" $options -T 0,0.1,1,3.05,1e4,inf -o sweep.npy --stats=sweep-statistics.npy
            echo "$CLSOFTMAX_DEVICE $options"
            expect_runs
            expect_shape sweep.npy "(6, 700, 10)"
        done
        expect_shape sweep-statistics.npy "(6, 10)"
    done
}

@test "slabs, parts of the rows and shards change no bit" {
    local logits=$SOURCE/tests/data/digits_val_logits.npy axis part
    temperatures="0.5 2 inf"
    for axis in 0 1; do
        runs "$logits" --axis $axis
        clsoftmax sweep "$logits" --axis $axis -T 0.5,2,inf --memory 150k --verify -d cpu,cpu -o sweep.npy \
            --stats=sweep-statistics.npy
        expect_runs
        rm sweep.npy sweep-statistics.npy
        for part in 2 0 1; do
            [ ! -e sweep.npy ]
            clsoftmax sweep "$logits" --axis $axis -T 0.5,2,inf --shard $part/3 -o sweep.npy \
                --stats=sweep-statistics.npy
        done
        expect_runs
    done
    runs "$logits" --rows 30:50
    clsoftmax sweep "$logits" -T 0.5,2,inf --rows 30:50 -o sweep.npy --stats=sweep-statistics.npy
    expect_runs
}

@test "a shard of other temperatures belongs to another file" {
    local logits=$SOURCE/tests/data/digits_val_logits.npy
    clsoftmax sweep "$logits" -T 1,2 --shard 0/2 -o sweep.npy
    clsoftmax sweep "$logits" -T 1,3 --shard 1/2 -o sweep.npy
    [ ! -e sweep.npy ]
    clsoftmax sweep "$logits" -T 1,2 --shard 1/2 -o sweep.npy
    [ -e sweep.npy ]
}

@test "three dimensions, the axis in the middle" {
    npy x.npy '<f4' False '(2, 5, 3)'
    head -c 240 <"$SOURCE/tests/data/digits_val_logits.npy" >head # what follows is data from byte 128 on
    tail -c 112 head >part
    cat part part | head -c 120 >>x.npy
    temperatures="1 7"
    runs x.npy --axis 1
    clsoftmax sweep x.npy --axis 1 -T 1,7 --memory 200 -o sweep.npy --stats=sweep-statistics.npy
    expect_runs
    expect_shape sweep.npy "(2, 2, 5, 3)"
    expect_shape sweep-statistics.npy "(2, 6)"
    clsoftmax sweep x.npy --axis 1 -T 1,7 >whole.txt
    clsoftmax sweep x.npy --axis 1 -T 1,7 --memory 100 >slabs.txt
    cmp whole.txt slabs.txt
    [ "$(wc -l <whole.txt)" -eq 13 ]
}

@test "text: named columns, a line for each row and temperature, the numbers of run" {
    printf '10 20 30\n3 1 3\n' >x.txt
    run --separate-stderr clsoftmax sweep x.txt -T 0,10,inf
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "temperature row class_0 class_1 class_2" ]
    [ "${lines[2]}" = "10 0 0.0900305733 0.244728476 0.665240943" ]
    [ "${lines[4]}" = "0 1 0.5 0 0.5" ]
    [ "${#lines[@]}" -eq 7 ]
    local line temperature row rest
    while read -r temperature row rest; do
        [ "$(clsoftmax run x.txt -T "$temperature" --rows "$row:$((row + 1))")" = "$rest" ]
    done < <(tail -n +2 <<<"$output")
    clsoftmax sweep x.txt -T 0,10,inf --axis 0 >columns.txt
    [ "$(sed -n 2p columns.txt)" = "0 0 1 0" ]
}

@test "the table of statistics, and with labels the fit of each temperature" {
    local logits=$SOURCE/tests/data/digits_val_logits.npy temperature
    local labels=$SOURCE/tests/data/digits_val_labels.npy
    run --separate-stderr clsoftmax sweep "$logits" -T lin:1:5:3,0.1 --stats --labels "$labels" --rows 5:9
    [ "$status" -eq 0 ]
    local fields="argmax maximum log_sum_exp entropy largest_probability margin negative_log_likelihood"
    [ "${lines[0]}" = "temperature row $fields" ]
    [ "${#lines[@]}" -eq $((1 + 4 * 4 + 4)) ]
    for temperature in 1 3 5 0.1; do
        clsoftmax run "$logits" -T $temperature --stats --labels "$labels" --rows 5:9 >run.txt
        grep "^$temperature " <<<"$output" | cut -d' ' -f3- | cmp - <(sed -e 1d -e '/^#/d' run.txt)
        grep "^# temperature $temperature: " <<<"$output" | cut -d' ' -f4- | cmp - <(grep '^#' run.txt | cut -d' ' -f2-)
    done
    temperatures="1 2"
    runs "$logits"
    [ -z "$(clsoftmax sweep "$logits" -T 1,2 --stats=sweep-statistics.npy)" ] # it prints no results
    body sweep-statistics.npy | cmp - runs.statistics
    clsoftmax sweep "$logits" -T 1,2 --labels "$labels" -o sweep.npy >labels.txt
    [ "$(wc -l <labels.txt)" -eq 2 ]
    clsoftmax sweep "$logits" -T 1,2 --stats -o sweep.npy >table.txt
    [ "$(wc -l <table.txt)" -eq 1401 ]
}

@test "lists of temperatures" {
    local list wanted
    while IFS='|' read -r list wanted; do
        run --separate-stderr clsoftmax sweep - -T "$list" <<<"1 2"
        echo "$list: $output $stderr"
        [ "$status" -eq 0 ]
        [ "$(tail -n +2 <<<"$output" | cut -d' ' -f1 | xargs)" = "$wanted" ]
    done <<'CASES'
1|1
1,10,20,30,100|1 10 20 30 100
0,inf|0 inf
lin:0:1:5|0 0.25 0.5 0.75 1
lin:3:1:3|3 2 1
lin:2:9:1|2
log:0.1:100:4|0.1 1 10 100
log:100:0.01:5,7|100 10 1 0.1 0.01 7
0,log:1e-4:1e4:9,inf|0 0.0001 0.001 0.01 0.1 1 10 100 1000 10000 inf
-0,1e-46,0x1p3,infinity|0 0 8 inf
CASES
}

@test "lists and options that are wrong" {
    echo "1 2" >x.txt
    local words why
    while IFS='|' read -r words why; do
        # shellcheck disable=SC2086
        run --separate-stderr clsoftmax sweep $words
        echo "$words"
        expect_error 2 "$why"
    done <<'CASES'
x.txt|-T LIST is missing
x.txt -T 1,,2|"": a temperature is a number from 0 to inf
x.txt -T 1,|"": a temperature is a number
x.txt -T 1;2|"1;2": parts have a comma between
x.txt -T 1,-2|"-2": a temperature is a number from 0 to inf
x.txt -T nan|"nan": a temperature is a number
x.txt -T 1e39|larger than f32 holds
x.txt -T lin:1:2|it takes lin:LO:HI:N
x.txt -T lin:1:2:0|N is at least 1, and at most 1000000
x.txt -T lin:1:2:3.5|parts have a comma between
x.txt -T lin:1:inf:3|inf is no end of a range
x.txt -T log:0:1:3|0 is no end of equal ratios
x.txt -T log:1:2:1000001|more than 1000000
x.txt -T log:1:2:99999999999999999999|N is at least 1, and at most 1000000
x.txt -T log:1:2:18446744073709551615|more than 1000000
x.txt -T exp:1:2:3|"exp:1:2:3": a temperature is a number
x.txt -T 1 --log --stats|--log: --stats takes the place
x.txt -T 1 -o p.txt|-o p.txt: the name of an .npy or .safetensors file
x.txt -T 1 --plot p.gif|--plot p.gif: the name of an .svg, .png or .pdf file
x.txt -T 0,1,inf --plot p.svg|--plot: curves take two temperatures between 0 and inf
x.txt -T 1,2 --row -1|--row -1: it takes a whole number from 0 on
x.txt -T 1,2 --top 0|--top 0: it takes a whole number from 1 on
x.txt -T 1 --memory 10|--memory 10: 1 row of 2 classes takes
-T 1|INPUT is missing; see clsoftmax sweep --help
CASES
    run --separate-stderr clsoftmax run x.txt --temperatures 1,2
    expect_error 2 "--temperatures: no such option"
    run --separate-stderr clsoftmax run x.txt --plot p.svg
    expect_error 2 "--plot: no such option"
}

@test "a pipe takes a sweep whose rows fit memory together, and refuses others" {
    local logits=$SOURCE/tests/data/digits_val_logits.npy
    clsoftmax sweep "$logits" -T 1,2 -o whole.npy
    mkfifo pipe.npy
    cat pipe.npy >read.npy &
    clsoftmax sweep "$logits" -T 1,2 -o pipe.npy
    wait
    cmp whole.npy read.npy
    cat pipe.npy >/dev/null &
    run --separate-stderr clsoftmax sweep "$logits" -T 1,2 --memory 10k -o pipe.npy
    wait
    expect_error 2 "a pipe needs 700 rows in memory at a time"
    cat pipe.npy >/dev/null &
    run --separate-stderr clsoftmax run "$logits" --axis 0 --memory 10k -o pipe.npy
    wait
    expect_error 2 "a pipe needs 10 rows in memory at a time"
}

@test "a full disk and a limit on files leave nothing" {
    local logits=$SOURCE/tests/data/digits_val_logits.npy
    run --separate-stderr bash -c "ulimit -f 8; \"\$CLSOFTMAX\" sweep -d cpu '$logits' -T 1,2,3 -o p.npy"
    [ "$status" -eq 1 ]
    [[ $stderr == *"p.npy: File too large" ]]
    [ -z "$(find . -name '*p.npy*')" ]
    [ -w /dev/full ] || return 0
    run --separate-stderr bash -c "\"\$CLSOFTMAX\" sweep -d cpu '$logits' -T 1,2,3 >/dev/full"
    [ "$status" -eq 1 ]
    [[ $stderr == *"No space left"* ]]
}

@test "without rows only the names of the columns are printed" {
    npy empty.npy '<f4' False '(0, 3)'
    [ "$(clsoftmax sweep empty.npy -T 1,2)" = "temperature row class_0 class_1 class_2" ]
    clsoftmax sweep empty.npy -T 1,2 -o p.npy --stats=s.npy
    expect_shape p.npy "(2, 0, 3)"
    expect_shape s.npy "(2, 0)"
}
