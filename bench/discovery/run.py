#!/usr/bin/env python3
"""Finds operations in generated requests with Demilune, mitmproxy2swagger and har-to-openapi, and compares with the truth.

    ../learning/fetch DATA && ./run.py DATA [--ours] [--documents NAME,NAME] [--keep FOLDER]
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import tools
import visits
from truth import HERE, Truth, choose, documents, normal, tuning_half

OURS, RAW, AIDED = "Demilune", "as it is", "of 500 requests"
# What ours asks for, see AIDED.
REQUESTS_LEAST = 500
# What ours must reach on each half: what was measured, less a margin for other seeds.
GATES = {"tuned on": (0.975, 0.970), "held out": (0.975, 0.970)}


def ours(program, truth, seed, keep, samples, per_operation):
    """What the rule finds, and a sample of the requests for the tools."""
    kept = keep / f"{truth.name.replace('/', '_')}.{seed}.tsv" if keep else None
    is_known = kept and kept.exists()
    with open(kept if is_known else os.devnull) as known:
        child = subprocess.Popen([str(program)], stdin=known if is_known else subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if not is_known:
        file = open(kept, "w") if kept else None
        counts, unknown = {}, 0
        for request in visits.Traffic(truth, seed).requests():
            line = request.line()
            child.stdin.write(line)
            if file:
                file.write(line)
            if not request.is_for_discovery():
                continue
            # The same share of what no operation is.
            unknown += request.operation is None
            if request.operation is None and unknown % (visits.REQUESTS_MIN // per_operation) == 0:
                samples.append(request)
            elif request.operation is not None:
                count = counts[request.operation] = counts.get(request.operation, 0) + 1
                if count <= per_operation:
                    samples.append(request)
        for request in samples:
            count = counts.get(request.operation)
            request.stands_for = count / min(count, per_operation) if count else visits.REQUESTS_MIN / per_operation
        if file:
            file.close()
    out, said = child.communicate()
    if child.returncode != 0:
        sys.exit(f"{truth.name}: {said}")
    return [json.loads(line) for line in out.splitlines()], said.strip()


def host_form(host):
    return "{}" + host[host.index("}") + 1:] if host.startswith("{") else host


class Tally:
    def __init__(self):
        self.found = self.right = self.true = 0
        self.precisions, self.recalls = [], []

    def add(self, found, true):
        right = len(found & true)
        self.found, self.right, self.true = self.found + len(found), self.right + right, self.true + len(true)
        self.precisions.append(right / len(found) if found else 0.0)
        self.recalls.append(right / len(true))

    def precision(self):
        return self.right / self.found if self.found else 0.0

    def recall(self):
        return self.right / self.true

    def row(self):
        mean = lambda shares: sum(shares) / len(shares)  # noqa: E731
        shares = [self.precision(), self.recall(), mean(self.precisions), mean(self.recalls)]
        return f"{self.found:,} | {self.right:,} | " + " | ".join(f"{100 * share:.1f} %" for share in shares)


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("data", type=pathlib.Path)
    arguments.add_argument("--program", type=pathlib.Path, help="the built program; else it is built")
    arguments.add_argument("--ours", action="store_true", help="without the tools")
    arguments.add_argument("--half", choices=list(GATES), help="one half of the documents")
    arguments.add_argument("--documents", help="only these, comma-separated; no gates")
    arguments.add_argument("--list", action="store_true", help="print the documents that the rule chooses")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--per-operation", type=int, default=10, help="requests of each operation for the tools")
    arguments.add_argument("--keep", type=pathlib.Path, help="a folder to keep requests in; with it, ours alone")
    arguments.add_argument("--wrong", type=pathlib.Path, help="a file for what was missed and made up")
    options = arguments.parse_args()
    data = options.data.resolve()
    if options.list:
        print("\n".join(choose(data)))
        return
    program = options.program
    if program is None:
        subprocess.run(["cargo", "build", "--release", "--quiet", "--manifest-path", str(HERE / "Cargo.toml")], check=True)
        program = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", HERE / "target")) / "release/demilune-bench-discovery"
    names = documents()
    tuned = tuning_half(names)
    if options.documents:
        names = options.documents.split(",")
    if options.half:
        names = [name for name in names if (name in tuned) == (options.half == "tuned on")]
    with_tools = not options.ours and not options.keep
    learners = [OURS] + ([f"{tool}, {how}" for tool in tools.TOOLS for how in (RAW, AIDED)] if with_tools else [])
    tallies = {half: {learner: Tally() for learner in learners} for half in GATES}
    rows, wrong = [], []
    for name in names:
        half = "tuned on" if name in tuned else "held out"
        truth, samples, begun = Truth(data, name), [], time.monotonic()
        true = visits.templates(truth)
        found, said = ours(program, truth, options.seed, options.keep, samples, options.per_operation)
        host = next(iter(true)).split(" ")[1]
        results = {OURS: {f"{one['method']} {host_form(one['host'])} {normal(one['endpoint'])}": one for one in found}}
        times = [time.monotonic() - begun]
        for tool in tools.TOOLS if with_tools else ():
            begun = time.monotonic()
            results[f"{tool}, {RAW}"] = tools.found(tool, data, samples, host.replace("{}", "tenant"))
            results[f"{tool}, {AIDED}"] = tools.frequent(results[f"{tool}, {RAW}"], samples, REQUESTS_LEAST)
            times.append(time.monotonic() - begun)
        cells = []
        for learner in learners:
            templates = {template.replace(" tenant.", " {}.") for template in results[learner]}
            tallies[half][learner].add(templates, true)
            right = len(templates & true)
            cells.append(f"{100 * right / max(1, len(templates)):.1f} / {100 * right / len(true):.1f}")
        rows.append(f"| {name} | {half} | {len(true)} | " + " | ".join(cells) + " |")
        print(rows[-1], said, [f"{seconds:.0f} s" for seconds in times], file=sys.stderr, flush=True)
        for template in sorted(true - set(results[OURS])):
            wrong.append(f"{name}\tmissed\t{template}")
        for template in sorted(set(results[OURS]) - true):
            one = results[OURS][template]
            wrong.append(f"{name}\tmade up\t{template}\t{one['requests']}\t{one['callers']}\t{json.dumps(one['parts'])}")
    if options.wrong:
        options.wrong.write_text("\n".join(wrong) + "\n")
    failed = []
    for half, (precision, recall) in GATES.items():
        tally = tallies[half]
        if not tally[OURS].precisions:
            continue
        print(f"{half.capitalize()}: {len(tally[OURS].precisions)} documents, {tally[OURS].true:,} operations.\n")
        print("| | found | right | precision | recall | mean precision | mean recall |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
        for learner in learners:
            print(f"| {learner} | {tally[learner].row()} |")
        print()
        if options.documents:
            continue
        if tally[OURS].precision() < precision or tally[OURS].recall() < recall:
            failed.append(f"{half}: precision {tally[OURS].precision():.3f} or recall {tally[OURS].recall():.3f} is below {precision} or {recall}")
        for learner in learners[1:]:
            if tally[learner].precision() >= tally[OURS].precision() or tally[learner].recall() >= tally[OURS].recall():
                failed.append(f"{half}: not ahead of {learner}")
    print("<details><summary>Precision / recall of each document</summary>\n")
    print("| document | half | operations | " + " | ".join(learners) + " |\n| --- | --- | ---: |" + " ---: |" * len(learners))
    print("\n".join(rows) + "\n\n</details>")
    for line in failed:
        print(line, file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
