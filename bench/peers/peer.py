"""PyTorch, ONNX Runtime, NumPy and SciPy as peers of clsoftmax-bench.

    peer.py torch|torch-kernels|onnxruntime|numpy|scipy

README.md has the protocol. Each backend is a class with a version and a method for each operation that it has, which
takes a problem and returns a function. That function computes the results of a call from its arrays: into the results,
or else it returns them. For softmax, at T = 1 it is the library's softmax into the given memory; at other temperatures
the library's fastest threaded scaling into the same memory comes first.
"""

import mmap
import os
import sys
import time

import numpy as np


class No(Exception):
    """Says in a few words what the library cannot do."""


class Arrays:
    """The arrays of a slot. Those that the operation does not have are None."""

    def __init__(self, logits, results, operand=None, labels=None):
        self.logits, self.results, self.operand, self.labels = logits, results, operand, labels


class Problem:
    def __init__(self, words, operation="softmax", operand_offset=0, labels_offset=0):
        self.operation, self.operand_offset, self.labels_offset = operation, int(operand_offset), int(labels_offset)
        (self.descriptor, self.slots, self.slot_bytes, self.results_offset, self.rows, self.classes, self.axis) = map(
            int, words[:7])
        self.logits_dtype, self.results_dtype = words[7:9]
        self.temperature = float(words[9])
        self.memory = mmap.mmap(self.descriptor, self.slots * self.slot_bytes)
        for at in range(0, len(self.memory), mmap.PAGESIZE):
            self.memory[at]  # maps the page

    def shape(self):
        return (self.classes, self.rows) if self.axis == 0 else (self.rows, self.classes)

    def arrays(self, make):
        """Returns the arrays of each slot, made by make(memory, dtype, offset, count, shape)."""
        count, shape = self.rows * self.classes, self.shape()

        def make_all(start):
            def maybe(dtype, offset, count, shape):
                return make(self.memory, dtype, start + offset, count, shape) if offset > 0 else None

            return Arrays(make(self.memory, self.logits_dtype, start, count, shape),
                          maybe(self.results_dtype, self.results_offset, count, shape),
                          maybe(self.logits_dtype, self.operand_offset, count, shape),
                          maybe("i64", self.labels_offset, self.rows, (self.rows,)))

        return [make_all(slot * self.slot_bytes) for slot in range(self.slots)]


def numpy_array(memory, dtype, offset, count, shape):
    types = {"f32": np.float32, "f16": np.float16, "i64": np.int64}
    if dtype not in types:
        raise No("NumPy has no " + dtype)
    return np.frombuffer(memory, types[dtype], count, offset).reshape(shape)


def f32_only(problem):
    if (problem.logits_dtype, problem.results_dtype) != ("f32", "f32"):
        raise No("f32 only")


class Numpy:
    def __init__(self, threads):
        self.version = "NumPy %s, 1 thread" % np.__version__

    def arrays(self, problem):
        f32_only(problem)
        return problem.arrays(numpy_array)

    def softmax(self, problem):
        axis, factor = problem.axis, np.float32(1 / problem.temperature)

        def run(arrays):
            source, results = arrays.logits, arrays.results
            if factor != 1:
                source = np.multiply(source, factor, out=results)
            np.subtract(source, source.max(axis=axis, keepdims=True), out=results)
            np.exp(results, out=results)
            np.divide(results, results.sum(axis=axis, keepdims=True), out=results)

        return run

    def cross_entropy_gradient(self, problem):
        softmax, factor = self.softmax(problem), np.float32(1 / problem.temperature)
        rows = np.arange(problem.rows)

        def run(arrays):
            softmax(arrays)
            (arrays.results.T if problem.axis == 0 else arrays.results)[rows, arrays.labels] -= 1
            np.multiply(arrays.results, factor, out=arrays.results)

        return run

    def softmax_backward(self, problem):
        softmax, axis, factor = self.softmax(problem), problem.axis, np.float32(1 / problem.temperature)

        def run(arrays):
            softmax(arrays)
            p, g = arrays.results, arrays.operand
            np.multiply(p, g - (p * g).sum(axis=axis, keepdims=True), out=p)
            np.multiply(p, factor, out=p)

        return run


class Scipy:
    def __init__(self, threads):
        import scipy
        import scipy.special

        self.library = scipy.special
        self.version = "SciPy %s on NumPy %s, 1 thread" % (scipy.__version__, np.__version__)

    def arrays(self, problem):
        f32_only(problem)
        return problem.arrays(numpy_array)

    def through(self, problem, function):
        axis, factor = problem.axis, np.float32(1 / problem.temperature)

        def run(arrays):
            results = arrays.results
            source = np.multiply(arrays.logits, factor, out=results) if factor != 1 else arrays.logits
            results[...] = function(source, axis=axis)

        return run

    def softmax(self, problem):
        return self.through(problem, self.library.softmax)

    def log_softmax(self, problem):
        return self.through(problem, self.library.log_softmax)


class Torch:
    """PyTorch as its users write it: losses and derivatives by autograd, which allocates what it returns."""

    def __init__(self, threads):
        import torch

        self.torch, self.functional, self.kernels = torch, torch.nn.functional, torch.ops.aten
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        self.version = "PyTorch %s, %d threads" % (torch.__version__, torch.get_num_threads())

    def arrays(self, problem):
        torch = self.torch
        types = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16, "i64": torch.int64}
        if problem.logits_dtype != problem.results_dtype:
            raise No("logits and results of one dtype only")

        def make(memory, dtype, offset, count, shape):
            return torch.frombuffer(memory, dtype=types[dtype], count=count, offset=offset).view(shape)

        return problem.arrays(make)

    def through(self, problem, kernel):
        # torch.softmax calls _softmax.out, and cannot itself write into given memory; log_softmax likewise.
        def run(arrays):
            logits, results = arrays.logits, arrays.results
            if problem.temperature != 1:
                self.torch.mul(logits, 1 / problem.temperature, out=results)
                logits = results
            kernel(logits, problem.axis, False, out=results)

        return run

    def softmax(self, problem):
        return self.through(problem, self.kernels._softmax.out)

    def log_softmax(self, problem):
        return self.through(problem, self.kernels._log_softmax.out)

    def scaled(self, problem, logits):
        return logits / problem.temperature if problem.temperature != 1 else logits

    def derivative(self, compute):
        """Returns the derivative by the logits of what compute(logits, arrays) returns: a loss, or results and the
        gradient by them."""
        def run(arrays):
            with self.torch.enable_grad():
                logits = arrays.logits.detach().requires_grad_()
                outcome = compute(logits, arrays)
                return self.torch.autograd.grad(*outcome[:1], logits, *outcome[1:])[0]

        return run

    def cross_entropy_gradient(self, problem):
        def compute(logits, arrays):
            rows = logits.t() if problem.axis == 0 else logits
            return self.functional.cross_entropy(self.scaled(problem, rows), arrays.labels, reduction="sum"),

        return self.derivative(compute)

    def softmax_backward(self, problem):
        return self.derivative(lambda logits, arrays: (
            self.torch.softmax(self.scaled(problem, logits), problem.axis), arrays.operand))

    def log_softmax_backward(self, problem):
        return self.derivative(lambda logits, arrays: (
            self.torch.log_softmax(self.scaled(problem, logits), problem.axis), arrays.operand))

    def distillation_gradient(self, problem):
        def compute(logits, arrays):
            student, teacher = (self.functional.log_softmax(self.scaled(problem, x), problem.axis)
                                for x in (logits, arrays.operand))
            loss = self.functional.kl_div(student, teacher, reduction="sum", log_target=True)
            return loss * problem.temperature**2,

        return self.derivative(compute)


class TorchKernels(Torch):
    """The kernels of PyTorch that autograd would call, into memory that is there: what no program in Python gets, and
    the least that PyTorch's arithmetic takes."""

    def __init__(self, threads):
        super().__init__(threads)
        self.version += ", kernels without autograd"

    def arrays(self, problem):
        arrays = super().arrays(problem)
        self.scratch = self.torch.empty_like(arrays[0].results)
        return arrays

    def backward(self, problem, forward, kernel):
        """Returns what computes `forward` into the scratch memory, and its derivative by the logits into the
        results."""
        forward = self.through(problem, forward)

        def run(arrays):
            forward(Arrays(arrays.logits, self.scratch))
            kernel(arrays.operand, self.scratch, problem.axis, self.scratch.dtype, arrays.results)
            if problem.temperature != 1:
                arrays.results.mul_(1 / problem.temperature)

        return run

    def softmax_backward(self, problem):
        kernel = self.kernels._softmax_backward_data.out
        return self.backward(problem, self.kernels._softmax.out,
                             lambda g, p, axis, dtype, results: kernel(g, p, axis, dtype, grad_input=results))

    def log_softmax_backward(self, problem):
        kernel = self.kernels._log_softmax_backward_data.out
        return self.backward(problem, self.kernels._log_softmax.out,
                             lambda g, p, axis, dtype, results: kernel(g, p, axis, dtype, out=results))

    def cross_entropy_gradient(self, problem):
        if problem.axis == 0:
            raise No("along the last axis only")
        kernels, forward = self.kernels, self.through(problem, self.kernels._log_softmax.out)
        one, above, reduction, ignored = self.scratch.new_ones(()), self.scratch.clone(), 2, -100  # a sum

        def run(arrays):
            log_p = self.scratch
            forward(Arrays(arrays.logits, log_p))
            loss, weight = kernels.nll_loss_forward(log_p, arrays.labels, None, reduction, ignored)
            kernels.nll_loss_backward.grad_input(one, log_p, arrays.labels, None, reduction, ignored, weight,
                                                 grad_input=above)
            kernels._log_softmax_backward_data.out(above, log_p, 1, log_p.dtype, out=arrays.results)
            if problem.temperature != 1:
                arrays.results.mul_(1 / problem.temperature)

        return run

    def distillation_gradient(self, problem):
        torch, forward = self.torch, self.through(problem, self.kernels._log_softmax.out)
        log_q, above = self.scratch.clone(), self.scratch.clone()

        def run(arrays):
            log_p, results = self.scratch, arrays.results
            forward(Arrays(arrays.logits, log_p))
            forward(Arrays(arrays.operand, log_q))
            torch.exp(log_q, out=above)
            torch.sub(log_q, log_p, out=results).mul_(above).sum()  # the loss
            above.neg_()
            self.kernels._log_softmax_backward_data.out(above, log_p, problem.axis, log_p.dtype, out=results)
            results.mul_(problem.temperature)

        return run


class OnnxRuntime:
    def __init__(self, threads):
        import onnx
        import onnxruntime

        self.onnx, self.runtime, self.threads = onnx, onnxruntime, threads
        self.version = "ONNX Runtime %s, %d threads" % (onnxruntime.__version__, threads)

    def session(self, axis, factor):
        helper, types = self.onnx.helper, self.onnx.TensorProto
        value = [helper.make_tensor_value_info(name, types.FLOAT, ["a", "b"]) for name in ("logits", "results")]
        nodes, source = [], "logits"
        if factor != 1:
            nodes.append(helper.make_node("Mul", ["logits", "factor"], ["scaled"]))
            source = "scaled"
        nodes.append(helper.make_node("Softmax", [source], ["results"], axis=axis))
        constant = [helper.make_tensor("factor", types.FLOAT, [], [factor])] if factor != 1 else []
        graph = helper.make_graph(nodes, "softmax", value[:1], value[1:], constant)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
        model.ir_version = 8
        options = self.runtime.SessionOptions()
        options.intra_op_num_threads = self.threads
        return self.runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def bind(self, arrays):
        binding, logits, results = self.running.io_binding(), arrays.logits, arrays.results
        binding.bind_input("logits", "cpu", 0, np.float32, logits.shape, logits.ctypes.data)
        binding.bind_output("results", "cpu", 0, np.float32, results.shape, results.ctypes.data)
        return binding

    def arrays(self, problem):
        f32_only(problem)
        self.running = self.session(problem.axis, 1 / problem.temperature)
        slots = problem.arrays(numpy_array)
        for arrays in slots:
            arrays.binding = self.bind(arrays)  # which does not keep its arrays alive, so it goes with them
        return slots

    def softmax(self, problem):
        return lambda arrays: self.running.run_with_iobinding(arrays.binding)


BACKENDS = {"numpy": Numpy, "scipy": Scipy, "torch": Torch, "torch-kernels": TorchKernels, "onnxruntime": OnnxRuntime}


class Peer:
    def __init__(self, name):
        self.name = name
        self.done()

    def done(self):
        self.run = self.slots = None  # lets go of the views of the memory, so that it is unmapped
        return "done"

    def hello(self, words):
        threads = int(words[0])
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
        try:
            self.backend = BACKENDS[self.name](threads)
        except ImportError as error:
            raise No(str(error)) from error
        return "peer " + self.backend.version

    def prepare(self, problem):
        make = getattr(self.backend, problem.operation, None)
        if make is None:
            raise No("this peer has no " + problem.operation)
        self.slots = self.backend.arrays(problem)
        self.run = make(problem)
        return "ready"

    def problem(self, words):
        self.done()
        return self.prepare(Problem(words))

    def operation(self, words):
        self.done()
        return self.prepare(Problem(words[3:], *words[:3]))

    def round(self, words):
        first, passes = map(int, words)
        run, slots = self.run, self.slots
        start = time.perf_counter()
        for i in range(first, first + passes):
            returned = run(slots[i % len(slots)])
        seconds = time.perf_counter() - start
        if returned is not None:  # is not where it can be verified
            slots[(first + passes - 1) % len(slots)].results[...] = returned
        return "seconds %.9f" % seconds

    def answer(self, line):
        word, *words = line.split()
        if word == "done":
            return self.done()
        return {"hello": self.hello, "problem": self.problem, "operation": self.operation,
                "round": self.round}[word](words)


def main():
    # Answers go to a copy of standard output. Standard output itself becomes standard error, so that nothing that a
    # library prints is taken for an answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    peer = Peer(sys.argv[1])
    for line in sys.stdin:
        try:
            answer = peer.answer(line)
        except Exception as error:  # whatever happened, the peer cannot do what was asked
            answer = "no " + (" ".join(str(error).split()) or type(error).__name__)
        print(answer, file=answers, flush=True)


if __name__ == "__main__":
    main()
