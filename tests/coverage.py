#!/usr/bin/env python3
"""coverage.py OBJECTS EXPLAINED FOLDER...: prints which lines and branches the tests have reached, for each source
file.

OBJECTS is the folder where gcc put its notes (.gcno) and the runs their counts (.gcda); the FOLDERs hold the sources,
relative to here. Each branch that was never taken must be in the file EXPLAINED with its reason, and each reason must
be of such a branch; otherwise the exit status is 1. ./dev coverage runs it; cli/coverage.bats plants branches for it.

A source that is compiled more than once (for each instruction set, as a header, by a macro that makes functions) counts
once: a branch is taken if it is taken in one of them.
"""
import collections
import json
import os
import pathlib
import subprocess
import sys


def counted(objects):
    """Yields what gcov says of each source of each object."""
    for notes in sorted(pathlib.Path(objects).rglob("*.gcno")):
        command = ["gcov", "--branch-probabilities", "--json-format", "--stdout", notes]
        text = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
        for document in text.splitlines():
            report = json.loads(document)
            for source in report["files"]:
                path = os.path.join(report["current_working_directory"], source["file"])
                yield os.path.relpath(path), source["lines"]


def merged(objects, folders):
    """Returns {file: {line: (count, {number of branches: counts})}}, without counts for code that is no branch."""
    files = collections.defaultdict(dict)
    for path, lines in counted(objects):
        if not path.startswith(tuple(folder.rstrip("/") + "/" for folder in folders)):
            continue
        for line in lines:
            count, branches = files[path].get(line["line_number"], (0, {}))
            taken = [branch["count"] for branch in line["branches"]]
            if taken:
                before = branches.get(len(taken), [0] * len(taken))
                branches[len(taken)] = [a + b for a, b in zip(before, taken)]
            files[path][line["line_number"]] = (count + line["count"], branches)
    return files


def explanations(path):
    """Reads {(file, code, "1 of 2"): reason}: lines "file: 1 of 2: code", each with its reason on indented lines."""
    reasons, key = {}, None
    for number, line in enumerate(pathlib.Path(path).read_text().splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line[0] == " " and key:
            reasons[key] += line.strip() + " "
            continue
        parts = line.split(": ", 2)
        if len(parts) != 3 or (parts[0], parts[2], parts[1]) in reasons:
            sys.exit(f"{path}:{number}: not \"file: 1 of 2: code\", or there twice")
        key = parts[0], parts[2], parts[1]
        reasons[key] = ""
    return reasons


def missed(files):
    """Yields each line of which a branch was never taken, as (file, line, code, "1 of 2")."""
    for path in sorted(files):
        code = pathlib.Path(path).read_text().splitlines()
        for number, (_, branches) in sorted(files[path].items()):
            for counts in branches.values():
                if 0 in counts:
                    yield path, number, code[number - 1].strip(), f"{counts.count(0)} of {len(counts)}"


def percent(part, whole):
    return f"{100 * part / whole:6.1f}" if whole else "     -"


def print_table(files):
    print("  lines reached       %  branches taken       %  file")
    sums = [0, 0, 0, 0]
    for path in sorted(files):
        lines = [count for count, _ in files[path].values()]
        branches = [count for _, all_counts in files[path].values()
                    for counts in all_counts.values() for count in counts]
        row = [len(lines) - lines.count(0), len(lines), len(branches) - branches.count(0), len(branches)]
        sums = [a + b for a, b in zip(sums, row)]
        print_row(row, path)
    print_row(sums, "together")


def print_row(row, name):
    print(f"{row[0]:6} of {row[1]:5} {percent(*row[:2])}  {row[2]:6} of {row[3]:5} {percent(*row[2:])}  {name}")


def main(objects, explained, *folders):
    files = merged(objects, folders)
    if not files:
        sys.exit(f"coverage: nothing of {' '.join(folders)} in {objects}")
    print_table(files)
    reasons, used, wrong = explanations(explained), set(), 0
    for path, number, code, share in missed(files):
        key = path, code, share
        if reasons.get(key):
            used.add(key)
        else:
            print(f"{path}:{number}: {share} branches never taken: {code}")
            wrong += 1
    for path, code, share in reasons.keys() - used:
        print(f"{explained}: no such branch, or no reason: {path}: {share}: {code}")
        wrong += 1
    print(f"coverage: {len(used)} explained, {wrong} to be tested or explained")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
