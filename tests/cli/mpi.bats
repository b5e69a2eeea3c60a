# clsoftmax-mpi: many processes compute one file.
bats_require_minimum_version 1.5.0
load helpers

LOGITS=$SOURCE/tests/data/digits_val_logits.npy # 700 x 10

# Open MPI does not release all of its memory. Its modules are closed when leaks are looked for, so that no suppression
# can name them.
export ASAN_OPTIONS=detect_leaks=0

# ranks COUNT ARGUMENT...: runs clsoftmax-mpi with so many processes, which may be more than there are processors
ranks() {
    local count=$1
    shift
    OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 CLSOFTMAX_DEVICE=${CLSOFTMAX_DEVICE-cpu} \
        CLSOFTMAX_THREADS=1 timeout 100 mpirun --oversubscribe -n "$count" "$BUILD/clsoftmax-mpi" "$@"
}

@test "any number of ranks gives the bytes of one process" {
    clsoftmax run "$LOGITS" -T 0.7 --stats=whole-s.npy -o whole.npy
    for count in 1 2 3 4 7; do
        rm -f p.npy s.npy
        ranks $count "$LOGITS" -T 0.7 --stats=s.npy -o p.npy --memory 8k
        cmp whole.npy p.npy
        cmp whole-s.npy s.npy
    done
}

@test "ranks without a row, columns cut between ranks, 16-bit types, labels" {
    npy x.npy '<f4' False '(4, 10)'
    tail -c 160 "$LOGITS" >>x.npy
    for options in "" "--axis 0" "--log --out-dtype f16"; do
        clsoftmax run x.npy $options -o whole.npy
        ranks 7 x.npy $options -o p.npy
        cmp whole.npy p.npy
    done
    clsoftmax run "$LOGITS" --labels "$SOURCE/tests/data/digits_val_labels.npy" -o p.npy >whole.txt
    ranks 3 "$LOGITS" --labels "$SOURCE/tests/data/digits_val_labels.npy" -o p.npy >p.txt
    diff whole.txt p.txt
    run --separate-stderr ranks 3 "$LOGITS" -T @<(:) -o q.npy
    [ "$status" -eq 2 ]
}

@test "losses of any number of ranks: the same bytes and the same sums" {
    local labels=$SOURCE/tests/data/digits_val_labels.npy
    clsoftmax loss "$LOGITS" "$labels" -T 0.7 --gradient whole.npy --losses whole-l.npy >whole.txt
    for count in 1 3 4; do
        rm -f g.npy l.npy
        ranks $count loss "$LOGITS" "$labels" -T 0.7 --gradient g.npy --losses l.npy --memory 8k | diff whole.txt -
        cmp whole.npy g.npy
        cmp whole-l.npy l.npy
    done
    # every hundredth row of the targets adds up to another number, from 0 to 6
    awk 'BEGIN { for (i = 0; i < 10; i++) print 0.5 + i / 4
                 for (row = 0; row < 700; row++)
                     for (i = 0; i < 10; i++)
                         printf(i < 9 ? "%g " : "%g\n", row % 100 ? 0.1 : row / 1000) >"targets.txt" }' >weights.txt
    local words="--targets targets.txt --class-weights weights.txt -T 3"
    clsoftmax loss "$LOGITS" $words --gradient whole.npy >whole.txt 2>note.txt
    grep -q "targets of 6 of 700 rows do not add up to 1; the largest deviation is 5" note.txt
    ranks 3 loss "$LOGITS" $words --gradient g.npy 2>ranks-note.txt | diff whole.txt -
    diff <(cut -d: -f2- note.txt) <(grep note: ranks-note.txt | cut -d: -f2-)
    cmp whole.npy g.npy
}

@test "a distillation of any number of ranks: the same bytes and the same sums" {
    local student=$SOURCE/tests/data/digits_val_student_logits.npy
    clsoftmax distill "$student" "$LOGITS" -T 4 --gradient whole.npy >whole.txt
    ranks 3 distill "$student" "$LOGITS" -T 4 --gradient g.npy --memory 8k | diff whole.txt -
    local labels=$SOURCE/tests/data/digits_val_labels.npy
    clsoftmax distill "$student" "$LOGITS" -T 4 --labels "$labels" --alpha 0.3 --gradient mixed.npy >mixed.txt
    ranks 3 distill "$student" "$LOGITS" -T 4 --labels "$labels" --alpha 0.3 --gradient g2.npy | diff mixed.txt -
    cmp mixed.npy g2.npy
    cmp whole.npy g.npy
}

@test "an error is told once for all ranks; help" {
    PROGRAM=clsoftmax-mpi
    run --separate-stderr ranks 3 nowhere.npy -o p.npy
    [ "$status" -eq 2 ]
    [ "$(grep -c "clsoftmax-mpi: nowhere.npy: No such file" <<<"$stderr")" -eq 1 ]
    run --separate-stderr ranks 2 "$LOGITS"
    [ "$status" -eq 2 ]
    [[ $stderr == *"several processes write to files only: -o FILE or --stats=FILE"* ]]
    run --separate-stderr ranks 2 "$LOGITS" --shard 0/2 -o p.npy
    [ "$status" -eq 2 ]
    run --separate-stderr ranks 2 "$LOGITS" -o nowhere/p.npy
    [ "$status" -eq 1 ]
    run --separate-stderr ranks 2 --help
    [ "$status" -eq 0 ]
    [[ $output == "usage: mpirun -n N clsoftmax-mpi"* ]]
}

@test "a rank that fails ends the run, with an error and no file" {
    needs_device
    cat >one_fails.sh <<'SCRIPT'
[ "$OMPI_COMM_WORLD_RANK" -ne 1 ] || export OPENCL_LAYERS=$LOST_DEVICE_LAYER LOST_AFTER=2
exec "$BUILD/clsoftmax-mpi" "$@"
SCRIPT
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
    run --separate-stderr timeout 100 mpirun --oversubscribe -n 3 bash one_fails.sh "$LOGITS" -d 0:0 --memory 8k \
        -o p.npy
    [ "$status" -eq 1 ]
    [[ $stderr == *"CL_OUT_OF_RESOURCES"* ]]
    [ -z "$(find . -name '*p.npy*')" ]
    # with enough launches the same run succeeds, so it was the fault that was seen
    sed -i 's/LOST_AFTER=2/LOST_AFTER=1000/' one_fails.sh
    timeout 100 mpirun --oversubscribe -n 3 bash one_fails.sh "$LOGITS" -d 0:0 --memory 8k -o p.npy
    clsoftmax run "$LOGITS" -o whole.npy
    cmp whole.npy p.npy
}

@test "a rank that is killed leaves no file under the name; the next run removes what is left" {
    cat >one_dies.sh <<'SCRIPT'
if [ "$OMPI_COMM_WORLD_RANK" -eq 1 ]; then
    "$BUILD/clsoftmax-mpi" "$@" &
    until compgen -G '.p.npy.clsoftmax-*' >/dev/null; do sleep 0.01; done # it has begun
    kill -9 $!
    wait $!
    exit 9
fi
exec "$BUILD/clsoftmax-mpi" "$@"
SCRIPT
    npy x.npy '<f4' False '(300000, 100)'
    head -c 120000000 /dev/urandom >>x.npy
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 CLSOFTMAX_DEVICE=cpu CLSOFTMAX_THREADS=1
    run --separate-stderr timeout 100 mpirun --oversubscribe -n 2 bash one_dies.sh x.npy --memory 500k -T 2 --log \
        --stats=s.npy -o p.npy
    [ "$status" -ne 0 ]
    [ ! -e p.npy ]
    for _ in {1..50}; do # the other rank keeps its temporary file until it has ended
        clsoftmax run "$LOGITS" -o p.npy
        [ -n "$(find . -name '.p.npy.clsoftmax-*')" ] || break
        sleep 0.1
    done
    [ -z "$(find . -name '.p.npy.clsoftmax-*')" ]
}

@test "a rank that cannot write all of its rows ends the run with an error" {
    cat >one_is_limited.sh <<'SCRIPT'
[ "$OMPI_COMM_WORLD_RANK" -ne 1 ] || ulimit -f 65536 # 64 MiB, enough for MPI's own files
exec "$BUILD/clsoftmax-mpi" "$@"
SCRIPT
    npy x.npy '<f4' False '(300000, 100)'
    truncate -s +120000000 x.npy
    export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 CLSOFTMAX_DEVICE=cpu
    run --separate-stderr timeout 100 mpirun --oversubscribe -n 2 bash one_is_limited.sh x.npy -o p.npy
    [ "$status" -eq 1 ]
    [[ $stderr == *"p.npy: rank 1: "* ]] # Open MPI 4: "... elements were written", 5: an error of the write
    [ -z "$(find . -name '*p.npy*')" ]
}

@test "one rank alone refuses shards; several, standard input; all verify all rows" {
    run --separate-stderr ranks 1 "$LOGITS" --shard 0/2 -o p.npy
    [ "$status" -eq 2 ]
    [[ $stderr == *"the ranks of MPI are the shards"* ]]
    run --separate-stderr ranks 2 - -o p.npy <<<"1 2"
    [ "$status" -eq 2 ]
    [ ! -e p.npy ]
    run --separate-stderr ranks 3 "$LOGITS" -o p.npy --verify
    [ "$status" -eq 0 ]
    [[ $stderr == *"0 of 7000 values differ from cpu"* ]]
}
