# clsoftmax distill: the divergence from a teacher and its gradient, from files into files.
bats_require_minimum_version 1.5.0
load helpers

STUDENT=$SOURCE/tests/data/digits_val_student_logits.npy # 700 x 10
TEACHER=$SOURCE/tests/data/digits_val_logits.npy
LABELS=$SOURCE/tests/data/digits_val_labels.npy

setup_file() { # what the tests' formulas share
    cat >"$BATS_FILE_TMPDIR/formulas.py" <<'P'
import numpy

def log_softmax(z):
    z = z - z.max(1, keepdims=True)
    return z - numpy.log(numpy.exp(z).sum(1, keepdims=True))
P
    export PYTHONPATH=$BATS_FILE_TMPDIR
}

@test "losses and gradients are right by their formulas, and verified" {
    needs_numpy
    local options
    for options in "-T 4" "-T 4 --no-t-squared" "-T 1 --accuracy fast" "-T 0.5 --axis 1 --sum"; do
        run --separate-stderr clsoftmax distill "$STUDENT" "$TEACHER" $options --verify --gradient g.npy --losses l.npy
        [ "$status" -eq 0 ]
        [[ $stderr == *"0 of 7700 values differ from cpu in bits"*passed* ]]
        echo "$output" >summary
        python - "$STUDENT" "$TEACHER" "$options" <<'P'
import numpy, sys
from formulas import log_softmax
options = sys.argv[3].split()
t = float(options[1])
squared = 1 if "--no-t-squared" in options else t * t
p, q = (log_softmax(numpy.load(f).astype("f8") / t) for f in sys.argv[1:3])
losses = (numpy.exp(q) * (q - p)).sum(1) * squared
gradient = (numpy.exp(p) - numpy.exp(q)) / t * squared / (1 if "--sum" in options else len(p))
error = 4 if "fast" in options else 1
assert abs(numpy.load("l.npy") - losses).max() < error * 1e-6 * losses.max()
assert abs(numpy.load("g.npy") - gradient).max() < error * 1.2e-7 * abs(gradient).max()
found = dict(line.split() for line in open("summary"))
assert abs(float(found["mean"]) / losses.mean() - 1) < error * 1e-6 and found["rows"] == "700"
assert abs(float(found["sum"]) / losses.sum() - 1) < error * 1e-6
P
        clsoftmax distill "$STUDENT" "$TEACHER" $options | diff summary -
    done
}

@test "the reverse divergence is that of the student from its teacher" {
    needs_numpy
    local options
    for options in "-T 4" "-T 2 --no-t-squared"; do
        run --separate-stderr clsoftmax distill "$STUDENT" "$TEACHER" $options --reverse --verify --gradient g.npy \
            --losses l.npy
        [ "$status" -eq 0 ]
        [[ $stderr == *"0 of 7700 values differ from cpu in bits"*passed* ]]
        python - "$STUDENT" "$TEACHER" "$options" <<'P'
import numpy, sys
from formulas import log_softmax
options = sys.argv[3].split()
t = float(options[1])
squared = 1 if "--no-t-squared" in options else t * t
p, q = (log_softmax(numpy.load(f).astype("f8") / t) for f in sys.argv[1:3])
divergence = (numpy.exp(p) * (p - q)).sum(1)
gradient = numpy.exp(p) * (p - q - divergence[:, None]) / t * squared / len(p)
assert abs(numpy.load("l.npy") / (divergence * squared) - 1).max() < 1e-6
assert abs(numpy.load("g.npy") - gradient).max() < 5e-7 * abs(gradient).max()
P
    done
    # the other way round: KL of the teacher from the student
    clsoftmax distill "$TEACHER" "$STUDENT" -T 4 >forward
    clsoftmax distill "$STUDENT" "$TEACHER" -T 4 --reverse | diff forward -
}

@test "the Jensen-Shannon divergence measures both from their mixture" {
    needs_numpy
    local options
    for options in "-T 4 --jensen-shannon 0.5" "-T 2 --no-t-squared --jensen-shannon 0.1"; do
        run --separate-stderr clsoftmax distill "$STUDENT" "$TEACHER" $options --verify --gradient g.npy --losses l.npy
        [ "$status" -eq 0 ]
        [[ $stderr == *"0 of 7700 values differ from cpu in bits"*passed* ]]
        python - "$STUDENT" "$TEACHER" "$options" <<'P'
import numpy, sys
from formulas import log_softmax
options = sys.argv[3].split()
t, b = float(options[1]), float(options[-1])
squared = 1 if "--no-t-squared" in options else t * t
p, q = (log_softmax(numpy.load(f).astype("f8") / t) for f in sys.argv[1:3])
m = numpy.log(b * numpy.exp(q) + (1 - b) * numpy.exp(p))
of_student = (numpy.exp(p) * (p - m)).sum(1)
divergence = b * (numpy.exp(q) * (q - m)).sum(1) + (1 - b) * of_student
gradient = (1 - b) * numpy.exp(p) * (p - m - of_student[:, None]) / t * squared / len(p)
assert abs(numpy.load("l.npy") / (divergence * squared) - 1).max() < 1e-6
assert abs(numpy.load("g.npy") - gradient).max() < 5e-7 * abs(gradient).max()
P
    done
    # a half is the same from both sides; and nothing is infinite
    clsoftmax distill "$TEACHER" "$STUDENT" -T 4 --jensen-shannon 0.5 | cut -c 1-12 >swapped
    clsoftmax distill "$STUDENT" "$TEACHER" -T 4 --jensen-shannon 0.5 | cut -c 1-12 | diff swapped -
    printf '1 -inf\n' >x.txt
    printf -- '-inf 1\n' >y.txt
    [[ $(clsoftmax distill x.txt y.txt --jensen-shannon 0.5 | head -n 1) == "mean 0.693147"* ]] # ln 2
    local share
    for share in 0 1 -1 nan "" 0.5x; do
        run --separate-stderr clsoftmax distill x.txt y.txt --jensen-shannon "$share"
        expect_error 2 "--jensen-shannon $share: it takes a number between 0 and 1"
    done
    run --separate-stderr clsoftmax distill x.txt y.txt --jensen-shannon 0.5 --reverse
    expect_error 2 "--jensen-shannon: it is another divergence than --reverse"
}

@test "equal rows have exactly 0; a teacher of another type, in double precision, with weights" {
    needs_numpy
    clsoftmax distill "$TEACHER" "$TEACHER" -T 4 --gradient g.npy >summary
    grep -qx "mean 0" summary
    python -c 'import numpy; assert not numpy.load("g.npy").any()'
    python - "$TEACHER" <<'P'
import numpy, sys
y = numpy.load(sys.argv[1])
numpy.save("f16.npy", y.astype("f2"))
numpy.save("f32.npy", y.astype("f2").astype("f4"))
short = numpy.round(y[:2] * 64) / 64 # so that f32 holds differences of them
numpy.save("far.npy", short.astype("f8") + 2.0**20)
numpy.save("near.npy", short.astype("f4"))
numpy.save("weights.npy", numpy.arange(700.) % 3)
P
    clsoftmax distill "$STUDENT" f16.npy -T 2 --gradient a.npy >a.txt
    clsoftmax distill "$STUDENT" f32.npy -T 2 --gradient b.npy | diff a.txt -
    cmp a.npy b.npy
    # the same row but for a constant: its exponentials are rounded otherwise
    clsoftmax distill near.npy far.npy -T 2 | awk '$1 == "mean" && $2 >= 0 && $2 < 1e-20 { found = 1 } END { exit !found }'
    clsoftmax distill "$STUDENT" f32.npy -T 2 --weights weights.npy --losses l.npy >weighted
    clsoftmax distill "$STUDENT" f32.npy -T 2 --losses plain.npy >/dev/null
    python - weighted <<'P'
import numpy, sys
w, l, plain = (numpy.load(f).astype("f8") for f in ("weights.npy", "l.npy", "plain.npy"))
found = dict(line.split() for line in open(sys.argv[1]))
assert abs(l - w * plain).max() < 1e-6 * l.max()
assert float(found["weights"]) == w.sum() and abs(float(found["mean"]) / (l.sum() / w.sum()) - 1) < 1e-9
P
}

@test "the same bytes in slabs, in shards, of rows, by several devices; any order of sums" {
    clsoftmax distill "$STUDENT" "$TEACHER" -T 4 --gradient g.npy --losses l.npy >summary
    clsoftmax distill "$STUDENT" "$TEACHER" -T 4 --gradient g2.npy --losses l2.npy --memory 8k -d cpu,cpu |
        diff summary -
    cmp g.npy g2.npy
    cmp l.npy l2.npy
    for shard in 2 0 1; do
        clsoftmax distill "$STUDENT" "$TEACHER" -T 4 --gradient g3.npy --losses l3.npy --shard $shard/3 >/dev/null
    done
    cmp g.npy g3.npy
    cmp l.npy l3.npy
    clsoftmax distill "$STUDENT" "$TEACHER" -T 4 --sum --gradient part.npy --rows 10:20 >/dev/null
    clsoftmax distill "$STUDENT" "$TEACHER" -T 4 --sum --gradient whole.npy >/dev/null
    cmp <(tail -c +129 part.npy) <(tail -c +529 whole.npy | head -c 400)
    needs_device
    clsoftmax distill "$STUDENT" "$TEACHER" -T 4 --gradient g4.npy -d 0:0 | diff summary -
    cmp g.npy g4.npy
}

# some_labels: writes labels.npy, in which every seventh row has none
some_labels() {
    python - "$LABELS" <<'P'
import numpy, sys
labels = numpy.load(sys.argv[1]).astype("i8")
labels[::7] = -1
numpy.save("labels.npy", labels)
P
}

@test "labels: losses, gradients, means and sums of the mix are right by their formulas, and verified" {
    needs_numpy
    some_labels
    python -c 'import numpy; numpy.save("weights.npy", numpy.arange(700.) % 3)'
    local options
    for options in "-T 4 --alpha 0.3" "-T 2" "-T 0.5 --alpha 0.75 --sum --no-t-squared" \
        "-T 4 --alpha 0.1 --weights weights.npy" "-T 4 --alpha 0.6 --accuracy fast"; do
        run --separate-stderr clsoftmax distill "$STUDENT" "$TEACHER" --labels labels.npy $options --verify \
            --gradient g.npy --losses l.npy
        [ "$status" -eq 0 ]
        [[ $stderr == *"0 of 15400 values differ from cpu in bits"*passed* ]]
        echo "$output" >summary
        python - "$STUDENT" "$TEACHER" "$options" <<'P'
import numpy, sys
from formulas import log_softmax
options = sys.argv[3].split()
t = float(options[1])
a = float(options[options.index("--alpha") + 1]) if "--alpha" in options else 0.5
squared = 1 if "--no-t-squared" in options else t * t
error = 4 if "fast" in options else 1
x, y = (numpy.load(f).astype("f8") for f in sys.argv[1:3])
labels = numpy.load("labels.npy")
w = numpy.load("weights.npy") if "--weights" in options else numpy.ones(len(x))
has, rows = labels >= 0, numpy.arange(len(x))
p, q, p1 = log_softmax(x / t), log_softmax(y / t), log_softmax(x)
step = numpy.zeros_like(x)
step[rows[has], labels[has]] = 1
of_labels = w * numpy.where(has, -p1[rows, labels], 0)
of_teacher = w * (numpy.exp(q) * (q - p)).sum(1) * squared
losses = a * of_labels + (1 - a) * of_teacher
over = (1, 1) if "--sum" in options else (w[has].sum(), w.sum())
gradient = a * (w * has)[:, None] * (numpy.exp(p1) - step) / over[0] + \
    (1 - a) * w[:, None] * (numpy.exp(p) - numpy.exp(q)) / t * squared / over[1]
assert abs(numpy.load("l.npy") - losses).max() < error * 1e-6 * losses.max()
assert abs(numpy.load("g.npy") - gradient).max() < error * 3e-7 * abs(gradient).max()
found = {name: float(value) for name, value in (line.split() for line in open("summary"))}
means = of_labels.sum() / w[has].sum(), of_teacher.sum() / w.sum()
expected = {"mean": a * means[0] + (1 - a) * means[1], "sum": losses.sum(), "cross-entropy": means[0],
            "divergence": means[1], "labelled": has.sum(), "rows": len(x)}
if "--weights" in options:
    expected["weights"] = w.sum()
assert found.keys() == expected.keys(), found
for name in expected:
    assert abs(found[name] / expected[name] - 1) < error * 1e-6, (name, found, expected)
P
        clsoftmax distill "$STUDENT" "$TEACHER" --labels labels.npy $options | diff summary -
    done
}

@test "labels: with alpha 0 and 1 the bytes are those of the divergence and of the cross-entropy alone" {
    local type name
    for type in f32 f16 bf16; do
        clsoftmax distill "$STUDENT" "$TEACHER" -T 4 --out-dtype $type --gradient g.npy --losses l.npy >teacher
        clsoftmax distill "$STUDENT" "$TEACHER" -T 4 --out-dtype $type --labels "$LABELS" --alpha 0 \
            --gradient g0.npy --losses l0.npy >zero
        cmp g.npy g0.npy
        cmp l.npy l0.npy
        clsoftmax loss "$STUDENT" "$LABELS" --out-dtype $type --gradient g.npy --losses l.npy >labels
        clsoftmax distill "$STUDENT" "$TEACHER" -T 4 --out-dtype $type --labels "$LABELS" --alpha 1 \
            --gradient g1.npy --losses l1.npy >one
        cmp g.npy g1.npy
        cmp l.npy l1.npy
        for name in mean sum rows; do
            diff <(grep "^$name " teacher) <(grep "^$name " zero)
            diff <(grep "^$name " labels) <(grep "^$name " one)
        done
    done
    # what has no share is infinite
    echo "1 2 -inf" >x.txt
    echo "1 2 -inf" >y.txt
    echo 2 >label.txt
    [ "$(clsoftmax distill x.txt y.txt --labels label.txt --alpha 0 | head -n 1)" = "mean 0" ]
    [ "$(clsoftmax distill x.txt y.txt --labels label.txt --alpha 0.5 | head -n 1)" = "mean inf" ]
    echo "1 2 3" >y.txt
    echo 1 >label.txt
    clsoftmax distill x.txt y.txt --labels label.txt --alpha 1 >one
    diff <(head -n 1 one) <(clsoftmax loss x.txt label.txt | head -n 1)
    grep -qx "divergence inf" one
    # no row has a label: nothing is added to 1 - alpha times the divergence
    echo -1 >label.txt
    echo "1 2 0" >y.txt
    clsoftmax distill y.txt y.txt --labels label.txt >none
    grep -qx "mean 0" none
    grep -qx "cross-entropy nan" none
}

@test "labels: the same bytes in slabs, in shards, of rows, in 16 bits, by several devices" {
    needs_numpy
    some_labels
    local type shard words="--labels labels.npy -T 4 --alpha 0.3"
    python - "$STUDENT" <<'P'
import numpy, sys
numpy.save("half.npy", numpy.load(sys.argv[1]).astype("f2"))
P
    for type in f32 f16; do # in place, and with a mix of a smaller type
        words="$words --out-dtype $type"
        clsoftmax distill half.npy "$TEACHER" $words --gradient g.npy --losses l.npy >summary
        clsoftmax distill half.npy "$TEACHER" $words --gradient g2.npy --losses l2.npy --memory 8k -d cpu,cpu |
            diff summary -
        cmp g.npy g2.npy
        cmp l.npy l2.npy
        for shard in 2 0 1; do
            clsoftmax distill half.npy "$TEACHER" $words --gradient g3.npy --losses l3.npy --shard $shard/3 >/dev/null
        done
        cmp g.npy g3.npy
        cmp l.npy l3.npy
        clsoftmax distill half.npy "$TEACHER" $words --gradient g5.npy --verify >/dev/null
        cmp g.npy g5.npy
    done
    clsoftmax distill "$STUDENT" "$TEACHER" $words --sum --gradient part.npy --rows 10:20 >/dev/null
    clsoftmax distill "$STUDENT" "$TEACHER" $words --sum --gradient whole.npy >/dev/null
    cmp <(tail -c +129 part.npy) <(tail -c +329 whole.npy | head -c 200)
    clsoftmax distill "$STUDENT" "$TEACHER" $words --gradient g.npy --explain >explained
    grep -q ", cross_entropy_gradient and distillation_gradient$" explained
    [ "$(grep -c "^device cpu: " explained)" = 2 ]
    # classes on the first axis, and a temperature for each row
    seq 10 19 >ten.txt
    python -c 'import numpy; numpy.savetxt("t.txt", 1 + numpy.arange(10) / 4)'
    clsoftmax distill "$STUDENT" "$TEACHER" --axis 0 --labels ten.txt -T @t.txt --gradient a.npy >summary
    python - "$STUDENT" "$TEACHER" <<'P'
import numpy, sys
x, y = (numpy.load(f).T for f in sys.argv[1:])
numpy.save("x.npy", numpy.ascontiguousarray(x))
numpy.save("y.npy", numpy.ascontiguousarray(y))
P
    clsoftmax distill x.npy y.npy --labels ten.txt -T @t.txt --gradient b.npy --memory 200k | diff summary -
    python -c 'import numpy; assert (numpy.load("a.npy").T == numpy.load("b.npy")).all()'
    needs_device
    clsoftmax distill half.npy "$TEACHER" $words --gradient g4.npy -d 0:0,cpu >/dev/null
    clsoftmax distill half.npy "$TEACHER" $words --gradient g5.npy -d cpu >/dev/null
    cmp g4.npy g5.npy
}

# top_teacher: writes the log-probabilities at T = 2 of the teacher's four most likely classes, and these classes. Some
# rows list three
top_teacher() {
    python - "$TEACHER" <<'P'
import numpy, sys
y = numpy.load(sys.argv[1]).astype("f8") / 2
logs = y - numpy.log(numpy.exp(y).sum(1, keepdims=True))
classes = numpy.argsort(-y, 1)[:, :4]
logs = numpy.take_along_axis(logs, classes, 1)
classes[::9, 3] = -1
numpy.save("top.npy", logs.astype("f4"))
numpy.save("classes.npy", classes.astype("i4"))
P
}

@test "a teacher of its top classes: each tail is right by its formula, in slabs, shards, rows, types, with labels" {
    needs_numpy
    top_teacher
    python -c 'import numpy; numpy.save("weights.npy", 1 + numpy.arange(700.) % 3)'
    local tail words
    for tail in renormalize bucket drop; do
        words="--teacher-classes classes.npy -T 2 --tail $tail --weights weights.npy"
        run --separate-stderr clsoftmax distill "$STUDENT" top.npy $words --gradient g.npy --losses l.npy --verify
        [ "$status" -eq 0 ]
        [[ $stderr == *"0 of 7700 values differ from cpu in bits"*passed* ]]
        echo "$output" >summary
        python - "$STUDENT" $tail <<'P'
import numpy, sys
x = numpy.load(sys.argv[1]).astype("f8") / 2
p = numpy.exp(x - x.max(1, keepdims=True))
p /= p.sum(1, keepdims=True)
w = numpy.load("weights.npy")
logs, classes = numpy.load("top.npy").astype("f8"), numpy.load("classes.npy")
loss, gradient = numpy.zeros(700), numpy.zeros_like(x)
for r in range(700):
    listed = classes[r][classes[r] >= 0]
    q, Q = numpy.zeros(10), numpy.exp(logs[r][classes[r] >= 0]).sum()
    q[listed] = numpy.exp(logs[r][classes[r] >= 0])
    tail = numpy.setdiff1d(numpy.arange(10), listed)
    if sys.argv[2] == "renormalize":
        q /= Q
    share = Q if sys.argv[2] == "drop" else 1
    loss[r] = (q[listed] * numpy.log(q[listed] / share / p[r, listed])).sum()
    if sys.argv[2] == "bucket":
        pt = p[r, tail].sum()
        loss[r] += (1 - Q) * numpy.log((1 - Q) / pt)
        q[tail] = (1 - Q) * p[r, tail] / pt
    gradient[r] = (share * p[r] - q) * 2 * w[r] / w.sum()
loss *= 4 * w
assert abs(numpy.load("l.npy") - loss).max() < 1e-5
assert abs(numpy.load("g.npy") - gradient).max() < 1e-8
found = dict(line.split() for line in open("summary"))
assert abs(float(found["mean"]) / (loss.sum() / w.sum()) - 1) < 1e-5 and float(found["weights"]) == w.sum(), found
P
        clsoftmax distill "$STUDENT" top.npy $words --gradient g2.npy --memory 8k -d cpu,cpu | diff summary -
        cmp g.npy g2.npy
        clsoftmax distill "$STUDENT" top.npy $words --gradient g3.npy --shard 1/2 >/dev/null
        clsoftmax distill "$STUDENT" top.npy $words --gradient g3.npy --shard 0/2 >/dev/null
        cmp g.npy g3.npy
        clsoftmax distill "$STUDENT" top.npy $words --losses l.npy >/dev/null
        clsoftmax distill "$STUDENT" top.npy $words --losses l2.npy --rows 10:20 >/dev/null
        cmp <(tail -c +129 l2.npy) <(tail -c +169 l.npy | head -c 40)
        # the labels' part of a mix has the weights of the rows alone
        clsoftmax distill "$STUDENT" top.npy $words --labels "$LABELS" --alpha 1 --gradient a.npy >/dev/null
        clsoftmax loss "$STUDENT" "$LABELS" --weights weights.npy --gradient b.npy >/dev/null
        cmp a.npy b.npy
    done
    # 16-bit logits and log-probabilities, a temperature for each row
    python - "$STUDENT" <<'P'
import numpy, sys
half = numpy.load(sys.argv[1]).astype("f2")
numpy.save("half.npy", half)
numpy.save("single.npy", half.astype("f4"))
top = numpy.load("top.npy").astype("f2")
numpy.save("top2.npy", top)
numpy.save("top4.npy", top.astype("f4"))
numpy.save("t.npy", numpy.full(700, 2, "f4"))
P
    words="--teacher-classes classes.npy --tail bucket --out-dtype f32"
    clsoftmax distill half.npy top2.npy $words -T @t.npy --gradient g.npy --losses l.npy
    clsoftmax distill single.npy top4.npy $words -T 2 --gradient g2.npy --losses l2.npy
    cmp g.npy g2.npy
    cmp l.npy l2.npy
    clsoftmax distill single.npy top4.npy $words -T 2 --reverse --verify
}

@test "errors of a teacher of its top classes" {
    printf '1 2 3\n3 2 1\n' >x.txt
    printf -- '-0.5 -1.5\n-0.5 -1.5\n' >top.txt
    printf '0 1\n2 2\n' >classes.txt
    wrong() {
        run --separate-stderr clsoftmax distill "${@:2}"
        expect_error 2 "$1"
    }
    wrong "top.txt: counted from row 0 on: class 2 is listed twice in row 1" x.txt top.txt --teacher-classes classes.txt
    printf '0 1\n2 3\n' >classes.txt
    wrong "classes.txt: --teacher-classes: 3 is no class from 0 to 2" x.txt top.txt --teacher-classes classes.txt
    printf '0 1\n2 0.5\n' >classes.txt
    wrong "0.5 is no class" x.txt top.txt --teacher-classes classes.txt
    printf '0 1 2\n2 1 0\n' >classes.txt
    wrong "classes.txt: --teacher-classes: it does not have the shape of top.txt" x.txt top.txt \
        --teacher-classes classes.txt
    printf '0 1\n2 -1\n' >classes.txt
    wrong "it does not have the rows of" "$STUDENT" top.txt --teacher-classes classes.txt
    wrong "--tail: TEACHER has all classes" x.txt x.txt --tail drop
    wrong "--tail middle" x.txt top.txt --teacher-classes classes.txt --tail middle
    wrong "--probabilities: with --teacher-classes" x.txt top.txt --teacher-classes classes.txt --probabilities
    wrong "--reverse: it is infinite" x.txt top.txt --teacher-classes classes.txt --reverse
    wrong "--axis says another" x.txt top.txt --teacher-classes classes.txt --axis 0
    wrong "the temperature of row 0 is inf" x.txt top.txt --teacher-classes classes.txt -T inf --no-t-squared
    clsoftmax distill x.txt top.txt --teacher-classes classes.txt
}

@test "errors of --labels and --alpha" {
    local alpha
    for alpha in -0.1 1.1 nan inf "" 0.5x; do
        run --separate-stderr clsoftmax distill "$STUDENT" "$TEACHER" --labels "$LABELS" --alpha "$alpha"
        expect_error 2 "--alpha $alpha: it takes a number from 0 to 1"
    done
    run --separate-stderr clsoftmax distill "$STUDENT" "$TEACHER" --alpha 0.5
    expect_error 2 "--alpha: it is the share of the labels" "--labels FILE"
    printf '1\n2\n' >two.txt
    run --separate-stderr clsoftmax distill "$STUDENT" "$TEACHER" --labels two.txt --gradient g.npy
    expect_error 2 "--labels: 2 numbers for 700 rows"
    [ ! -e g.npy ]
}

@test "errors" {
    run --separate-stderr clsoftmax distill "$STUDENT"
    expect_error 2 "STUDENT and TEACHER"
    run --separate-stderr clsoftmax distill "$STUDENT" "$SOURCE/tests/data/digits_val_labels.npy"
    expect_error 2 "do not have the shape of the student's"
    run --separate-stderr clsoftmax distill "$STUDENT" "$TEACHER" -T 1e30
    expect_error 2 "--no-t-squared leaves it out"
    clsoftmax distill "$STUDENT" "$TEACHER" -T 1e30 --no-t-squared
    run --separate-stderr clsoftmax distill "$STUDENT" nowhere.npy
    expect_error 2 "nowhere.npy"
    run --separate-stderr clsoftmax distill "$STUDENT" "$TEACHER" --gradient g.txt
    expect_error 2 "--gradient g.txt"
    run --separate-stderr clsoftmax distill "$STUDENT" "$TEACHER" --gradient g.npy --weights <(echo 1)
    expect_error 2 "1 numbers for 700 rows"
    [ ! -e g.npy ]
}
