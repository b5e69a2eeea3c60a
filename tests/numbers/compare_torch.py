"""Compares losses and derivatives with those that PyTorch computes in double precision by autograd.

    compare_torch.py PROBLEMS [FIRST_SEED]

Each problem is random in its shape, temperature and options, and follows from its seed. The commands `loss` and
`distill` run on files, and run_operation runs what no command computes. CLSOFTMAX names the command, BUILD the folder
of run_operation. A difference may be what clsoftmax.h promises, and what double precision itself loses. The seed of a
problem that differs is printed, and the exit status is 1.
"""

import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
from torch.nn import functional

U = 2.0**-24  # half of an ULP of f32, of the largest number that has it
DOUBLE = 1e-14  # what double precision and sums in it lose, of the largest term


class Different(Exception):
    """Says what differs."""


def expect(name, found, exact, allowed):
    found, exact = np.asarray(found, dtype="f8"), exact.detach().numpy()
    allowed = allowed.detach().numpy() if isinstance(allowed, torch.Tensor) else allowed
    wrong = ~((found == exact) | (abs(found - exact) <= allowed))  # a NaN is wrong
    if wrong.any():
        at = tuple(map(int, np.argwhere(np.atleast_1d(wrong))[0]))
        raise Different("%s%s: %.17g, PyTorch has %.17g" %
                        (name, list(at), np.atleast_1d(found)[at], np.atleast_1d(exact)[at]))


class Problem:
    """Random logits, and the options that losses share."""

    def __init__(self, seed):
        self.random = random = np.random.default_rng(seed)
        self.rows = int(random.integers(1, 40))
        self.classes = int(random.choice([1, 2, 3, 10, 65, 128, 300, 1000, 4099]))
        self.temperature = float(np.float32(np.exp(random.uniform(np.log(0.05), np.log(100)))))
        self.accuracy = str(random.choice(["faithful", "fast"]))
        self.factor = 4 if self.accuracy == "fast" else 1
        self.has_sum = bool(random.integers(2))
        self.axis = int(random.choice([-1, 0]))
        self.weights = random.random(self.rows).astype("f4") if random.integers(2) else None
        self.logits = self.matrix()

    def matrix(self):
        """Returns logits in a random type. Doubles far from 0 are such that their differences are numbers of f32."""
        logits = self.random.normal(0, self.random.choice([0.1, 3, 20]), (self.rows, self.classes))
        kind = self.random.choice(["f2", "f4", "far"])
        return np.round(logits * 64) / 64 + 2.0**20 if kind == "far" else logits.astype(kind)

    def tensor(self, matrix, grad=False):
        return torch.tensor(matrix.astype("f8"), requires_grad=grad)

    def weight(self):
        return torch.ones(self.rows, dtype=torch.float64) if self.weights is None else self.tensor(self.weights)

    def save(self, name, matrix):
        np.save(name, np.ascontiguousarray(matrix.T) if self.axis == 0 and matrix.ndim == 2 else matrix)
        return name

    def load(self, name):
        matrix = np.load(name)
        return matrix.T if self.axis == 0 and matrix.ndim == 2 else matrix

    def command(self, *words):
        """Runs a command with the options that the problem has. Returns its summary; gradient and losses are files."""
        words = list(words) + ["-T", "%.9g" % self.temperature, "--accuracy", self.accuracy, "--axis", str(self.axis),
                               "--gradient", "gradient.npy", "--losses", "losses.npy"]
        words += ["--sum"] if self.has_sum else []
        words += ["--weights", self.save("weights.npy", self.weights)] if self.weights is not None else []
        output = subprocess.run([os.environ["CLSOFTMAX"], *words], check=True, capture_output=True, text=True).stdout
        return {name: float(value) for name, value in (line.split() for line in output.splitlines())}

    def check(self, logits, losses, weights, found, loss_allowed, gradient_allowed):
        """Compares the losses of the rows, their mean and sum, and the gradient by the logits, where the last argument
        is what the gradient of the sum may be off by."""
        expect("loss", self.load("losses.npy"), losses, loss_allowed + DOUBLE)
        total = losses.sum()
        allowed = loss_allowed.sum() + DOUBLE + 1e-11 * abs(total)  # summaries have twelve digits
        expect("sum", found["sum"], total, allowed)
        expect("mean", found["mean"], total / weights, allowed / weights)
        scale = 1.0 if self.has_sum else 1 / weights
        gradient, = torch.autograd.grad(total * scale, logits)
        rounded = 0 if self.has_sum else U * abs(gradient)  # 1 / weights becomes f32
        expect("gradient", self.load("gradient.npy"), gradient, gradient_allowed * scale + rounded + 2.0**-149)


def check_cross_entropy(problem):
    """Weights of the labels' classes, ignored labels, reduction mean and sum, and a z-loss by hand."""
    random, rows, classes, t = problem.random, problem.rows, problem.classes, problem.temperature
    labels = random.integers(0, classes, rows)
    labels[random.random(rows) < 0.2] = -100  # which PyTorch ignores by default
    labels[0] = 0
    class_weights = random.random(classes).astype("f4") + np.float32(0.1) if random.integers(2) else None
    if class_weights is not None:
        problem.weights = class_weights[np.maximum(labels, 0)]
    elif problem.weights is not None:
        problem.weights = None  # PyTorch has weights of classes alone
    z = float(np.float32(random.random())) if random.integers(2) else 0.0
    if problem.logits.dtype == np.float64:
        z = 0.0  # the command refuses a z-loss of logits that it takes relative to their largest
    np.save("labels.npy", labels)
    found = problem.command("loss", problem.save("logits.npy", problem.logits), "labels.npy", "--z-loss", "%.9g" % z)

    x, label, has = problem.tensor(problem.logits, True), torch.tensor(labels), torch.tensor(labels >= 0)
    scaled = (x - x.detach().max(1, keepdim=True).values) / t  # which changes no probability, and keeps digits
    maximum = x.detach().max(1).values / t
    lse = torch.logsumexp(scaled, 1) + maximum
    weight = None if class_weights is None else problem.tensor(class_weights)
    nll = functional.cross_entropy(scaled, label, weight=weight, reduction="none")
    losses = nll + torch.where(has, z * lse**2, 0 * lse)
    w, weights = problem.weight() * has, float((problem.weight() * has).sum())
    if z == 0:  # the mean is PyTorch's, too
        expect("mean", found["mean"], functional.cross_entropy(scaled, label, weight=weight, reduction="mean"),
               problem.factor * 4 * U * abs(nll).sum() / weights + 1e-11)

    unit = problem.factor * (2 * U + classes * 2.0**-44)
    lse_error = problem.factor * (2 * U * abs(lse) + abs(lse - maximum) * U / 2 + classes * 2.0**-44)
    z_error = has * (2 * z * abs(lse) * lse_error + 2 * U * z * lse**2)
    p = torch.softmax(scaled, 1)
    hot = torch.zeros_like(p).scatter_(1, label.clamp(min=0)[:, None], 1.0)
    largest = torch.maximum(abs(w[:, None] * (p - hot)), (has * 2 * z * abs(lse))[:, None] * p) / t
    gradient_error = 2 * unit * largest + (has * 2 * z * lse_error)[:, None] * p / t + DOUBLE * w[:, None] / t
    problem.check(x, losses, weights, found, unit * nll + z_error, gradient_error)


def check_distillation(problem):
    """The divergence of both log-probabilities, with T^2 and without."""
    classes, t = problem.classes, problem.temperature
    teacher = problem.matrix()
    is_squared = bool(problem.random.integers(2))
    files = problem.save("student.npy", problem.logits), problem.save("teacher.npy", teacher)
    found = problem.command("distill", *files, *([] if is_squared else ["--no-t-squared"]))

    x, y = problem.tensor(problem.logits, True), problem.tensor(teacher)
    log_p, log_q = torch.log_softmax(x / t, 1), torch.log_softmax(y / t, 1)
    w, squared = problem.weight(), t * t if is_squared else 1.0
    divergence = functional.kl_div(log_p, log_q, reduction="none", log_target=True)
    losses = divergence.sum(1) * w * squared
    largest = abs(log_q.exp() * (log_q - log_p)).max(1).values
    size = abs(divergence).sum(1) + 2.0**20 / t  # of the terms that PyTorch adds; far logits lose more
    loss_error = problem.factor * (8 * U * losses + classes * 2.0**-42 * (1 + largest) * w * squared)
    p = torch.maximum(log_p, log_q).exp()
    unit = (8 if problem.accuracy == "fast" else 1) * U
    step = w[:, None] / t * squared
    gradient_error = (unit * (abs(log_p.exp() - log_q.exp()) + p) + DOUBLE * (1 + 2.0**20 / t)) * step
    problem.check(x, losses, float(w.sum()), found, loss_error + DOUBLE * size * w * squared, gradient_error)


def check_backward(problem):
    """The derivatives of softmax and of log-softmax, for a random gradient from above."""
    t, shape = problem.temperature, (problem.rows, problem.classes)
    logits = problem.random.normal(0, 5, shape).astype("f4")
    g = problem.random.normal(0, problem.random.choice([1e-3, 1, 1e3]), shape).astype("f4")
    x, above = problem.tensor(logits, True), problem.tensor(g)
    p = torch.softmax(x / t, 1)
    largest = abs(above).max(1, keepdim=True).values
    sums = problem.classes * 2.0**-44 * p * largest / t + (2.0**-126 + DOUBLE * p) * largest / t
    unit = 4 * problem.factor * U
    for operation, results, allowed in (
            ("softmax_backward", p, unit * p * (abs(above) + (p * abs(above)).sum(1, keepdim=True)) / t),
            ("log_softmax_backward", torch.log_softmax(x / t, 1),
             unit * (abs(above) + p * abs(above.sum(1, keepdim=True))) / t)):
        words = [os.path.join(os.environ["BUILD"], "run_operation"), operation, *map(str, shape), "%.9g" % t,
                 problem.accuracy]
        output = subprocess.run(words, input=logits.tobytes() + g.tobytes(), check=True, capture_output=True).stdout
        exact, = torch.autograd.grad(results, x, above, retain_graph=True)
        expect(operation, np.frombuffer(output, "f4").reshape(shape), exact,
               allowed + sums + DOUBLE * abs(above).sum(1, keepdim=True) * p / t)


def main():
    count, first = int(sys.argv[1]), int((sys.argv[2:] or ["1"])[0])
    different = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for seed in range(first, first + count):
            for check in check_cross_entropy, check_distillation, check_backward:
                try:
                    check(Problem(seed))
                except Different as error:
                    different += 1
                    print("%s, seed %d: %s" % (check.__name__, seed, error))
    print("%d problems, %d differ from PyTorch %s" % (3 * count, different, torch.__version__))
    return different > 0


if __name__ == "__main__":
    sys.exit(main())
