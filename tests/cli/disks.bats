# Full disks, disks that cannot be written to, closed streams, and many signals.
bats_require_minimum_version 1.5.0
load helpers

LOGITS=$SOURCE/tests/data/digits_val_logits.npy # 700 x 10
LABELS=$SOURCE/tests/data/digits_val_labels.npy

mounts() {
    unshare --mount --map-root-user mount -t tmpfs none /mnt 2>/dev/null || skip "nothing can be mounted"
}

# on_disk OPTIONS COMMAND: runs the command where ./disk is a small file system of its own
on_disk() {
    mkdir -p disk
    unshare --mount --map-root-user bash -c "mount -t tmpfs -o $1 none disk && { $2; }"
}

@test "a full disk gives an error, keeps the older file and leaves nothing else; with room the same run succeeds" {
    mounts
    clsoftmax run "$LOGITS" -o whole.npy # 28,128 bytes
    export LOGITS CLSOFTMAX_DEVICE=cpu
    for options in "" "--stats=disk/s.npy" "--shard 0/1" "--memory 2k"; do
        run --separate-stderr on_disk size=40k 'echo older >disk/p.npy; head -c 12000 /dev/zero >disk/filler; sync
            "$CLSOFTMAX" run "$LOGITS" -o disk/p.npy '"$options"'; status=$?
            [ "$(cat disk/p.npy)" = older ] || echo "not the older file"
            [ -z "$(ls -A disk | grep -v "^p.npy$\|^filler$\|^\.p.npy.clsoftmax-.\{16\}$")" ] || ls -A disk
            rm disk/filler; "$CLSOFTMAX" run "$LOGITS" -o disk/p.npy >&2; cmp whole.npy disk/p.npy; exit $status'
        expect_error 1 "disk/p.npy: No space left on device"
    done
}

@test "a read-only folder gives an error and keeps the older file, also for root" {
    mounts
    export LOGITS CLSOFTMAX_DEVICE=cpu
    for options in "" "--shard 0/2"; do
        run --separate-stderr on_disk size=1m 'echo older >disk/p.npy; mount -o remount,ro disk
            "$CLSOFTMAX" run "$LOGITS" -o disk/p.npy '"$options"'; status=$?
            [ "$(cat disk/p.npy)" = older ] || echo changed; exit $status'
        expect_error 1 "disk/p.npy: Read-only file system"
    done
}

# printing_commands: prints a command line for every command that prints
printing_commands() {
    cat <<COMMANDS
run $LOGITS
run $LOGITS --stats
run $LOGITS --labels $LABELS -o p.npy
run $LOGITS --explain
sweep $LOGITS -T 1,2 --stats
sweep $LOGITS -T 1,2 --plot -
plot $LOGITS -T 1
devices
devices --json
verify -d cpu --strategy lane
--version
--help
run --help
COMMANDS
}

@test "no file takes the place of a standard stream that is closed" {
    clsoftmax run "$LOGITS" -o whole.npy
    run --separate-stderr bash -c 'CLSOFTMAX_DEVICE=cpu "$CLSOFTMAX" run "$1" --labels "$2" -o p.npy >&-' - "$LOGITS" \
        "$LABELS"
    expect_error 1 "standard output: Bad file descriptor"
    [ ! -e p.npy ]
    run --separate-stderr bash -c 'CLSOFTMAX_DEVICE=cpu "$CLSOFTMAX" run - <&-'
    expect_error 2 "standard input: Bad file descriptor"
    { echo -1; seq 699; } >temperatures.txt # this makes a notice, and standard error is closed
    clsoftmax run "$LOGITS" -T @temperatures.txt -o noticed.npy
    clsoftmax run "$LOGITS" -T @temperatures.txt -o p.npy 2>&-
    cmp noticed.npy p.npy
    clsoftmax run "$LOGITS" -o p.npy <&- >&- 2>&-
    cmp whole.npy p.npy
}

@test "standard error that is closed or full changes no exit status" {
    for error in "2>&-" "2>/dev/full"; do
        run bash -c 'CLSOFTMAX_DEVICE=cpu "$CLSOFTMAX" run nowhere.npy '"$error"
        [ "$status" -eq 2 ]
        run bash -c 'CLSOFTMAX_DEVICE=cpu "$CLSOFTMAX" run "$1" -o nowhere/p.npy '"$error" - "$LOGITS"
        [ "$status" -eq 1 ]
        run bash -c 'CLSOFTMAX_DEVICE=cpu "$CLSOFTMAX" run "$1" --verify -o p.npy '"$error" - "$LOGITS"
        [ "$status" -eq 0 ]
    done
}

@test "a closed pipe ends every command that prints: status 1, no message, no file under its final name" {
    local words
    while read -r words; do
        run --separate-stderr bash -c \
            'exec 3> >(exec true); sleep 0.3; CLSOFTMAX_DEVICE=cpu "$CLSOFTMAX" '"$words"' >&3'
        echo "$words: $status $stderr"
        [ "$status" -eq 1 ]
        [ -z "$stderr" ]
        [ ! -e p.npy ]
    done < <(printing_commands)
}

@test "standard output to a full disk ends every command that prints: status 1, a message, no file" {
    local words
    while read -r words; do
        run --separate-stderr bash -c 'CLSOFTMAX_DEVICE=cpu "$CLSOFTMAX" '"$words"' >/dev/full'
        echo "$words"
        expect_error 1 "standard output: No space left on device"
        [ ! -e p.npy ]
    done < <(printing_commands)
}

@test "pictures and pages that go to a full device, or to a pipe that nobody reads" {
    local file words
    for words in "plot $LOGITS -T 1 -o p.svg" "plot $LOGITS -T 1 -o p.png" \
        "sweep $LOGITS -T 1,2 --stats=s.npy --plot p.pdf" "explore $LOGITS -o p.html"; do
        file=${words##* }
        ln -s /dev/full "$file"
        # shellcheck disable=SC2086
        run --separate-stderr clsoftmax $words
        echo "$words: $status $output $stderr"
        [ "$status" -eq 1 ]
        [[ $stderr == *"No space left on device"* ]]
        rm "$file"
        mkfifo "$file"
        head -c 4 "$file" >start & # a reader that ends before the command does
        # shellcheck disable=SC2086
        clsoftmax $words >/dev/null || true
        wait $!
        [ "$(wc -c <start)" -eq 4 ]
        rm "$file"
    done
}

@test "hundreds of signals while a command reads and writes pipes do not change its output" {
    for i in 1 2 3 4 5 6 7 8; do seq -s ' ' 1 200; done >x.txt
    clsoftmax run x.txt >whole.txt
    { while read -r line; do echo "$line"; sleep 0.05; done <x.txt; } | CLSOFTMAX_DEVICE=cpu "$CLSOFTMAX" run - >p.txt &
    local process=$! signal sent=0
    while kill -0 $process 2>/dev/null && [ $sent -lt 2000 ]; do
        for signal in WINCH URG CHLD STOP CONT; do kill -$signal $process 2>/dev/null && sent=$((sent + 1)); done
    done
    wait $process
    echo "$sent signals"
    [ $sent -ge 100 ]
    cmp whole.txt p.txt
}
