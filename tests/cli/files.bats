# Files in slabs: larger than the memory that is allowed, in parts, by several devices, and after kills.
bats_require_minimum_version 1.5.0
load helpers

LOGITS=$SOURCE/tests/data/digits_val_logits.npy # 700 x 10

# random_npy FILE SHAPE ELEMENTS: writes f4 with any bits, also NaN and inf
random_npy() {
    npy "$1" '<f4' False "$2"
    head -c $(($3 * 4)) /dev/urandom >>"$1"
}

opencl_device() {
    needs_device
}

@test "slabs of any size give the same bytes, along every axis, in every type" {
    random_npy x.npy '(6, 50, 70)' 21000
    for axis in 0 1 2; do
        for options in "" "--log --out-dtype f16" "--stats=s.npy"; do
            clsoftmax run x.npy --axis $axis $options -o whole.npy
            [ "${options#--stats}" = "$options" ] || cp s.npy whole-s.npy
            for memory in 3k 20k 100k; do
                clsoftmax run x.npy --axis $axis $options -o p.npy --memory $memory
                cmp whole.npy p.npy
                [ "${options#--stats}" = "$options" ] || cmp whole-s.npy s.npy
            done
        done
    done
}

@test "f8, big-endian and probabilities in slabs; a wrong number in a late one leaves no file" {
    npy x.npy '>f4' False '(300, 7)'
    head -c 8400 /dev/zero | tr '\0' '\077' >>x.npy
    clsoftmax run x.npy -o whole.npy --probabilities
    clsoftmax run x.npy -o p.npy --probabilities --memory 1k
    cmp whole.npy p.npy
    printf '\xbf\x80\0\0' | dd of=x.npy bs=1 seek=$(($(stat -c %s x.npy) - 4)) conv=notrunc status=none
    run --separate-stderr clsoftmax run x.npy -o bad.npy --probabilities --memory 1k
    expect_error 2 "x.npy: element [299, 6]: -1 is negative"
    [ -z "$(find . -name '*bad.npy*')" ]
}

@test "temperatures and labels of each row in slabs" {
    for option in "-T @temperatures.npy" "--labels $SOURCE/tests/data/digits_val_labels.npy"; do
        npy temperatures.npy '<f2' False '(700,)'
        head -c 1400 /dev/zero | tr '\0' '\077' >>temperatures.npy # 1.81
        clsoftmax run "$LOGITS" $option --stats=whole-s.npy -o whole.npy >whole.txt
        clsoftmax run "$LOGITS" $option --stats=s.npy -o p.npy --memory 4k >p.txt
        cmp whole.npy p.npy
        cmp whole-s.npy s.npy
        cmp whole.txt p.txt
    done
    clsoftmax run "$LOGITS" -T @temperatures.npy --rows 100:300 -o p.npy
    seq 700 >temperatures.txt
    clsoftmax run "$LOGITS" -T @temperatures.txt -o whole.npy
    clsoftmax run "$LOGITS" -T @temperatures.txt --rows 100:300 -o p.npy --memory 4k
    cmp <(tail -c 8000 p.npy) <(tail -c +$((128 + 4000 + 1)) whole.npy | head -c 8000)
}

@test "text comes in the order of the rows" {
    clsoftmax run "$LOGITS" >whole.txt
    clsoftmax run "$LOGITS" --memory 2k >p.txt
    cmp whole.txt p.txt
    clsoftmax run "$LOGITS" --stats >whole.txt
    clsoftmax run "$LOGITS" --stats --memory 2k >p.txt
    cmp whole.txt p.txt
    mkfifo pipe.npy
    clsoftmax run "$LOGITS" -o whole.npy
    cat pipe.npy >p.npy &
    clsoftmax run "$LOGITS" --memory 2k -o pipe.npy
    wait
    cmp whole.npy p.npy
}

@test "resident memory stays below the limit, whatever the size of the file" {
    limits_address_space
    npy x.npy '<f4' False '(1000, 100000)'
    truncate -s +400000000 x.npy
    export MALLOC_ARENA_MAX=1 CLSOFTMAX_DEVICE=cpu
    run --separate-stderr bash -c 'ulimit -v 300000; "$CLSOFTMAX" run x.npy --memory 32M -T 2 -o p.npy'
    echo "$stderr"
    [ "$status" -eq 0 ]
    [ "$(stat -c %s p.npy)" -eq 400000128 ]
    # the limit has an effect: with all of the file in memory it does not suffice
    run --separate-stderr bash -c 'ulimit -v 300000; "$CLSOFTMAX" run x.npy --memory 2G --axis 0 >q.txt'
    [ "$status" -eq 1 ]
    [[ $stderr == *"no memory for 100000 rows at a time"* ]]
    run --separate-stderr clsoftmax run x.npy --memory 300k -o q.npy
    expect_error 2 "--memory 307200: 1 row of 100000 classes takes 400000 bytes"
    [ ! -e q.npy ]
}

@test "a run that is killed leaves no file under the name; the next run removes what is left, and is right" {
    random_npy x.npy '(20000, 100)' 2000000
    clsoftmax run x.npy -o whole.npy
    local left=0
    for delay in 0.01 0.02 0.03 0.04 0.05 0.07 0.1; do
        rm -f p.npy
        CLSOFTMAX_DEVICE=cpu "$CLSOFTMAX" run x.npy -o p.npy --memory 20k &
        sleep $delay
        kill -9 $! 2>/dev/null || true
        wait $! || true
        [ ! -e p.npy ] || cmp whole.npy p.npy
        [ -z "$(find . -name '.p.npy.*')" ] || left=$((left + 1))
    done
    echo "files left: $left"
    [ $left -gt 0 ]
    clsoftmax run x.npy -o p.npy
    cmp whole.npy p.npy
    [ -z "$(find . -name '.p.npy.*')" ]
}

@test "a temporary file that another process is writing is not removed" {
    random_npy x.npy '(20000, 100)' 2000000
    clsoftmax run x.npy -o whole.npy
    CLSOFTMAX_DEVICE=cpu "$CLSOFTMAX" run x.npy -o p.npy --memory 20k &
    for i in 1 2 3; do clsoftmax run x.npy -o p.npy; done
    wait $!
    cmp whole.npy p.npy
}

@test "shards in any order give the whole file; a repeated shard and one of another request are recognised" {
    clsoftmax run "$LOGITS" -T 2 --stats=whole-s.npy -o whole.npy
    for i in 2 0 0; do
        run --separate-stderr clsoftmax run "$LOGITS" -T 2 --shard $i/3 --stats=s.npy -o p.npy
        [ "$status" -eq 0 ]
        [ ! -e p.npy ]
    done
    [[ $stderr == *"p.npy: 2 of 3 shards are complete; the file appears with the last"* ]]
    clsoftmax run "$LOGITS" -T 3 --shard 1/3 -o p.npy # another temperature
    [ ! -e p.npy ]
    clsoftmax run "$LOGITS" -T 2 --shard 1/3 --stats=s.npy -o p.npy
    cmp whole.npy p.npy
    cmp whole-s.npy s.npy
    clsoftmax run "$LOGITS" --axis 0 -o whole.npy
    for i in 3 1 0 2; do clsoftmax run "$LOGITS" --axis 0 --shard $i/4 -o q.npy; done
    cmp whole.npy q.npy
}

@test "shards at the same time, more of them than rows" {
    head -c $((128 + 160)) "$LOGITS" | sed 's/(700, 10)/(4, 10)  /' >x.npy
    clsoftmax run x.npy -o whole.npy
    for i in 0 1 2 3 4 5 6; do clsoftmax run x.npy --shard $i/7 -o p.npy 2>/dev/null & done
    wait
    cmp whole.npy p.npy
    [ -z "$(find . -name '.p.npy*')" ]
}

@test "a shard that was killed is not complete" {
    needs_strace
    random_npy x.npy '(20000, 100)' 2000000
    clsoftmax run x.npy -o whole.npy
    for write in 1 5 100; do # of one thread
        run injected "pwrite64:signal=KILL:when=$write" "$CLSOFTMAX" run x.npy --shard 0/2 -o p.npy --memory 20k
        [ "$status" -eq 137 ]
        [ "$(compgen -G '.p.npy.clsoftmax-*' | wc -l)" -eq 1 ]
        clsoftmax run x.npy --shard 1/2 -o p.npy
        [ ! -e p.npy ]
        clsoftmax run x.npy --shard 0/2 -o p.npy
        cmp whole.npy p.npy
        rm p.npy
    done
}

@test "--rows computes some rows of the first axis" {
    clsoftmax run "$LOGITS" -o whole.npy
    clsoftmax run "$LOGITS" --rows 100:300 -o p.npy
    grep -aq "'shape': (200, 10), }" p.npy
    cmp <(tail -c 8000 p.npy) <(tail -c +$((128 + 4000 + 1)) whole.npy | head -c 8000)
    for rows in :700 0: 0:9999; do
        clsoftmax run "$LOGITS" --rows $rows -o p.npy
        cmp whole.npy p.npy
    done
    clsoftmax run "$LOGITS" --rows 5:5 -o p.npy
    grep -aq "'shape': (0, 10), }" p.npy
    run --separate-stderr clsoftmax run "$LOGITS" --rows 800:900
    expect_error 2 "--rows: begins at 800, but"
    run --separate-stderr clsoftmax run "$LOGITS" --axis 0 --rows 1:2
    expect_error 2 "the first axis of" "holds classes, not rows"
    for rows in 1 2:1 a:b 1:2:3 -:2 -1:-2 :; do
        [ "$rows" = : ] && continue
        run --separate-stderr clsoftmax run "$LOGITS" --rows $rows
        expect_error 2 "--rows $rows: it takes A:B"
    done
}

@test "options for large files that are wrong" {
    for memory in 0 M 5X 1.5G -1 99999999999999999999 99999999T; do
        run --separate-stderr clsoftmax run "$LOGITS" --memory $memory
        expect_error 2 "--memory $memory: it takes a size"
    done
    for shard in 3/3 1 /2 1/ 0/0 -1/2 1/2/3 0/1000001; do
        run --separate-stderr clsoftmax run "$LOGITS" --shard $shard -o p.npy
        expect_error 2 "--shard $shard: it takes I/N" "N is at most 1000000"
    done
    run --separate-stderr clsoftmax run "$LOGITS" --shard 0/2
    expect_error 2 "--shard: results go to a file"
    run --separate-stderr clsoftmax run "$LOGITS" -d cpu,,cpu
    expect_error 2 "a name between commas is empty"
    npy x.npy '<f4' True '(100, 100)'
    head -c 40000 /dev/zero >>x.npy
    run --separate-stderr clsoftmax run x.npy --memory 10k
    expect_error 2 "x.npy: in Fortran order, which is read at once"
    run --separate-stderr clsoftmax run x.npy --memory 40100
    expect_error 2 "--memory 40100: 1 row of 100 classes takes 400 bytes, beside 40000 bytes of files in Fortran order"
}

@test "--explain says what would be done, and does not do it" {
    run --separate-stderr clsoftmax run "$LOGITS" --memory 10k -o p.npy --explain
    [ "$status" -eq 0 ]
    [[ $output == *"700 of 10 classes"*"slabs: 85 rows each, 3 in memory"*"device cpu: "* ]]
    [ ! -e p.npy ]
}

@test "several devices give the same bytes, whatever their shares" {
    opencl_device
    random_npy x.npy '(20000, 100)' 2000000
    clsoftmax run x.npy -o whole.npy
    for devices in cpu,0:0 cpu,cpu,cpu all; do
        "$CLSOFTMAX" run x.npy -d $devices -o p.npy --memory 1M
        cmp whole.npy p.npy
    done
    "$CLSOFTMAX" run "$LOGITS" -d cpu,0:0 --memory 4k --verify >p.txt
    clsoftmax run "$LOGITS" | cmp - p.txt
}

@test "a device that is lost hands its rows to the others, with a notice; losing the last one is an error" {
    opencl_device
    random_npy x.npy '(20000, 100)' 2000000
    clsoftmax run x.npy -o whole.npy
    export OPENCL_LAYERS="$LOST_DEVICE_LAYER"
    for after in 0 1; do
        run --separate-stderr env LOST_AFTER=$after "$CLSOFTMAX" run x.npy -d 0:0,cpu -o p.npy --memory 1M
        echo "$stderr"
        [ "$status" -eq 0 ]
        [ "${#stderr_lines[@]}" -eq 1 ]
        [[ $stderr == *"note: 0:0 failed: "*"CL_OUT_OF_RESOURCES"*"its rows go to cpu"* ]]
        cmp whole.npy p.npy
    done
    run --separate-stderr env LOST_AFTER=5 "$CLSOFTMAX" run x.npy -d 0:0 -o q.npy --memory 1M
    [ "$status" -eq 1 ]
    [[ $stderr == *"CL_OUT_OF_RESOURCES"* ]]
    [ -z "$(find . -name '*q.npy*')" ]
}

@test "shards of another version of the input do not count, nor do temporary files that have changed" {
    printf '1 2\n3 4\n' >x.txt
    clsoftmax run x.txt --shard 0/2 -o p.npy
    printf '5 2\n3 9\n' >x.txt
    clsoftmax run x.txt --shard 1/2 -o p.npy
    [ ! -e p.npy ]
    clsoftmax run "$LOGITS" -o whole.npy
    clsoftmax run "$LOGITS" --shard 0/2 -o q.npy
    rm .q.npy.*
    clsoftmax run "$LOGITS" --shard 1/2 -o q.npy
    [ ! -e q.npy ]
    clsoftmax run "$LOGITS" --shard 0/2 -o q.npy
    cmp whole.npy q.npy
    run --separate-stderr clsoftmax run - --shard 0/2 -o q.npy <<<"1 2"
    expect_error 2 "standard input goes to one process"
    run --separate-stderr clsoftmax run "$LOGITS" --shard 0/2 -o q.npy -d reference
    expect_error 2 "--device reference: its bits are its own"
}

@test "shards: a file and its statistics are not taken for each other" {
    npy x.npy '<f4' False '(4, 8)' # results and statistics are of the same size
    tail -c 128 "$LOGITS" >>x.npy
    clsoftmax run x.npy --shard 0/2 -o p.npy --stats=q.npy
    clsoftmax run x.npy --shard 1/2 -o q.npy --stats=p.npy
    [ ! -e p.npy ]
    run --separate-stderr clsoftmax run x.npy --shard 1/2 -o p.npy --stats=p.npy
    expect_error 2 "-o and --stats name the same file"
    clsoftmax run x.npy -o whole.npy
    clsoftmax run x.npy --shard 1/2 -o p.npy --stats=q.npy
    cmp whole.npy p.npy
}

@test "the same shard by two processes, one of them late" {
    needs_strace
    clsoftmax run "$LOGITS" -o whole.npy
    injected fsync:delay_enter=1500000 "$CLSOFTMAX" run "$LOGITS" --shard 0/2 -o p.npy &
    sleep 0.6
    clsoftmax run "$LOGITS" --shard 0/2 -o p.npy
    clsoftmax run "$LOGITS" --shard 1/2 -o p.npy
    cmp whole.npy p.npy
    wait
    cmp whole.npy p.npy
    clsoftmax run "$LOGITS" --shard 1/2 -o p.npy
    cmp whole.npy p.npy
}

@test "a last shard that cannot give the file its name is run again, and the others are not" {
    needs_strace
    clsoftmax run "$LOGITS" -o whole.npy
    for i in 0 1 2; do clsoftmax run "$LOGITS" --shard $i/4 -o p.npy 2>/dev/null; done
    run --separate-stderr injected ?rename,?renameat,?renameat2:error=EROFS "$CLSOFTMAX" run "$LOGITS" --shard 3/4 \
        -o p.npy
    expect_error 1 "p.npy: Read-only file system"
    [ ! -e p.npy ]
    clsoftmax run "$LOGITS" --shard 3/4 -o p.npy
    cmp whole.npy p.npy
}

@test "many processes with the same output all succeed, and remove no file of others" {
    echo precious >.p.npy.backup
    echo precious >.p.npy.123456
    clsoftmax run "$LOGITS" -o whole.npy
    for i in 1 2 3 4; do
        for k in 1 2 3 4 5 6 7 8 9 10; do clsoftmax run "$LOGITS" -o p.npy || echo failed >failed; done &
    done
    wait
    [ ! -e failed ]
    cmp whole.npy p.npy
    [ "$(cat .p.npy.backup .p.npy.123456)" = $'precious\nprecious' ]
    [ -z "$(find . -name '.p.npy.clsoftmax-*')" ]
}

@test "shapes with a zero anywhere" {
    for shape in '(3, 0)' '(0, 3)' '(2, 0, 5)' '(0, 0)'; do
        npy x.npy '<f4' False "$shape"
        for axis in 0 1; do
            run --separate-stderr clsoftmax run x.npy --axis $axis -o p.npy --stats=s.npy
            [ "$status" -eq 0 ] || expect_error 2 "rows of 0 classes"
            run --separate-stderr clsoftmax run x.npy --axis $axis --explain
            [ "$status" -le 2 ]
        done
    done
}

@test "devices whose bits differ do not share rows" {
    run --separate-stderr clsoftmax run "$LOGITS" -d cpu,reference
    expect_error 2 "--device reference: its bits are its own"
}

@test "an input that shrinks is an error, told once although several threads fail" {
    needs_strace
    random_npy x.npy '(20000, 100)' 2000000
    { wait_for_file '.p.npy.clsoftmax-*' && truncate -s 1000000 x.npy; } & # while its reads wait
    run --separate-stderr injected pread64:delay_enter=1000000:when=3 "$CLSOFTMAX" run x.npy -o p.npy --memory 20k
    wait $!
    expect_error 1 "x.npy: the file became shorter while it was read"
    [ -z "$(compgen -G '*p.npy*')" ]
}

@test "a full standard output ends the run before a file has its final name" {
    run --separate-stderr bash -c 'CLSOFTMAX_DEVICE=cpu "$CLSOFTMAX" run "$1" --labels "$2" -o q.npy >/dev/full' - \
        "$LOGITS" "$SOURCE/tests/data/digits_val_labels.npy"
    [ "$status" -eq 1 ]
    [ ! -e q.npy ]
}
