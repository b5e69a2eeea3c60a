"""check_document.py DOCUMENT.md [--write]: checks that the commands which a document quotes print what it says, and
that every number in its text is one of theirs, rounded, or is in a command. `clsoftmax` is the program that CLSOFTMAX
names. With --write it puts what they print into the document. cli/documents.bats plants faults for it."""
import os
import re
import subprocess
import sys
import tempfile

MARK = "    "
PROMPT = MARK + "$ "


def run(command, folder):
    environment = dict(os.environ, PATH=folder + ":" + os.environ["PATH"], CLSOFTMAX_DEVICE="cpu")
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], env=environment, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, "%s: %s" % (command, done.stderr)
    return done.stdout.splitlines()


def again(lines, folder):
    """Returns the document with what the commands print now, and what they print."""
    result, in_output, printed = [], False, []
    for line in lines:
        if line.startswith(PROMPT):
            output = run(line[len(PROMPT):], folder)
            printed += output + [line]
            result += [line] + [(MARK + o).rstrip() if o else "" for o in output]
            in_output = True
        elif in_output and (line.startswith(MARK) or line == ""):
            in_output = line != ""
            if not in_output:
                result.append(line)
        else:
            in_output = False
            result.append(line)
    return result, printed


def check_text(lines, printed):
    """Fails on a number of the text that no command prints or has."""
    words = [w for line in printed for w in re.split(r"[\s,:]+", line)]
    numbers = [float(w) for w in words if re.fullmatch(r"-?[0-9.]+(e[-+]?[0-9]+)?", w)]
    text = "\n".join(l for l in lines if not l.startswith(MARK) and "<" not in l)
    for word in re.findall(r"(?<![\w.])[0-9]+\.[0-9]+(?![\w.])", text):
        half = 0.5 * 10.0 ** -len(word.split(".")[1]) * (1 + 1e-6)
        assert any(abs(n - float(word)) <= half or abs(1 - n - float(word)) <= half for n in numbers), \
            "%s stands in the text, but no command prints it" % word


def main(path, write=""):
    lines = open(path, encoding="utf-8").read().split("\n")
    with tempfile.TemporaryDirectory() as folder:
        os.symlink(os.path.abspath(os.environ["CLSOFTMAX"]), folder + "/clsoftmax")
        result, printed = again(lines, folder)
    check_text(lines, printed)
    if write:
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(result))
        return
    assert printed, "no commands"
    for said, now in zip(lines + [None], result + [None]):
        assert said == now, "the document says %r, and it is %r" % (said, now)
    print("%d commands" % sum(line.startswith(PROMPT) for line in lines))


try:
    main(*sys.argv[1:])
except AssertionError as error:
    sys.exit("%s: %s" % (sys.argv[1], error))
