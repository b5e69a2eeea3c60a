"""PyTorch, ONNX Runtime, NumPy and SciPy as peers of clsoftmax-bench.

    peer.py torch|onnxruntime|numpy|scipy

README.md has the protocol. Each backend is a class with a version and a method prepare. prepare returns a function that
computes the probabilities of logits into results, and the arguments to call it with for each slot. At T = 1 that
function is the library's softmax into the given memory. At other temperatures the library's fastest threaded scaling
into the same memory comes first.
"""

import mmap
import os
import sys
import time

import numpy as np


class No(Exception):
    """Says in a few words what the library cannot do."""


class Problem:
    def __init__(self, words):
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
        """Returns (logits, results) for each slot, made by make(memory, dtype, offset, count, shape)."""
        count, shape = self.rows * self.classes, self.shape()
        starts = [slot * self.slot_bytes for slot in range(self.slots)]
        return [(make(self.memory, self.logits_dtype, start, count, shape),
                 make(self.memory, self.results_dtype, start + self.results_offset, count, shape))
                for start in starts]


def numpy_array(memory, dtype, offset, count, shape):
    types = {"f32": np.float32, "f16": np.float16}
    if dtype not in types:
        raise No("NumPy has no " + dtype)
    return np.frombuffer(memory, types[dtype], count, offset).reshape(shape)


def f32_only(problem):
    if (problem.logits_dtype, problem.results_dtype) != ("f32", "f32"):
        raise No("f32 only")


class Numpy:
    def __init__(self, threads):
        self.version = "NumPy %s, 1 thread" % np.__version__

    def prepare(self, problem):
        f32_only(problem)
        axis, factor = problem.axis, np.float32(1 / problem.temperature)

        def run(logits, results):
            source = logits
            if factor != 1:
                source = np.multiply(logits, factor, out=results)
            np.subtract(source, source.max(axis=axis, keepdims=True), out=results)
            np.exp(results, out=results)
            np.divide(results, results.sum(axis=axis, keepdims=True), out=results)

        return run, problem.arrays(numpy_array)


class Scipy:
    def __init__(self, threads):
        import scipy
        import scipy.special

        self.softmax = scipy.special.softmax
        self.version = "SciPy %s on NumPy %s, 1 thread" % (scipy.__version__, np.__version__)

    def prepare(self, problem):
        f32_only(problem)
        axis, factor = problem.axis, np.float32(1 / problem.temperature)

        def run(logits, results):
            source = np.multiply(logits, factor, out=results) if factor != 1 else logits
            results[...] = self.softmax(source, axis=axis)

        return run, problem.arrays(numpy_array)


class Torch:
    def __init__(self, threads):
        import torch

        self.torch = torch
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        self.version = "PyTorch %s, %d threads" % (torch.__version__, torch.get_num_threads())

    def prepare(self, problem):
        torch, axis, factor = self.torch, problem.axis, 1 / problem.temperature
        types = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}
        if problem.logits_dtype != problem.results_dtype:
            raise No("logits and results of one dtype only")

        def make(memory, dtype, offset, count, shape):
            return torch.frombuffer(memory, dtype=types[dtype], count=count, offset=offset).view(shape)

        # torch.softmax calls _softmax.out, and cannot itself write into given memory.
        softmax = torch.ops.aten._softmax.out

        def run(logits, results):
            if factor != 1:
                torch.mul(logits, factor, out=results)
                logits = results
            softmax(logits, axis, False, out=results)

        return run, problem.arrays(make)


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

    def prepare(self, problem):
        f32_only(problem)
        session = self.session(problem.axis, 1 / problem.temperature)

        def bind(logits, results):
            binding = session.io_binding()
            binding.bind_input("logits", "cpu", 0, np.float32, logits.shape, logits.ctypes.data)
            binding.bind_output("results", "cpu", 0, np.float32, results.shape, results.ctypes.data)
            return binding

        # A binding does not keep its arrays alive, so they go with it.
        bindings = [(bind(*arrays), arrays) for arrays in problem.arrays(numpy_array)]
        return lambda binding, arrays: session.run_with_iobinding(binding), bindings


BACKENDS = {"numpy": Numpy, "scipy": Scipy, "torch": Torch, "onnxruntime": OnnxRuntime}


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

    def problem(self, words):
        self.done()
        self.run, self.slots = self.backend.prepare(Problem(words))
        return "ready"

    def round(self, words):
        first, passes = map(int, words)
        run, slots = self.run, self.slots
        start = time.perf_counter()
        for i in range(first, first + passes):
            run(*slots[i % len(slots)])
        return "seconds %.9f" % (time.perf_counter() - start)

    def answer(self, line):
        word, *words = line.split()
        if word == "done":
            return self.done()
        return {"hello": self.hello, "problem": self.problem, "round": self.round}[word](words)


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
