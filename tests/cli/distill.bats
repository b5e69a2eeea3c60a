# clsoftmax distill: the divergence from a teacher and its gradient, from files into files.
bats_require_minimum_version 1.5.0
load helpers

STUDENT=$SOURCE/tests/data/digits_val_student_logits.npy # 700 x 10
TEACHER=$SOURCE/tests/data/digits_val_logits.npy

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
def log_softmax(z):
    z = z - z.max(1, keepdims=True)
    return z - numpy.log(numpy.exp(z).sum(1, keepdims=True))
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
def log_softmax(z):
    z = z - z.max(1, keepdims=True)
    return z - numpy.log(numpy.exp(z).sum(1, keepdims=True))
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
