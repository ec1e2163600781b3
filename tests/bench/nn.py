#!/usr/bin/env python3
"""Speed and memory of nn/ against PyTorch, torch.compile, ONNX Runtime and oneDNN: same shapes, threads and run.

usage: nn.py [options] BUILD [OUT.tsv]
       --rounds N       repeats with 2 threads (5); with 1 thread N/2 + 1
       --threads LIST   2,1
       --only LIST      of conv,infer,train,memory
       --without LIST   contestants left out
       --batch N        cubes of the whole network (64)

BUILD is the build folder; there: make tests/bench/peak tests/bench/conv tests/bench/net tests/bench/conv_dnnl (the last
needs Debian's libdnnl-dev; it is left out where it does not run). python3 with torch, onnx, onnxscript, onnxruntime, numpy
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
COLUMNS = ("task", "threads", "who", "ms", "ms_low", "ms_high", "gflops", "of_peak", "ratio", "ratio_low", "ratio_high", "rounds")


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
    """{task: {who: [ms of each round]}}, and the peak of each round."""
    times, peaks = {t: {} for t in todo}, []
    for r in range(-1, rounds):
        peaks.append(float(people["ours"].ask("peak")[0]))
        for t in todo:
            for name, who in people.items():
                if r < 0 and t.startswith("conv"):
                    continue  # the first round is for what has to be made once: whole networks
                if times[t].get(name) is None and name in times[t]:
                    continue
                ms = who.ask(t)[0]
                if ms == "-":
                    times[t][name] = None
                elif r >= 0:
                    times[t].setdefault(name, []).append(float(ms))
    return {t: {k: v for k, v in d.items() if v} for t, d in times.items()}, peaks


def middle(v):
    return statistics.median(v), min(v), max(v)


def rows_of(times, peaks, todo, threads):
    peak = statistics.median(peaks)
    yield ("peak", threads, "ours", "", "", "", f"{peak:.1f}", "100", "", "", "", len(peaks))
    for task, by in times.items():
        for name, ms in by.items():
            m = middle(ms)
            rate = 1e3 * todo[task] / m[0]
            ratio = middle([a / b for a, b in zip(ms, by["ours"])])
            yield (task, threads, name, *(f"{x:.4g}" for x in m), f"{rate:.1f}", f"{100 * rate / peak:.0f}",
                   *(f"{x:.2f}" for x in ratio), len(ms))


def memory(build, table, batch, without):
    rows = []
    for name, command in contestants(build, table, 2, {*without, "onednn", "ort"}).items():
        c = Contestant(name, command, 2)
        answer = c.ask(f"memory {batch}")
        c.end()
        if len(answer) == 2:
            rows.append((name, *(int(a) / 1024 for a in answer)))
    return rows


def show(rows, out):
    """A line per task and number of threads: ours in GFLOP/s and of peak, each rival's time over ours."""
    names = list(dict.fromkeys(r[2] for r in rows))
    rivals = [n for n in names if n != "ours"]
    print(f"{'task':42} thr {'ours ms':>9} {'GFLOP/s':>8} {'of peak':>7}  " + "".join(f"{n + ' / ours':>26}" for n in rivals), file=out)
    for task, threads in dict.fromkeys((r[0], r[1]) for r in rows):
        d = {r[2]: r for r in rows if (r[0], r[1]) == (task, threads)}
        if task == "peak":
            print(f"{'FMA peak, GFLOP/s':42} {threads:3} {'':9} {d['ours'][6]:>8}", file=out)
            continue
        o = d["ours"]
        cells = "".join(f"{'%s (%s to %s)' % d[n][8:11] if n in d else '-':>26}" for n in rivals)
        print(f"{task:42} {threads:3} {o[3]:>9} {o[6]:>8} {o[7] + ' %':>7}  {cells}", file=out)


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
            rows += rows_of(*measure(people, todo, rounds), todo, threads)
            for c in people.values():
                c.end()
            print(f"{threads} threads: {time.time() - began:.0f} s", file=sys.stderr)
        kept = memory(o.build, f.name, o.batch, without) if "memory" in only else []
    if o.out:
        with open(o.out, "w") as out:
            print("\t".join(COLUMNS), file=out)
            for r in rows:
                print("\t".join(map(str, r)), file=out)
            for name, before, after in kept:
                print(f"memory {o.batch}: MiB before, after, step\t2\t{name}\t{before:.0f}\t{after:.0f}\t{after - before:.0f}", file=out)
    show(rows, sys.stdout)
    for name, before, after in kept:
        print(f"training step of {o.batch}, {name}: {before:.0f} MiB before, peak {after:.0f} MiB, by the step {after - before:.0f} MiB")


if __name__ == "__main__":
    main()
