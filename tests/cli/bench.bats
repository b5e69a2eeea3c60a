# clsoftmax-bench: what it prints and what it refuses. The times that it measures are not looked at.
bats_require_minimum_version 1.5.0
load helpers

PROGRAM=clsoftmax-bench

# bench ARGS...: measures one device, which needs no driver, in two rounds of a small shape
bench() { CLSOFTMAX_PEERS=$PWD/peers "$BENCH" -d cpu --shapes 8x100 --rounds 2 --no-progress "$@"; }

# bench_device ARGS...: measures an OpenCL device beside it, with kernels from the driver's cache, and in little memory
bench_device() { POCL_KERNEL_CACHE=1 bench -d cpu,0:0 --warm "$@"; }

# peer NAME: makes a program in peers/ from standard input
peer() {
    mkdir -p peers
    cat >"peers/$1"
    chmod +x "peers/$1"
}

# idle_peer NAME: makes a peer that keeps to the protocol and computes nothing
idle_peer() {
    peer "$1" <<'SH'
#!/bin/sh
while read -r word rest; do
    case $word in
    hello) echo "peer Idle 1.0, $rest threads" ;;
    problem) echo ready ;;
    round) echo "seconds 0.001" ;;
    done) echo done ;;
    esac
done
SH
}

@test "a table has a row for each contender" {
    run --separate-stderr bench -T 1,0.7
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [[ ${lines[0]} == "cpu: this library's own code"* ]]
    [ "${lines[1]}" = "8x100 f32 T=1" ]
    [[ ${lines[2]} == device*strategy*"median ms"*share*ULP* ]]
    [ "$(grep -c '^8x100 f32 T=0.7$' <<<"$output")" -eq 1 ]
    [ "$(grep -c '^cpu *item  .*-$' <<<"$output")" -eq 2 ]
    [ "$(grep -c '^cpu *memcpy ' <<<"$output")" -eq 2 ]
    [[ $output != *"faster than cpu"* ]] # there is no other device
}

@test "--accuracies: the strategies with either accuracy, each verified by its own bits and bound" {
    run --separate-stderr bench --strategies item --accuracies faithful,fast --break-even none
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    grep -q "^cpu     item  " <<<"$output"
    grep -q "^cpu     item fast  " <<<"$output"
    run --separate-stderr bench --strategies item --accuracies fast --output json --break-even none
    [[ $output == *'"name": "item fast"'*'"accuracy": "fast"'* ]]
    [[ $output != *'"accuracy": "faithful"'* ]]
    run --separate-stderr bench --accuracies quick
    expect_error 2 "--accuracies"
}

@test "--wide: the workload, the best time, rows/s and the note stand in the row" {
    run --separate-stderr bench -T 1,0.7 --wide --strategies auto
    [ "$status" -eq 0 ]
    [[ ${lines[1]} == device*strategy*shape*dtype*"median ms"*"best ms"*"rows/s"*note ]]
    [ "$(grep -c '^cpu *auto *8x100 *f32 *1 .* softmax:' <<<"$output")" -eq 1 ]
    [ "$(grep -c '^cpu *auto *8x100 *f32 *0.7 .* softmax:' <<<"$output")" -eq 1 ]
}

@test "the table fits 100 columns; notes stand below it, the same one once" {
    idle_peer idle
    peer refusing <<<"$(sed 's/echo ready/echo "no such dtype here"/' peers/idle)"
    cp peers/refusing peers/rejecting
    peer talking <<<"$(sed "s/echo ready/echo no $(seq -s ' ' 1001 1060)/" peers/idle)"
    run --separate-stderr bench --peers refusing,rejecting,talking --strategies auto --shapes 100000x10
    [ "$status" -eq 0 ]
    [ -z "$(awk 'length > 100' <<<"$output")" ]
    [ "$(grep -c '^cpu *refusing .*-  \[1\]$' <<<"$output")" -eq 2 ]
    [ "$(grep -c '^cpu *rejecting .*-  \[1\]$' <<<"$output")" -eq 2 ]
    [ "$(grep -c '^cpu *talking .*-  \[2\]$' <<<"$output")" -eq 2 ]
    [ "$(grep -c '^cpu *auto .*-  \[3\]$' <<<"$output")" -eq 2 ]
    [ "$(grep -c '^\[1\] such dtype here$' <<<"$output")" -eq 2 ]
    [ "$(grep -c '^\[2\] 1001 1002 ' <<<"$output")" -eq 2 ]
    [ "$(grep -c '^    .* 1059 1060$' <<<"$output")" -eq 2 ]
    [ "$(grep -c '^\[3\] softmax:' <<<"$output")" -eq 2 ]
}

@test "CSV has the same number of fields in every line" {
    run --separate-stderr bench --output csv --dtypes f32,f16:f32
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == device,strategy,shape,* ]]
    [ "$(awk -F, '{print NF}' <<<"$output" | sort -u | wc -l)" -eq 1 ]
    [[ $output == *"cpu,item,8x100,f16:f32,1,"* ]]
}

@test "Markdown is a table" {
    run --separate-stderr bench --output markdown
    [ "$status" -eq 0 ]
    [[ ${lines[0]} == "| device | strategy |"* ]]
    [[ ${lines[1]} == "| --- | --- |"* ]]
    [ "$(tr -dc '|\n' <<<"$output" | sort -u | wc -l)" -eq 1 ]
}

@test "JSON holds every sample, the machine and the options; -o is whole or not there" {
    run --separate-stderr bench --output json -o missing/run.json
    expect_error 1 "missing/run.json"
    [ ! -e missing ]
    run --separate-stderr bench --output json -o run.json --commit abc -T 0.5
    [ "$status" -eq 0 ]
    [ -z "$output" ]
    command -v python3 >/dev/null || skip "no python3 to read JSON with"
    python3 -m json.tool run.json >/dev/null
    python3 - <<'PY'
import json
run = json.load(open("run.json"))
assert run["commit"] == "abc" and "-T 0.5" in run["options"] and run["environment"]["processors"] >= 1
contenders = run["workloads"][0]["contenders"]
rows = [c for c in contenders if c["name"] == "item"]
assert len(rows) == 1 and len(rows[0]["seconds"]) == 2 and rows[0]["ulp"] < 1
PY
}

@test "shapes: lists, ranges, named sets, columns" {
    run --separate-stderr bench --verify-only --shapes 3x5,bytes=4K:classes=256..1K,rows=1..2:classes=7 --output csv
    [ "$status" -eq 0 ]
    [ "$(grep ,item, <<<"$output" | cut -d, -f3 | paste -sd' ')" = "8x100 3x5 4x256 2x512 1x1024 1x7 2x7" ]
    run --separate-stderr bench --shapes 1x34000000000 --verify-only
    [ "$status" -eq 1 ]
    [[ $stderr == *"more than half of the memory"* ]]
    run --separate-stderr bench --verify-only --shapes tiny --axis 0 --output csv
    [ "$status" -eq 0 ]
    [[ $output == *"cpu,item,32x1000 axis 0,"* ]]
}

@test "--explain names what auto takes, and the strategies" {
    run --separate-stderr bench --explain --shapes 8x256
    [ "$status" -eq 0 ]
    [[ $output == *"8 x 256 "*softmax:item* ]]
    [[ $output == *"strategies; "*lane*item*group* ]]
}

@test "--plot draws an SVG" {
    command -v gnuplot >/dev/null || skip "no gnuplot"
    run --separate-stderr bench --plot plot.svg --shapes 4x1000
    [ "$status" -eq 0 ]
    grep -q '<svg' plot.svg
    # over rows each length of rows has a line, over classes each number of rows where two shapes have equal classes
    run --separate-stderr bench --plot plot.svg --shapes rows=1..4:classes=50,rows=1..4:classes=70 --plot-x rows \
        --plot-y speed --strategies item
    [ "$status" -eq 0 ]
    [ "$(grep -o 'item on cpu, [0-9]* [a-z]*' plot.svg | sort -u | paste -sd';')" = \
        "item on cpu, 100 classes;item on cpu, 50 classes;item on cpu, 70 classes" ]
    grep -q '>rows<' plot.svg
    grep -q '>GB/s, ' plot.svg
    run --separate-stderr bench --plot plot.svg --shapes 4x100 --strategies item
    [ "$status" -eq 0 ]
    [ "$(grep -o 'item on cpu, [0-9]* [a-z]*' plot.svg | sort -u | paste -sd';')" = \
        "item on cpu, 4 rows;item on cpu, 8 rows" ]
    grep -q '>share of the copy limit<' plot.svg
    run --separate-stderr bench --plot plot.svg --shapes 4x100 --strategies item --plot-x bytes
    [ "$status" -eq 0 ]
    grep -q '>item on cpu<' plot.svg
    grep -q '>bytes of the logits<' plot.svg
    run --separate-stderr env PATH=/nonexistent "$BENCH" --plot plot.svg
    expect_error 1 "--plot" "gnuplot is not installed"
}

@test "--plot has a dashed line from host memory to host memory for an OpenCL device" {
    needs_device
    command -v gnuplot >/dev/null || skip "no gnuplot"
    run --separate-stderr bench_device --plot plot.svg --shapes 4x1000 --strategies item --break-even none
    [ "$status" -eq 0 ]
    [ "$(grep -o 'item on [^<]*' plot.svg | sort -u | paste -sd';')" = \
        "item on 0:0;item on 0:0, end to end;item on cpu" ]
    grep -q stroke-dasharray plot.svg
}

@test "--break-even: a sentence for each device, with transfers and without" {
    local sentence='(beats|did not beat) cpu (at|from) [^.]* rows? of 50 classes \([0-9.]+ ([kM]B|bytes)\)'
    needs_device
    run --separate-stderr bench_device --strategies auto --break-even 50
    [ "$status" -eq 0 ]
    [ -z "$(awk 'length > 100' <<<"$output")" ]
    [[ $output == *"When a device is faster than cpu (f32, T = 1, strategy auto, one call at a time):"* ]]
    paste -sd' ' <<<"$output" | grep -qE "0:0 \(.*\) $sentence"
    run --separate-stderr bench_device --strategies auto --break-even none
    [ "$status" -eq 0 ]
    [[ $output != *"faster than cpu"* ]]
    POCL_KERNEL_CACHE=1 run --separate-stderr bench -d 0:0 --warm --strategies auto
    [ "$status" -eq 0 ]
    [[ $output != *"faster than cpu"* ]]
    run --separate-stderr bench_device --strategies auto --output csv
    [ "$status" -eq 0 ]
    [[ $output != *"faster than cpu"* ]]
}

@test "--break-even in JSON: the verdicts are those of the times beside them" {
    needs_device
    command -v python3 >/dev/null || skip "no python3 to read JSON with"
    bench_device --strategies auto --break-even 300000 --output json -o run.json --dtypes f16 -T 2 --rounds 5
    python3 - <<'PY'
import json
result = json.load(open("run.json"))["break_even"]
assert result["classes"] == 300000 and result["logits_dtype"] == "f16" and result["temperature"] == 2
(device,) = result["devices"]
assert device["device"] == "0:0" and device["note"] == ""
for transfers in ("with_transfers", "without_transfers"):
    duels = device["duels_" + transfers]
    assert [duel["rows"] for duel in duels] == [1, 4, 16, 64]
    faster = [d["device_seconds"] * (1 + 2 * d["device_uncertainty"]) < d["cpu_seconds"] * (1 - 2 * d["cpu_uncertainty"])
              for d in duels]
    if not any(faster):
        expected = "never"
    elif all(faster):
        expected = "always"
    else:
        expected = "from" if faster[-1] else "sometimes"
    verdict = device[transfers]
    assert verdict["faster"] == expected, (verdict, duels)
    if expected == "from":
        first = max(i for i in range(4) if not faster[i]) + 1
        assert duels[first - 1]["rows"] <= verdict["rows"] <= duels[first]["rows"]
    else:
        assert verdict["rows"] is None
assert device["sentence"].startswith(("0:0 (", "With transfers, 0:0 (")), device
PY
}

@test "./dev bench says how much it downloads, and goes on without what cannot be had" {
    mkdir -p bin build
    cp "$SOURCE/dev" dev
    # gnuplot is installed, PyTorch is in no release, and pip has nothing
    cat >bin/dpkg-query <<'SH'
#!/bin/sh
[ "$4" != gnuplot-nox ] || echo installed
SH
    cat >bin/apt-get <<'SH'
#!/bin/sh
echo "$*" >>calls
case "$*" in
*print-uris*) printf "'http://x/a.deb' a.deb 48000000 SHA256:0\n'http://x/b.deb' b.deb 431232 \n" ;;
*python3-torch*) exit 100 ;;
esac
SH
    printf '#!/bin/sh\nexec "$@"\n' >bin/sudo
    printf '#!/bin/sh\n' >bin/cmake
    printf '#!/bin/sh\nexit 1\n' >bin/python3
    printf '#!/bin/sh\necho "bench $*"\n' >build/clsoftmax-bench
    chmod +x bin/* build/clsoftmax-bench
    PATH=$PWD/bin:$PATH run --separate-stderr ./dev bench -d cpu
    [ "$status" -eq 0 ]
    [ "${lines[0]}" = "dev: left out: peer torch-debian: python3-torch cannot be installed here" ]
    [ "${lines[1]}" = \
        "dev: installing libdnnl-dev libxnnpack-dev libpthreadpool-dev python3 python3-venv python3-numpy (a download of 48 MB)" ]
    [[ $output == *"dev: left out: peers from pip"* ]]
    [ "${lines[-1]}" = "bench -d cpu" ]
    [ "$(grep -c update calls)" -eq 1 ]
    grep -q -- "^install -y .* libdnnl-dev libxnnpack-dev libpthreadpool-dev python3 python3-venv python3-numpy$" calls
    [ ! -e build/peers/torch-debian ]
    # where apt-get fails, the benchmark still runs
    sed -i 's/^case.*/&\n"install -y"*libdnnl*) exit 100 ;;/' bin/apt-get
    PATH=$PWD/bin:$PATH run --separate-stderr ./dev bench -d cpu
    [ "$status" -eq 0 ]
    [[ $output == *"dev: left out, since apt-get failed: libdnnl-dev "* ]]
    [ "${lines[-1]}" = "bench -d cpu" ]
}

@test "what it refuses" {
    run --separate-stderr bench --shapes 0x5
    expect_error 2 "--shapes 0x5"
    run --separate-stderr bench --shapes 5
    expect_error 2 "--shapes 5: it takes"
    run --separate-stderr bench --shapes rows=4:rows=8
    expect_error 2 "--shapes rows=4:rows=8"
    run --separate-stderr bench --dtypes f64
    expect_error 2 "--dtypes f64"
    run --separate-stderr bench --dtypes f16:
    expect_error 2 "--dtypes"
    run --separate-stderr bench -T -1
    expect_error 2 "-T -1"
    run --separate-stderr bench -T 1,,2
    expect_error 2 "-T 1,,2"
    run --separate-stderr bench --strategies fast
    expect_error 2 "--strateg" "fast"
    run --separate-stderr bench --rounds 0
    expect_error 2 "--rounds 0"
    run --separate-stderr bench --output xml
    expect_error 2 "--output xml"
    run --separate-stderr bench --plot picture.png
    expect_error 2 "picture.png"
    run --separate-stderr bench --plot-x colours
    expect_error 2 "--plot-x colours: it takes one of rows, classes, bytes"
    run --separate-stderr bench --plot-y time
    expect_error 2 "--plot-y time: it takes one of share, speed"
    run --separate-stderr bench --break-even 0
    expect_error 2 "--break-even 0"
    run --separate-stderr bench --break-even some
    expect_error 2 "--break-even some"
    run --separate-stderr bench --nonsense
    expect_error 2 "--nonsense" "see clsoftmax-bench --help"
    run --separate-stderr bench shape
    expect_error 2 "shape: no such argument"
    run --separate-stderr bench -d 77:7
    expect_error 2 '77:7'
    run --separate-stderr bench --peers nobody
    expect_error 2 "--peers nobody"
}

@test "a peer that computes nothing is seen" {
    idle_peer idle
    run --separate-stderr bench --peers all
    [ "$status" -eq 0 ]
    [[ $output == *"idle: Idle 1.0, "*" threads"* ]]
    [[ $output == *"idle "*"WRONG: nan from the exact probabilities"* ]]
}

@test "a peer that cannot start, refuses or ends is named and left out" {
    idle_peer idle
    peer broken <<<'#!/bin/sh
exit 1'
    peer missing <<<'#!/bin/sh
read -r line; echo "no such library here"; read -r line'
    peer refusing <<<"$(sed 's/echo ready/echo "no such dtype here"/' peers/idle)"
    peer ending <<<"$(sed 's/echo "seconds 0.001"/exit/' peers/idle)"
    run --separate-stderr bench --peers broken,missing,refusing,ending
    [ "$status" -eq 0 ]
    [[ $stderr == *"peer broken is left out: the peer did not answer"* ]]
    [[ $stderr == *"peer missing is left out: such library here"* ]]
    [[ $output == *"refusing "*"such dtype here"* ]]
    [[ $output == *"ending "*"the peer did not answer"* ]]
}

# operations: the names of those that are measured, separated by commas
operations() { "$BENCH" --help | sed -n '/^operations,/{n;s/^ *//;s/ /,/g;p}'; }

@test "--operations: each is verified, and named wherever a workload is" {
    local all
    all=$(operations)
    [[ $all == softmax,*cross_entropy_gradient*softmax_backward*distillation_gradient* ]]
    run --separate-stderr bench --operations "$all" -T 1,4 --dtypes f32,f16:f32,bf16 --accuracies faithful,fast \
        --output csv
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [[ $output != *WRONG* ]]
    for operation in ${all//,/ }; do
        [ "$(grep -c "^cpu,lane,8x100,.*,$operation,[0-9]" <<<"$output")" -eq 6 ]
        [ "$(grep -c "^cpu,lane fast,8x100,.*,$operation,[0-9]" <<<"$output")" -eq 6 ]
    done
    run --separate-stderr bench --operations softmax,log_softmax --strategies item
    [ "$(grep -c '^8x100 f32 T=1$' <<<"$output")" -eq 1 ]
    [ "$(grep -c '^log_softmax 8x100 f32 T=1$' <<<"$output")" -eq 1 ]
    run --separate-stderr bench --operations distillation_gradient --strategies item --output json
    [[ $output == *'"operation": "distillation_gradient", "logits_dtype": "f32"'* ]]
    run --separate-stderr bench --operations softmax_backward,sensitivity --explain
    [[ $output == *softmax_backward:*sensitivity:* ]]
    run --separate-stderr bench --operations none
    expect_error 2 "--operations none"
    run --separate-stderr bench --operations cross_entropy
    expect_error 2 "--operations cross_entropy: it has no results"
    run --separate-stderr bench --operations softmax,sensitivity -T 1,0
    expect_error 2 "-T 0" "sensitivity"
}

@test "--operations: GB/s and share count the operand" {
    run --separate-stderr bench --operations softmax,softmax_backward --strategies item --shapes 1000x1000 --output csv
    [ "$status" -eq 0 ]
    python3 - "$output" <<'P'
import csv, sys
rows = list(csv.DictReader(sys.argv[1].splitlines()))
for row in rows:
    arrays = 3 if row["operation"] == "softmax_backward" and row["strategy"] == "item" else 2
    elements = 1000000 if row["shape"] == "1000x1000" else 800
    moved = float(row["gigabytes_per_second"]) * 1e9 * float(row["median_ms"]) / 1000 / (4 * elements)
    assert abs(moved / arrays - 1) < 0.02, (row, moved)
assert len([row for row in rows if row["strategy"] == "item"]) == 4
P
}

@test "--operations on an OpenCL device, on its buffers and from host memory" {
    needs_device
    run --separate-stderr bench_device --operations "$(operations)" -T 4 --verify-only --output csv
    [ "$status" -eq 0 ]
    [[ $output != *WRONG* ]]
    [ "$(grep -c '^0:0,item,8x100,.*,distillation_gradient,.*[0-9]' <<<"$output")" -eq 1 ]
    run --separate-stderr bench_device --operations cross_entropy_gradient --strategies auto --break-even 50
    [ "$status" -eq 0 ]
    [[ $output == *"When a device is faster than cpu (cross_entropy_gradient, f32, T = 1,"* ]]
}

@test "--operations: a formula of the kernels that is wrong is seen" {
    needs_device
    plant operations.h 'return core_log_softmax_backward(e, core_operand_share(g' \
        'return core_log_softmax_backward(e, core_operand_share(x'
    run --separate-stderr env CLSOFTMAX_KERNEL_DIR="$PWD/faulty" "$BENCH" -d 0:0 --strategies item --shapes 8x100 \
        --operations log_softmax_backward --verify-only
    [ "$status" -eq 1 ]
    [[ $output == *"WRONG: its bits are not those of device cpu"* ]]
}

@test "--operations: peers of softmax alone refuse, and what is wrong is not timed" {
    # what answers nothing but softmax: the peers in C, and those in Python that have no such operation
    peer old <<'SH'
#!/bin/sh
while read -r word rest; do
    case $word in
    hello) echo "peer Old 1.0" ;;
    done) echo done ;;
    *) echo "no such request: $word" ;;
    esac
done
SH
    # writes zeros into the results of slot 0, whose page begins at byte RESULTS_OFFSET
    peer zeros <<'SH'
#!/bin/sh
while read -r word rest; do
    case $word in
    hello) echo "peer Zeros 1.0" ;;
    operation)
        set -- $rest
        descriptor=$4 page=$(($7 / 4096))
        echo ready
        ;;
    round)
        dd if=/dev/zero of=/proc/self/fd/"$descriptor" bs=4096 count=1 seek="$page" conv=notrunc 2>/dev/null
        echo "seconds 0.001"
        ;;
    done) echo done ;;
    esac
done
SH
    run --separate-stderr bench --peers old,zeros --strategies item \
        --operations log_softmax,cross_entropy_gradient,softmax_backward,distillation_gradient
    [ "$status" -eq 0 ]
    [ "$(grep -c '^\[.\] such request: operation$' <<<"$output")" -eq 4 ]
    [ "$(grep -c '^\[.\] WRONG: [0-9.]* from the exact log-probabilities$' <<<"$output")" -eq 1 ]
    [ "$(grep -c '^\[.\] WRONG: [0-9.]* from the exact gradients$' <<<"$output")" -eq 3 ]
}

# python_peer NAME FILE: makes a peer of the library NAME from a copy of peer.py
python_peer() { peer "$1" <<<"#!/bin/sh
exec '$(python -c 'import sys; print(sys.executable)')' '$2' $1"; }

@test "--operations: peers in Python compute what is asked; one that forgets the temperature is seen" {
    local backend backends=numpy
    needs_numpy
    for backend in torch scipy; do
        ! python -c "import $backend" 2>/dev/null || backends+=,$backend
    done
    [[ $backends != *torch* ]] || backends+=,torch-kernels
    for backend in ${backends//,/ }; do
        python_peer "$backend" "$SOURCE/bench/peers/peer.py"
    done
    run --separate-stderr bench --peers "$backends" --strategies item --operations "$(operations)" -T 1,4 --axis -1
    [ "$status" -eq 0 ]
    [[ $output != *WRONG* ]]
    [ "$(grep -cE '^cpu *numpy  *[0-9.]+ ' <<<"$output")" -eq 6 ] # softmax, cross_entropy_gradient, softmax_backward
    run --separate-stderr bench --peers "$backends" --strategies item --operations "$(operations)" -T 4 --axis 0
    [[ $output != *WRONG* ]]
    [ "$(grep -cE '^cpu *numpy  *[0-9.]+ ' <<<"$output")" -eq 3 ]
    sed 's/self.temperature = .*/self.temperature = 1.0/' "$SOURCE/bench/peers/peer.py" >forgetful.py
    python_peer numpy "$PWD/forgetful.py"
    run --separate-stderr bench --peers numpy --strategies item -T 4 \
        --operations cross_entropy_gradient,softmax_backward
    [ "$(grep -c '^\[.\] WRONG: [0-9.]* from the exact gradients$' <<<"$output")" -eq 2 ]
}

@test "compare_builds.sh: two builds in the same rounds" {
    ! is_sanitized || skip "AddressSanitizer, with which the peer is not built"
    DEVICES=cpu run --separate-stderr "$SOURCE/bench/compare_builds.sh" "$BUILD" "$BUILD" --shapes 8x100 --rounds 2 \
        -T 1,0.7
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 3 ]
    [[ ${lines[0]} == "shape	dtype	T	operation	device	before	after	ratio"* ]]
    [[ ${lines[2]} =~ ^8x100\	f32\	0.7\	softmax\	cpu(\	[0-9.e-]+){6}$ ]]
    DEVICES=cpu run --separate-stderr "$SOURCE/bench/compare_builds.sh" "$BUILD" "$BUILD" --shapes 8x100 --rounds 2 \
        -T 4 --operations "$(operations)"
    [ "$status" -eq 0 ]
    [ -z "$stderr" ]
    [ "${#lines[@]}" -eq $((1 + $(operations | tr , '\n' | wc -l))) ]
    [ "$(grep -cE '	cpu(	[0-9.e-]+){6}$' <<<"$output")" -eq $((${#lines[@]} - 1)) ]
    DEVICES="cpu 77:7" run --separate-stderr "$SOURCE/bench/compare_builds.sh" "$BUILD" "$BUILD" --shapes 8x100 \
        --rounds 2 --axis 0 --dtypes f32,f16:bf16
    [ "$status" -eq 0 ]
    [ "${#lines[@]}" -eq 3 ]
    [[ $stderr == *"after on 77:7 is left out: device \"77:7\": "* ]]
    # times that a peer does not have, in the table of a benchmark that is played
    mkdir after
    ln -s "$BUILD/CMakeCache.txt" "$BUILD/host" after
    cat >after/clsoftmax-bench <<'PLAYED'
#!/usr/bin/env bash
cat >"${!#}" <<'TIMES'
strategy,shape,dtype,temperature,operation,median_ms,best_ms,note
before on cpu,8x10,f32,1,softmax,4,2,
after on cpu,8x10,f32,1,softmax,2,2,
after on 0:0,8x10,f32,1,softmax,3,3,
before on cpu,8x20,f32,1,softmax,4,2,
after on cpu,8x20,f32,1,softmax,,,the peer did not answer
TIMES
PLAYED
    chmod +x after/clsoftmax-bench
    DEVICES="cpu 0:0" run --separate-stderr "$SOURCE/bench/compare_builds.sh" "$BUILD" after
    [ "$status" -eq 0 ]
    [ "${lines[1]}" = "8x10	f32	1	softmax	cpu	4	2	0.500	2	2	1.000" ]
    [ "${lines[2]}" = "8x10	f32	1	softmax	0:0		3	-		3	-" ]
    [ "${lines[3]}" = "8x20	f32	1	softmax	cpu	4		-	2		-" ]
    [ "$stderr" = "after on cpu: the peer did not answer" ]
    run --separate-stderr "$SOURCE/bench/compare_builds.sh" "$BUILD"
    [ "$status" -eq 2 ]
    [[ $stderr == *"BEFORE AFTER"* ]]
}

@test "wrong bits of a device are seen, and fail" {
    needs_device
    cp -r "$SOURCE/kernels" faulty
    sed -i 's/0x1.1113[0-9a-f]*p-7f/0x1.1110p-7f/' faulty/core/faithful.h
    ! cmp -s faulty/core/faithful.h "$SOURCE/kernels/core/faithful.h"
    run --separate-stderr env CLSOFTMAX_KERNEL_DIR="$PWD/faulty" "$BENCH" -d cpu,0:0 --strategies item \
        --shapes 64x1000 --rounds 2
    [ "$status" -eq 1 ]
    [[ $stderr == "clsoftmax-bench: verification: "* ]]
    grep -q '^0:0 *item .*\[1\]$' <<<"$output"
    grep -q '^\[1\] WRONG: its bits are not those of device cpu' <<<"$output"
    grep -q '^cpu *item .*-$' <<<"$output"
    paste -sd' ' <<<"$output" | grep -q ':  0:0 (.*) was not timed: WRONG: its bits are not those of device cpu'
}

@test "without OpenCL it measures the native device" {
    run --separate-stderr env OCL_ICD_VENDORS=/nonexistent "$BENCH" --shapes 8x100 --rounds 2
    [ "$status" -eq 0 ]
    [[ $output == *"cpu "*" item "* ]]
}

@test "the man page names every option" {
    page=$SOURCE/docs/man/clsoftmax-bench.1
    run man --warnings -l -Tutf8 "$page"
    [ "$status" -eq 0 ]
    [[ $output != *"warning"* ]]
    for option in $("$BENCH" --help | grep -o -- '--[a-z-]*' | sort -u); do
        MANWIDTH=400 man -l "$page" | col -b | grep -q -- "$option" ||
            { echo "$option is not in the man page"; return 1; }
    done
}

@test "bench-sweep: a sweep beside separate runs" {
    run --separate-stderr "$BUILD/bench-sweep" cpu 20 30 3
    [ "$status" -eq 0 ]
    python3 -c '
import json, sys
line = json.loads(sys.argv[1])
assert line["temperatures"] == 3 and line["sweep_of_separate"] > 0
' "$output"
    run --separate-stderr "$BUILD/bench-sweep" cpu 20 30 3 nothing
    [ "$status" -eq 2 ]
    [[ $stderr == *"there is no operation"* ]]
}
