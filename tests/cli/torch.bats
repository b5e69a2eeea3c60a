# Losses and derivatives beside PyTorch's, and cases from the issues of other projects. The cases have exact results of
# their own; PyTorch only shows what it gives. ./dev bench installs it into build/peers/venv.
bats_require_minimum_version 1.5.0
load helpers

# torch_python: prints a Python that has PyTorch; fails without one
torch_python() {
    local found
    for found in "$BUILD/peers/venv/bin/python" python3 /usr/bin/python3; do
        "$found" -c 'import torch' 2>/dev/null && echo "$found" && return
    done
    return 1
}

needs_torch() {
    TORCH=$(torch_python) || skip "no PyTorch; ./dev bench installs it from pip"
}

# show_torch EXPRESSION: prints what PyTorch gives, where it is installed. x is a tensor of doubles, 37.42994775023705
# and 0.
show_torch() {
    local found
    found=$(torch_python) || return 0
    "$found" - "$1" >&3 <<'P'
import numpy, sys, torch
from torch.nn import functional
x = torch.tensor([[37.42994775023705, 0.0]], dtype=torch.float64, requires_grad=True)
one = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
print("# PyTorch %s: %s" % (torch.__version__, [float(v) for v in eval(sys.argv[1]).flatten()]))
P
}

@test "losses and derivatives are PyTorch's in double precision, on random problems of every option" {
    local problems=10
    needs_torch
    [ -z "${CLSOFTMAX_TEST_LONG-}" ] || problems=300
    run "$TORCH" "$SOURCE/tests/numbers/compare_torch.py" "$problems"
    echo "$output"
    [ "$status" -eq 0 ]
    [[ ${lines[-1]} == *" problems, 0 differ from PyTorch "* ]]
}

@test "a planted fault is seen by the comparison with PyTorch" {
    needs_torch
    # the temperature is off by 2^-20
    sed 's/"%.9g" % self.temperature/"%.9g" % (self.temperature * (1 + 2.0**-20))/' \
        "$SOURCE/tests/numbers/compare_torch.py" >planted.py
    run "$TORCH" planted.py 4
    [ "$status" -eq 1 ]
    [[ $output == *"check_cross_entropy, seed "*loss* ]]
    [[ $output == *"check_distillation, seed "* ]]
}

# A kernel rounded p to bf16 before it subtracted 1, and the gradient at the label was 20% off at p = 0.99 and 100% at
# 0.999. Here it is within half of the distance of two numbers of bf16.
@test "Liger-Kernel#1329: the gradient at the label of confident rows, in bf16" {
    needs_numpy
    python - <<'P'
import numpy
random = numpy.random.default_rng(1329)
def bf16(x): # rounds to nearest, ties to even
    bits = numpy.asarray(x, "f4").view("u4")
    return ((bits + 0x7FFF + (bits >> 16 & 1)) & 0xFFFF0000).astype("u4").view("f4")
rows = bf16(random.normal(0, 1, (3, 32000)))
labels = random.integers(0, 32000, 3)
for row, label, p in zip(rows, labels, (0.9, 0.99, 0.999)):
    row[label] = -numpy.inf
    row[label] = bf16(numpy.log(numpy.exp(row.astype("f8")).sum()) + numpy.log(p / (1 - p)))
numpy.save("logits.npy", (rows.view("u4") >> 16).astype("u2"))
numpy.save("labels.npy", labels)
P
    clsoftmax loss logits.npy labels.npy --input-dtype bf16 --out-dtype bf16 --gradient gradient.npy >/dev/null
    python - <<'P'
import numpy
def f8(file): return (numpy.load(file).view("u2").astype("u4") << 16).view("f4").astype("f8")
labels, x, found = numpy.load("labels.npy"), f8("logits.npy"), f8("gradient.npy")
rows = numpy.arange(3)
e = numpy.exp(x - x.max(1, keepdims=True))
p = e / e.sum(1, keepdims=True)
e[rows, labels] = 0
exact = p.copy()
exact[rows, labels] = -(e / numpy.exp(x - x.max(1, keepdims=True)).sum(1, keepdims=True)).sum(1)
exact /= 3
assert (abs(exact[rows, labels] * 3) < [0.15, 0.02, 0.002]).all() # they are confident
assert (abs(found / exact - 1) <= 2.0**-8).all(), abs(found / exact - 1).max()
# what rounding first would have given: more than 1%, so that this test can see it
step = 2.0 ** (numpy.floor(numpy.log2(p[rows, labels] / 3)) - 7)
first = numpy.round(p[rows, labels] / 3 / step) * step - 1 / 3
assert (abs(first / exact[rows, labels] - 1) > 0.01).any()
numpy.save("exact.npy", exact[rows, labels])
P
    # by how much of it PyTorch's gradient at the label is off
    show_torch '(lambda x, y: (torch.autograd.grad(functional.cross_entropy(x, y), x)[0].double()[[0, 1, 2], y] /
                 torch.tensor(numpy.load("exact.npy")) - 1))(
        torch.tensor(numpy.load("logits.npy").view("i2")).view(torch.bfloat16).requires_grad_(),
        torch.tensor(numpy.load("labels.npy")))'
}

# PyTorch loses a gradient that double precision represents, since it subtracts 1 from p.
@test "pytorch#195678: the gradient of cross-entropy at the label where p is next to 1" {
    needs_numpy
    echo 37.42994775023705 0 >x.txt
    echo 0 >label.txt
    clsoftmax loss x.txt label.txt --gradient gradient.npy --losses losses.npy >/dev/null
    python - <<'P'
import numpy
exact = 5.551115123125776e-17 # exp(-37.42994775023705) to all digits of double precision
gradient, loss = numpy.load("gradient.npy").astype("f8")[0], float(numpy.load("losses.npy")[0])
# the logit becomes f32, which moves the exponential by up to 2^-20 of itself
assert abs(gradient[0] / -exact - 1) < 2e-6 and abs(gradient[1] / exact - 1) < 2e-6, gradient
assert gradient.sum() == 0
assert abs(loss / exact - 1) < 2e-6, loss
P
    show_torch 'torch.autograd.grad(functional.cross_entropy(x, torch.tensor([0])), x)[0]'
}

# PyTorch gives 0 for the likely class. This library gives it no digits either: its bound is one of p (|g| + E[|g|]), of
# which g - E[g] is next to nothing here. E[g] is a sum of integers, which is off by up to C 2^-44 of the largest g. The
# class next to 0 has all of its digits.
@test "pytorch#195684: softmax backward where p is next to 1" {
    needs_numpy
    python - <<'P'
import numpy, os, subprocess
x, g = numpy.array([37.42994775023705, 0], "f4"), numpy.array([1, 0], "f4")
command = [os.environ["BUILD"] + "/run_operation", "softmax_backward", "1", "2", "1", "faithful"]
found = numpy.frombuffer(subprocess.run(command, input=x.tobytes() + g.tobytes(), check=True, capture_output=True)
                         .stdout, "f4").astype("f8")
exact = numpy.exp(-x[0].astype("f8")) # p (1 - p), and the other one is its negative
assert abs(found[1] / -exact - 1) <= 2.0**-23, found
assert abs(found[0] - exact) <= 4 * 2.0**-24 * exact + 2 * 2.0**-44, found
P
    show_torch 'torch.autograd.grad(torch.softmax(x, -1), x, one)[0]'
}

# A kernel made the loss of ln(sum) + max - x[label], of which a large offset that all logits have leaves few digits.
@test "pytorch#195829: the loss does not depend on an offset of all logits" {
    local offset
    echo 1 >label.txt
    for offset in 0 1e4 1e6 1e8 1e15; do
        python3 -c "print($offset + 2, $offset - 1)" >x.txt
        clsoftmax loss x.txt label.txt | grep mean
        python3 -c "print($offset, $offset)" >equal.txt
        clsoftmax loss equal.txt label.txt | grep mean
    done >means
    python3 - <<'P'
import math
means = [float(line.split()[1]) for line in open("means")]
for different, equal in zip(means[::2], means[1::2]):
    assert abs(different / (3 + math.log1p(math.exp(-3))) - 1) <= 2.0**-24 + 1e-11, means
    assert abs(equal / math.log(2) - 1) <= 2.0**-24 + 1e-11, means
P
    # in f32, where the offset itself is one of the numbers
    needs_numpy
    python -c 'import numpy; numpy.save("x.npy", numpy.array([[1e8, 1e8 + 8]], "f4"))'
    clsoftmax loss x.npy <(echo 0) >summary
    python3 -c 'import math; found = float(open("summary").readline().split()[1])
assert abs(found / (8 + math.log1p(math.exp(-8))) - 1) <= 2.0**-24 + 1e-11, found'
    show_torch 'functional.cross_entropy(x * 0 + 1e8, torch.tensor([0]), reduction="none")'
}
