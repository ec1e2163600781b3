#!/usr/bin/env python3
"""Speed and memory of nn/ against PyTorch, torch.compile, ONNX Runtime and oneDNN: same shapes, threads and run.

usage: nn.py [options] BUILD [OUT.tsv]
       --rounds N       repeats with 2 threads (5); with 1 thread N/2 + 1
       --threads LIST   2,1
       --only LIST      of conv,infer,train,memory
       --without LIST   contestants left out
       --batch N        cubes of the whole network (64)

BUILD is the build folder; there: make tests/bench/net tests/bench/conv_dnnl (the latter needs Debian's libdnnl-dev, and
is left out where it is not there). python3 with torch, onnx, onnxscript, onnxruntime, numpy
from PyPI.

Every contestant is a process of its own, bound to as many cores as it has threads. In every round each runs every task
once, one after the other; a convolution's figure in a round is the median of its repeats. Written: medians over the
rounds, lowest and highest; GFLOP/s by the definition of the convolution; per cent of the FMA peak measured in the same
rounds; and the ratio to ours, round by round. PyTorch's first use of a task is not counted, nor any compilation.
infer    forward of the default network, inference form.
train    forward in training form, two-sided InfoNCE (batch/2 pairs), backward, clipping, AdamW.
memory   VmHWM in a fresh process: before the first step (network and batch made), and after the second.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "parity"))
from nn_table import default_table  # no torch here: this process stays small

# N, channels in and out, side, stride, pad, extent of x
CONVS = [(8, 16, 16, 3, 1, 1, 48), (8, 16, 32, 3, 1, 1, 24), (8, 32, 32, 3, 1, 1, 24), (8, 64, 64, 3, 1, 1, 12),
         (8, 128, 128, 3, 1, 1, 6), (8, 1, 16, 3, 1, 1, 48),
         (64, 1, 32, 5, 2, 2, 32), (64, 32, 32, 3, 1, 1, 16), (64, 32, 64, 3, 2, 1, 16), (64, 64, 64, 3, 1, 1, 8),
         (64, 64, 128, 3, 2, 1, 8), (64, 128, 128, 3, 1, 1, 4)]
PASSES = ("forward", "data", "weights")
COLUMNS = ("task", "threads", "who", "ms", "ms_low", "ms_high", "gflops", "of_peak", "ratio", "ratio_low", "ratio_high", "rounds", "way")


def gflop(n, ci, co, side, stride, pad, d):
    return 2e-9 * n * ci * co * side**3 * ((d + 2 * pad - side) // stride + 1)**3


class Contestant:
    """A process that answers a line with a line."""

    def __init__(self, name, command, threads):
        self.name, self.command, self.threads = name, command, threads
        self.start()

    def start(self):
        env = {**os.environ, "OMP_NUM_THREADS": str(self.threads)}
        cores = sorted(os.sched_getaffinity(0))[:self.threads]
        self.p = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env,
                                  preexec_fn=lambda: os.sched_setaffinity(0, cores))

    def ask(self, line):
        try:
            print(line, file=self.p.stdin, flush=True)
            answer = self.p.stdout.readline().rstrip("\n")
        except BrokenPipeError:
            answer = ""
        return answer.split("\t") if answer else ["-"]

    def end(self):
        self.p.stdin.close()
        self.p.wait()


def contestants(build, table, threads, without):
    program = lambda name: os.path.join(build, "tests", "bench", name)
    worker = lambda kind: [sys.executable, os.path.join(HERE, "nn_worker.py"), kind, str(threads)]
    all_ = {"ours": [program("net"), table], "onednn": [program("conv_dnnl")], "torch": worker("torch"),
            "torch-cl": worker("torch-cl"), "compile": worker("compile"), "ort": worker("ort")}
    return {k: c for k, c in all_.items() if k not in without and os.path.exists(c[0])}


def conv_line(which, shape):
    return "conv " + " ".join(map(str, (which, *shape)))


def tasks(only, batch):
    """Line of each task, with its GFLOP (0: asked of our program)."""
    t = {}
    if "conv" in only:
        t.update({conv_line(w, s): gflop(*s) for s in CONVS for w in PASSES})
    for whole in ("infer", "train"):
        if whole in only:
            t[f"{whole} {batch}"] = 0
    return t


def measure(people, todo, rounds):
    """{task: {who: [answer of each round]}}; a round before the first is for what has to be made once: whole networks."""
    answers = {t: {name: [] for name in people} for t in todo}
    for r in range(-1, rounds):
        for t in todo:
            for name, who in people.items():
                if r < 0 and t.startswith("conv") or r > 0 and not answers[t][name]:
                    continue
                answer = who.ask(t)
                if r >= 0 and answer[0] != "-":
                    answers[t][name].append(answer)
    return answers


def middle(v):
    return statistics.median(v), min(v), max(v)


def rows_of(answers, todo, threads):
    for task, by in answers.items():
        ours = [float(a[0]) for a in by["ours"]]
        peak = [float(a[2]) for a in by["ours"]]  # of the same round, right after
        for name, got in by.items():
            ms = [float(a[0]) for a in got]
            if len(ms) != len(ours):
                continue
            rate, ratio = [1e3 * todo[task] / t for t in ms], [a / b for a, b in zip(ms, ours)]
            share = statistics.median(a / b for a, b in zip(rate, peak))
            yield (task, threads, name, *(f"{x:.4g}" for x in middle(ms)), f"{statistics.median(rate):.1f}", f"{100 * share:.0f}",
                   *(f"{x:.2f}" for x in middle(ratio)), len(ms), got[-1][1] if len(got[-1]) > 1 else "")
        yield (task, threads, "FMA peak", "", "", "", f"{statistics.median(peak):.1f}", 100, "", "", "", len(peak), "")


def memory(build, table, batch, without):
    rows = []
    for name, command in contestants(build, table, 2, {*without, "onednn", "ort", "compile"}).items():
        c = Contestant(name, command, 2)
        answer = c.ask(f"memory {batch}")
        c.end()
        if len(answer) == 2:
            rows.append((name, *(int(a) / 1024 for a in answer)))
    return rows


def write(path, rows, kept, batch):
    with open(path, "w") as out:
        print("\t".join(COLUMNS), file=out)
        for r in rows:
            print("\t".join(map(str, r)), file=out)
        for name, before, after in kept:
            print(f"memory {batch}: MiB before, after, step\t2\t{name}\t{before:.0f}\t{after:.0f}\t{after - before:.0f}", file=out)


def show(rows, out):
    """A line per task and number of threads: ours, and each rival's time over ours."""
    rivals = [n for n in dict.fromkeys(r[2] for r in rows) if n not in ("ours", "FMA peak")]
    print(f"{'task':40} threads {'ours ms':>8} {'GFLOP/s':>8} {'of peak':>7}  {'way':9}" + "".join(f"{n + ' / ours':>24}" for n in rivals),
          file=out)
    for task, threads in dict.fromkeys((r[0], r[1]) for r in rows):
        d = {r[2]: r for r in rows if (r[0], r[1]) == (task, threads)}
        o = d["ours"]
        cells = "".join(f"{'%s (%s to %s)' % d[n][8:11] if n in d else '-':>24}" for n in rivals)
        print(f"{task:40} {threads:7} {o[3]:>8} {o[6]:>8} {o[7] + ' %':>7}  {o[12]:9}{cells}", file=out)
    for threads in dict.fromkeys(r[1] for r in rows):
        peaks = [float(r[6]) for r in rows if r[1:3] == (threads, "FMA peak")]
        print(f"FMA peak with {threads} threads: {statistics.median(peaks):.1f} GFLOP/s ({min(peaks):.1f} to {max(peaks):.1f} by task)", file=out)


def main():
    a = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    a.add_argument("--rounds", type=int, default=5)
    a.add_argument("--threads", default="2,1")
    a.add_argument("--only", default="conv,infer,train,memory")
    a.add_argument("--without", default="")
    a.add_argument("--batch", type=int, default=64)
    a.add_argument("build")
    a.add_argument("out", nargs="?")
    o = a.parse_args()
    only, without, began = o.only.split(","), set(o.without.split(",")), time.time()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        json.dump(default_table(), f)
        f.flush()
        rows = []
        for threads in map(int, o.threads.split(",")):
            todo = tasks(only, o.batch)
            leave = without if threads > 1 else {*without, "compile"}  # slow to compile, and slower than eager
            people = {k: Contestant(k, c, threads) for k, c in contestants(o.build, f.name, threads, leave).items()}
            flop = float(people["ours"].ask("flops")[0]) * 1e-9 * o.batch
            for t in todo:
                todo[t] = todo[t] or flop * (3 if t.startswith("train") else 1)
            rounds = o.rounds if threads > 1 else o.rounds // 2 + 1
            rows += rows_of(measure(people, todo, rounds), todo, threads)
            for c in people.values():
                c.end()
            if o.out:
                write(o.out, rows, [], o.batch)
            print(f"{threads} threads: {time.time() - began:.0f} s", file=sys.stderr)
        kept = memory(o.build, f.name, o.batch, without) if "memory" in only else []
        if o.out:
            write(o.out, rows, kept, o.batch)
    show(rows, sys.stdout)
    for name, before, after in kept:
        print(f"training step of {o.batch}, {name}: {before:.0f} MiB before, peak {after:.0f} MiB, by the step {after - before:.0f} MiB")


if __name__ == "__main__":
    main()
