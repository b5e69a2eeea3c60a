# clsoftmax loss: cross-entropy and its gradient, from files into files.
bats_require_minimum_version 1.5.0
load helpers

LOGITS=$SOURCE/tests/data/digits_val_logits.npy # 700 x 10
LABELS=$SOURCE/tests/data/digits_val_labels.npy

# value NAME FILE: the number that a summary has under a name
value() { awk -v name="$1" '$1 == name { print $2 }' "$2"; }

@test "the mean is that of the statistics, the gradient and the losses are right" {
    local options statistics
    for options in "" "-T 3.05" "-T 0.7 --accuracy fast" "-T 2 --axis 1"; do
        clsoftmax loss "$LOGITS" "$LABELS" $options >summary
        statistics=$(clsoftmax run "$LOGITS" --labels "$LABELS" $options --stats=s.npy | grep -o '[0-9.]*$')
        python3 -c "import sys; sys.exit(abs($(value mean summary) / $statistics - 1) > 1e-6)"
        [ "$(value labelled summary) $(value rows summary)" = "700 700" ]
        run --separate-stderr clsoftmax loss "$LOGITS" "$LABELS" $options --verify --gradient g.npy --losses l.npy
        [ "$status" -eq 0 ]
        [[ $stderr == *"0 of 7700 values differ from cpu in bits"*passed* ]]
        diff <(echo "$output") summary
    done
}

@test "a mean with weights and an ignored row, divided as PyTorch does, and a z-loss, by their formulas" {
    printf '1 2 3\n3 1 0.5\n0 0 9\n' >x.txt
    printf '2\n0\n-1\n' >labels.txt
    printf '1\n3\n5\n' >weights.txt
    clsoftmax loss x.txt labels.txt --weights weights.txt -T 2 >summary
    python3 - summary <<'P'
import math, sys
def nll(x, label, t): return math.log(sum(math.exp(v / t) for v in x)) - x[label] / t
found = dict(line.split() for line in open(sys.argv[1]))
total = 1 * nll([1, 2, 3], 2, 2) + 3 * nll([3, 1, .5], 0, 2)
assert abs(float(found["sum"]) / total - 1) < 1e-7, (found, total)
assert abs(float(found["mean"]) / (total / 4) - 1) < 1e-7
assert found["weights"] == "4" and found["labelled"] == "2" and found["rows"] == "3"
P
    clsoftmax loss x.txt labels.txt --z-loss 0.5 >summary
    python3 - summary <<'P'
import math, sys
found = dict(line.split() for line in open(sys.argv[1]))
total = 0
for x, label in ([1, 2, 3], 2), ([3, 1, .5], 0):
    lse = math.log(sum(math.exp(v) for v in x))
    total += lse - x[label] + 0.5 * lse * lse
assert abs(float(found["sum"]) / total - 1) < 1e-7, (found, total)
P
}

@test "label smoothing is spread over the classes that are not masked" {
    printf '1 2 3 -inf\n3 1 0.5 2\n0 0 9 1\n' >x.txt
    printf '2\n0\n-1\n' >labels.txt
    clsoftmax loss x.txt labels.txt --label-smoothing 0.3 -T 2 --gradient g.npy --sum --verify >summary
    python3 - summary <<'P'
import math, struct, sys
found = dict(line.split() for line in open(sys.argv[1]))
gradient = struct.unpack("<12f", open("g.npy", "rb").read()[-48:])
total, expected = 0, []
for x, label in ([1, 2, 3, -math.inf], 2), ([3, 1, .5, 2], 0):
    lse, n = math.log(sum(math.exp(v / 2) for v in x)), sum(v > -math.inf for v in x)
    targets = [0.7 * (c == label) + 0.3 / n * (v > -math.inf) for c, v in enumerate(x)]
    total += sum(t * (lse - v / 2) for t, v in zip(targets, x) if t)
    expected += [(math.exp(v / 2 - lse) - t) / 2 for t, v in zip(targets, x)]
assert abs(float(found["sum"]) / total - 1) < 1e-6, (found, total)
assert found["labelled"] == "2" and found["rows"] == "3"
assert all(abs(a - b) < 1e-7 for a, b in zip(gradient, expected + [0] * 4)), (gradient, expected)
P
    clsoftmax loss "$LOGITS" "$LABELS" --label-smoothing 0 >none
    clsoftmax loss "$LOGITS" "$LABELS" | diff none -
}

@test "a gradient is that of the mean, or with --sum that of the sum; rows without a label have none" {
    needs_numpy
    python - "$LABELS" <<'P'
import numpy, sys
labels = numpy.load(sys.argv[1]).astype("i8")
labels[::7] = -1
numpy.save("some.npy", labels)
P
    clsoftmax loss "$LOGITS" some.npy -T 2 --gradient mean.npy --losses l.npy >summary
    clsoftmax loss "$LOGITS" some.npy -T 2 --gradient sum.npy --sum >/dev/null
    clsoftmax run "$LOGITS" -T 2 -o p.npy
    python - "$(value mean summary)" <<'P'
import numpy, sys
p, labels, losses = (numpy.load(f).astype("f8") for f in ("p.npy", "some.npy", "l.npy"))
has = labels >= 0
expected = p.copy()
expected[numpy.arange(len(p)), labels.astype("i8")] -= 1
expected = expected * has[:, None] / 2
assert abs(numpy.load("sum.npy") - expected).max() < 1e-7
assert abs(numpy.load("mean.npy") - expected / has.sum()).max() < 1e-9
assert (numpy.load("mean.npy")[~has] == 0).all() and (losses[~has] == 0).all()
assert abs(losses.sum() / has.sum() / float(sys.argv[1]) - 1) < 1e-9
P
}

@test "the same bytes in slabs, in shards, by several devices; any order of sums" {
    clsoftmax loss "$LOGITS" "$LABELS" -T 0.7 --gradient g.npy --losses l.npy >summary
    clsoftmax loss "$LOGITS" "$LABELS" -T 0.7 --gradient g2.npy --losses l2.npy --memory 4k -d cpu,cpu | diff summary -
    cmp g.npy g2.npy
    cmp l.npy l2.npy
    for shard in 2 0 1; do
        clsoftmax loss "$LOGITS" "$LABELS" -T 0.7 --gradient g3.npy --losses l3.npy --shard $shard/3 >part.$shard
    done
    cmp g.npy g3.npy
    cmp l.npy l3.npy
    [ "$(cat part.* | awk '$1 == "labelled" { all += $2 } END { print all }')" = 700 ]
    clsoftmax loss "$LOGITS" "$LABELS" -T 0.7 --gradient part.npy --rows 10:20 >/dev/null
    needs_device
    clsoftmax loss "$LOGITS" "$LABELS" -T 0.7 --gradient g4.npy -d 0:0 | diff summary -
    cmp g.npy g4.npy
}

@test "targets in place of labels: their losses and gradients, from files of any type, in slabs and in shards" {
    needs_numpy
    python - "$LOGITS" <<'P'
import numpy, sys
x = numpy.load(sys.argv[1])
t = numpy.random.default_rng(3).dirichlet([0.3] * 10, 700)
t[5] *= 3
numpy.save("t8.npy", t)
numpy.save("t4.npy", t.astype("f4"))
numpy.save("t2.npy", t.astype("f2"))
numpy.savetxt("weights.txt", numpy.arange(10.) % 4)
numpy.save("row_weights.npy", numpy.arange(700.) % 3)
P
    local targets options
    for targets in t8 t4 t2; do
        for options in "-T 2" "-T 0.5 --sum --weights row_weights.npy" "-T 3 --class-weights weights.txt"; do
            run --separate-stderr clsoftmax loss "$LOGITS" --targets $targets.npy $options --gradient g.npy \
                --losses l.npy --verify
            [ "$status" -eq 0 ]
            [[ $stderr == *"the targets of 1 of 700 rows do not add up to 1; the largest deviation is 2"* ]]
            [[ $stderr == *"0 of 7700 values differ from cpu in bits"*passed* ]]
            echo "$output" >summary
            python - "$LOGITS" $targets.npy "$options" <<'P'
import numpy, sys
options = sys.argv[3].split()
temperature = float(options[1])
x, t = numpy.load(sys.argv[1]).astype("f8") / temperature, numpy.load(sys.argv[2]).astype("f8")
w = numpy.load("row_weights.npy") if "--weights" in options else numpy.ones(700)
if "--class-weights" in options:
    t = t * numpy.loadtxt("weights.txt")
x -= x.max(1, keepdims=True)
log_p = x - numpy.log(numpy.exp(x).sum(1, keepdims=True))
losses = -(t * log_p).sum(1) * w
gradient = w[:, None] * (t.sum(1, keepdims=True) * numpy.exp(log_p) - t) / temperature
gradient /= 1 if "--sum" in options else w.sum()
assert abs(numpy.load("l.npy") - losses).max() < 1e-6 * losses.max()
assert abs(numpy.load("g.npy") - gradient).max() < 3e-7 * abs(gradient).max()
found = dict(line.split() for line in open("summary"))
assert abs(float(found["mean"]) / (losses.sum() / w.sum()) - 1) < 1e-6 and found["rows"] == "700"
assert found.keys() == {"mean", "sum", "rows"} | ({"weights"} if "--weights" in options else set()), found
P
            clsoftmax loss "$LOGITS" --targets $targets.npy $options --gradient g2.npy --memory 8k -d cpu,cpu |
                diff summary -
            cmp g.npy g2.npy
            clsoftmax loss "$LOGITS" --targets $targets.npy $options --gradient g3.npy --shard 1/2 >/dev/null
            clsoftmax loss "$LOGITS" --targets $targets.npy $options --gradient g3.npy --shard 0/2 >/dev/null
            cmp g.npy g3.npy
        done
    done
    # classes on the first axis; some of the rows
    python - "$LOGITS" <<'P'
import numpy, sys
numpy.save("xt.npy", numpy.ascontiguousarray(numpy.load(sys.argv[1]).T))
numpy.save("tt.npy", numpy.ascontiguousarray(numpy.load("t4.npy").T))
P
    clsoftmax loss "$LOGITS" --targets t4.npy --class-weights weights.txt --losses l.npy
    clsoftmax loss xt.npy --targets tt.npy --class-weights weights.txt --axis 0 --losses l2.npy
    cmp l.npy l2.npy
    clsoftmax loss "$LOGITS" --targets t4.npy --class-weights weights.txt --rows 10:20 --losses l3.npy
    cmp <(tail -c +129 l3.npy) <(tail -c +169 l.npy | head -c 40)
}

@test "targets of 0 and 1 are labels; weights of classes are those of the rows with such labels" {
    needs_numpy
    python - "$LABELS" <<'P'
import numpy, sys
labels = numpy.load(sys.argv[1]).astype("i8")
numpy.save("t.npy", numpy.eye(10, dtype="f4")[labels])
weights = (numpy.arange(10.) % 4).astype("f2")
numpy.save("class_weights.npy", weights)
labels[::7] = -1
numpy.save("some.npy", labels)
numpy.save("weights.npy", numpy.where(labels >= 0, weights[labels], 9))
numpy.save("halves.npy", numpy.where(labels >= 0, weights[labels], 9) / 2)
numpy.save("half.npy", numpy.full(700, 0.5))
P
    diff <(clsoftmax loss "$LOGITS" --targets t.npy | cut -c 1-12) <(clsoftmax loss "$LOGITS" "$LABELS" |
        grep -v labelled | cut -c 1-12)
    clsoftmax loss "$LOGITS" some.npy --class-weights class_weights.npy --gradient g.npy >summary
    clsoftmax loss "$LOGITS" some.npy --weights weights.npy --gradient g2.npy | diff summary -
    cmp g.npy g2.npy
    clsoftmax loss "$LOGITS" some.npy --class-weights class_weights.npy --weights half.npy --gradient g.npy >summary
    clsoftmax loss "$LOGITS" some.npy --weights halves.npy --gradient g2.npy | diff summary -
    cmp g.npy g2.npy
}

@test "errors of targets and weights of classes" {
    printf '0.5 0.5\n0.5 0.5\n' >t.txt
    printf '1 2\n3 4\n' >x.txt
    run --separate-stderr clsoftmax loss x.txt t.txt --targets t.txt
    expect_error 2 "with --targets it takes LOGITS alone"
    run --separate-stderr clsoftmax loss x.txt --targets t.txt --label-smoothing 0.1
    expect_error 2 "--label-smoothing: it spreads labels"
    run --separate-stderr clsoftmax loss "$LOGITS" "$LABELS" --class-weights t.txt --label-smoothing 0.1
    expect_error 2 "--class-weights: not with --label-smoothing; --targets FILE"
    run --separate-stderr clsoftmax loss "$LOGITS" --targets t.txt
    expect_error 2 "t.txt: --targets do not have the shape of the logits" "4 and 7000 elements"
    printf '0.5 0.5\n-0.5 1.5\n' >t.txt
    run --separate-stderr clsoftmax loss x.txt --targets t.txt --gradient g.npy
    expect_error 2 "t.txt: --targets: -0.5, of class 0 of row 1, is not a finite number from 0 on"
    printf '0.5 nan\n0.5 1.5\n' >t.txt
    run --separate-stderr clsoftmax loss x.txt --targets t.txt
    expect_error 2 "nan, of class 1 of row 0"
    [ ! -e g.npy ]
    printf '1 -1\n' >w.txt
    run --separate-stderr clsoftmax loss x.txt "$LABELS" --class-weights w.txt
    expect_error 2
    printf '0\n1\n' >labels.txt
    run --separate-stderr clsoftmax loss x.txt labels.txt --class-weights w.txt
    expect_error 2 "w.txt: --class-weights: -1, the weight of class 1, is not a finite number from 0 on"
    printf '1 1 1\n' >w.txt
    run --separate-stderr clsoftmax loss x.txt labels.txt --class-weights w.txt
    expect_error 2 "w.txt: --class-weights: 3 numbers for 2 classes"
}

@test "errors" {
    run --separate-stderr clsoftmax loss "$LOGITS"
    expect_error 2 "LOGITS and LABELS"
    run --separate-stderr clsoftmax loss "$LOGITS" "$LABELS" --gradient g.txt
    expect_error 2 "--gradient g.txt"
    run --separate-stderr clsoftmax loss "$LOGITS" "$LABELS" --losses l.txt
    expect_error 2 "--losses l.txt"
    run --separate-stderr clsoftmax loss "$LOGITS" "$LABELS" --gradient -
    expect_error 2 "--gradient FILE"
    run --separate-stderr clsoftmax loss "$LOGITS" "$LABELS" --gradient a.npy --losses ./a.npy
    expect_error 2 "the same file"
    printf '1\n2\n' >two.txt
    run --separate-stderr clsoftmax loss "$LOGITS" two.txt
    expect_error 2 "2 numbers for 700 rows"
    printf '1 2 3\n' >x.txt
    echo 0 >label.txt
    for weight in -1 inf nan; do
        echo $weight >weight.txt
        run --separate-stderr clsoftmax loss x.txt label.txt --weights weight.txt --gradient g.npy
        expect_error 2 "the weight of row 0"
        [ ! -e g.npy ]
    done
    echo 1e-45 >weight.txt
    run --separate-stderr clsoftmax loss x.txt label.txt --weights weight.txt --gradient g.npy
    expect_error 2 "too small to divide a gradient by"
    run --separate-stderr clsoftmax loss x.txt label.txt --z-loss inf
    expect_error 2 "--z-loss inf"
    run --separate-stderr clsoftmax loss x.txt label.txt --label-smoothing 1.5
    expect_error 2 "--label-smoothing 1.5: it takes a number from 0 to 1"
    echo "100000001 100000002" >double.txt
    run --separate-stderr clsoftmax loss double.txt label.txt --z-loss 1
    expect_error 2 "relative to its largest logit"
    run --separate-stderr clsoftmax loss x.txt label.txt -T -1
    expect_error 2 "-T -1"
    echo 0.5 >label.txt
    run --separate-stderr clsoftmax loss x.txt label.txt
    expect_error 2 "is not a whole number"
    echo -1 >label.txt
    run clsoftmax loss x.txt label.txt
    [ "${lines[0]}" = "mean nan" ]
}
