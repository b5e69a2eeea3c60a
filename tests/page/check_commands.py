"""check_commands.py SHELL [DOCUMENT...]: runs every command that the documents show in their blocks of code, as a
reader types it at the prompt of bash or zsh, in the locale of the caller. What a document quotes under a command must
be what it prints. Without documents it takes all of them, and then every entry of the two tables below must be of use.
SOURCE is the checkout, BUILD its build folder, PREFIX a folder that the library is installed in, KEPT one for what a
run leaves to the next. The last line says how many commands ran and which bytes they wrote, so that shells and locales
can be compared. cli/documents.bats runs this, and plants faults for it."""
import glob
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile

SOURCE, BUILD, PREFIX = (os.path.abspath(os.environ[name]) for name in ("SOURCE", "BUILD", "PREFIX"))
FOLDERS = ("bench", "docs", "examples", "host", "kernels", "tests")

# What a document shows as code that is no command, and would fail as one: the first words of the block.
NOT_COMMANDS = {
    "CONTRIBUTING.md: host/cli, host/mpi ──>": "a diagram",
    "bench/README.md: With transfers, ": "sentences below a table",
    "docs/follow-a-call.md: clsoftmax_run(": "a call in C",
    "docs/scaling.md: bytes in": "a formula",
    "docs/scaling.md: time = start + max(disk": "a formula",
    "docs/scaling.md: time = start + max(B": "a formula",
    "docs/temperature.md: p[i] = exp(x[i] / T)": "a formula",
    "docs/temperature.md: p[i] = exp((x[i] - m) / T)": "a formula",
    "kernels/README.md: core ": "a diagram",
}

# Programs that this test cannot run, or not six times. A stand-in takes the place of each, and refuses arguments that
# are words of a comment. What it does instead is written in shell, where "real" is the program.
REFUSE = 'for word in "$@"; do case $word in [#]*) echo "$0: a comment is passed: $*"; exit 1; esac; done\n'
# This runs the program once, and keeps the file that the last argument names.
ONCE = """made=$KEPT/$(echo "${0##*/} $*" | cksum | tr " " -) file=${!#}
[ -e "$made" ] || { real "$@" && cp "$file" "$made"; } && cp "$made" "$file"
"""
STAND_INS = {
    # These take a second, and make the same in every shell and locale.
    "bin/c++": ONCE,
    "bin/cc": ONCE,
    "bin/mpirun": ONCE,
    # This installs packages, builds, or takes minutes; there must be a command of the name.
    "dev": '[ -s "$KEPT/usage" ] || real help >"$KEPT/usage"; grep -qE "^  ([a-z]+, )?$1[ ,]" "$KEPT/usage"',
    # `verify` takes minutes; cli/devices.bats runs it. Wrong options are seen.
    "build/clsoftmax": 'case $1 in verify) real "$@" --help >/dev/null ;; *) real "$@"; esac',
    # This takes minutes; cli/bench.bats runs it. Wrong options are seen.
    "build/clsoftmax-bench": 'real "$@" --help >/dev/null',
    # This compares two builds.
    "bench/compare_builds.sh": "",
    # These are tests, and take minutes.
    "build/file_faults": '[ -x "$1" ] && [ -x "$2" ]',
    "build/kernel_watch": "",
    "build/opencl_faults": "",
    "build/test_cross": "",
    "tests/devices/oclgrind.sh": '[ -x "$1" ]',
    # These run tests; there must be one of the name.
    "bin/bats": '[ -f "$1" ]',
    "bin/ctest": 'real "$@" -N >log && ! grep "Total Tests: 0" log || { cat log; exit 1; }',
    # This takes seconds; cli/install.bats runs it.
    "bin/cmake": '[ "$1" = --build ] || [ -f "$2/CMakeLists.txt" ]',
    # These take seconds; cli/documents.bats runs them.
    "examples/notebooks/1-low-and-high.sh": "",
    "examples/notebooks/2-bars.sh": "",
    "examples/notebooks/3-curves.sh": "",
    "examples/notebooks/4-stable.sh": "",
}


def blocks(text):
    """Yields the lines of every block of code: indented, between fences without a language, or a man page's .EX."""
    lines, kind, block, before = text.split("\n"), None, [], ""
    for line in lines + [""]:
        if kind == "indented" and line and not line.startswith("    "):
            yield block
            kind, block = None, []
        if kind is None:
            if line.startswith("```"):
                kind = "fence" if line == "```" else "program"
            elif line == ".EX":
                kind = "man"
            elif line.startswith("    ") and before == "":
                kind, block = "indented", [line[4:]]
        elif (kind, line) in (("fence", "```"), ("program", "```"), ("man", ".EE")):
            if kind != "program":
                yield block
            kind, block = None, []
        elif kind == "indented":
            block.append(line[4:])
        else:
            block.append(line.replace("\\-", "-") if kind == "man" else line)
        before = line
    if kind == "indented":
        yield block


def commands(block):
    """Yields each command of a block, and what is quoted as its output, which is "" if nothing is. Where a block has
    prompts, the lines up to the next empty one are output. Elsewhere every line that is no comment is a command."""
    prompts = any(line.startswith("$ ") for line in block)
    for line in block:
        assert not (line.startswith("#") and line.count("'") % 2), "in a comment zsh's prompt waits for a '\n%s" % line
    command, output = None, []
    for line in block + [""]:
        if command and command.endswith("\\"):
            command += "\n" + line
        elif prompts and command and line and not line.startswith("$ "):
            output.append(line)
        else:
            if command:
                yield command, "\n".join(output)
            command, output = None, []
            if line.startswith("$ "):
                command = line[2:]
            elif not prompts and line.strip() and not line.strip().startswith("#"):
                command = line


def stand_in(path, real, body):
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write('#!/bin/bash\necho %s >>"$CALLED"\n%sreal() { %s "$@"; }\n%s\n' % (path, REFUSE, real, body))
    os.chmod(path, 0o755)


def lay_out(folder):
    """Makes the current folder the reader's: the checkout, built, with files of the names that documents use."""
    shutil.copytree(SOURCE + "/examples", "examples")
    for path, body in STAND_INS.items():
        name = os.path.basename(path)
        kind = path.split("/")[0]
        real = shutil.which(name) if kind == "bin" else BUILD + "/" + name if kind == "build" else SOURCE + "/" + path
        assert real and os.access(real, os.X_OK), "%s: there is no such program" % path
        stand_in(path, "'%s'" % real, body)
    for below in ("build", "bench", "tests/devices", "tests", ""):
        rest = BUILD if below == "build" else os.path.join(SOURCE, below)
        for name in os.listdir(rest):
            if not os.path.lexists(path := os.path.join(below, name)):
                os.symlink(os.path.join(rest, name), path)
    for name, data in (("logits", "logits"), ("huge", "logits"), ("labels", "labels"), ("teacher", "logits"),
                       ("student", "student_logits")):
        os.symlink("%s/tests/data/digits_val_%s.npy" % (SOURCE, data), name + ".npy")
    with open("logits.npy", "rb") as logits, open("model.safetensors", "wb") as model:
        header = b'{"logits":{"dtype":"F32","shape":[700,10],"data_offsets":[0,28000]}}'
        model.write(len(header).to_bytes(8, "little") + header + logits.read()[-28000:])
    with open("temperatures.txt", "w", encoding="utf-8") as file:
        file.write("0.5\n" * 700)
    shutil.copy("examples/host_memory.c", "example.c")
    return dict(
        os.environ, CALLED=folder + "/called", HOME=folder, CLSOFTMAX_DEVICE="cpu", PS1="", PS2="",
        PATH="%s/bin:%s/build:%s" % (folder, folder, os.environ["PATH"]), CMAKE_PREFIX_PATH=PREFIX,
        CPATH=PREFIX + "/include", LIBRARY_PATH=os.environ["LD_LIBRARY_PATH"], OMPI_ALLOW_RUN_AS_ROOT="1",
        OMPI_ALLOW_RUN_AS_ROOT_CONFIRM="1", OMPI_MCA_rmaps_base_oversubscribe="1",
        PRTE_MCA_rmaps_default_mapping_policy=":oversubscribe") # Open MPI 4, and 5


def run(shell, command, environment, folder):
    """Runs a command as if it were typed, and returns what it printed: at zsh's prompt a # begins no comment."""
    options = {"bash": ["--noprofile", "--norc"],
               "zsh": ["-f", "-i", "-s", "+m", "+Z", "-o", "nopromptsp", "-o", "nopromptcr"]}[shell]
    done = subprocess.run([shell] + options, input="set -o pipefail\n%s\n" % command, cwd=folder, env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100, check=False)
    assert done.returncode in (0, 128 + signal.SIGPIPE), "%s fails: %s\n%s" % (shell, command, done.stdout)
    return done.stdout.rstrip("\n")


def check(shell, name, text, environment, folder):
    """Runs the commands of a document, and returns how many there are, and which of NOT_COMMANDS it shows."""
    count, shown = 0, set()
    for block in blocks(text):
        entry = [e for e in NOT_COMMANDS if ("%s: %s" % (name, block[0])).startswith(e)]
        shown.update(entry)
        for command, quoted in () if entry else commands(block):
            printed = run(shell, command, environment, folder)
            assert quoted in ("", printed), "%s: %s\nprints %r,\nnot     %r" % (name, command, printed, quoted)
            count += 1
    return count, shown


def digest():
    """Returns a digest of what the commands have written."""
    made = hashlib.sha256()
    for path in sorted(glob.glob("*.npy") + glob.glob("*.safetensors") + glob.glob("*.svg") + glob.glob("*.html")):
        with open(path, "rb") as file:
            made.update(path.encode() + file.read())
    return made.hexdigest()[:16]


def all_documents():
    found = glob.glob(SOURCE + "/*.md")
    for folder in FOLDERS:
        found += glob.glob("%s/%s/**/*.md" % (SOURCE, folder), recursive=True)
    return sorted(found) + sorted(glob.glob(SOURCE + "/docs/man/*.1"))


def main(shell, *documents):
    paths = [os.path.abspath(path) for path in documents] or all_documents()
    count, shown = 0, set()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        environment = lay_out(folder)
        for path in paths:
            with open(path, encoding="utf-8") as file:
                text = file.read()
            name = os.path.relpath(path, SOURCE)
            where = folder + "/examples" if name == "examples/README.md" else folder
            found, blocks_shown = check(shell, name, text, environment, where)
            count += found
            shown |= blocks_shown
        if not documents:
            with open("called", encoding="utf-8") as file:
                unused = (set(STAND_INS) - set(file.read().split())) | (set(NOT_COMMANDS) - shown)
            assert not unused, "no document has %s" % "; ".join(sorted(unused))
        print("%d commands, files %s" % (count, digest()))


try:
    main(*sys.argv[1:])
except AssertionError as error:
    sys.exit(str(error))
