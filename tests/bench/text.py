#!/usr/bin/env python3
"""Time per 1,000 captions: cryolex against sentence-transformers (PyTorch) and ONNX Runtime.

  make tests/bench/text
  python3 tests/bench/text.py tests/bench/text DATA MODEL...     needs sentence-transformers, onnx, onnxruntime, onnxscript (PyPI)

DATA is the folder of real data (../shared/data), MODEL a folder that scripts/fetch-text-model made. 1,000 captions by
template (tests/parity/text_lines.py) are sorted by length in tokens and cut into batches of 32 (16 for mpnet); every so many
of these batches are the sample that is timed, so that a sample has the lengths of all and is padded as all would be, and the
time is scaled by the number of tokens. Loading is not timed, tokenizing is. One thread count after another; within it the
programs take turns, and the median and the range of the rounds are told. All run in float32, but for the dense layers of cryolex,
which work in 16-bit fixed point; "cryolex --float" has them in float32 too.

sentence-transformers: encode(batch_size=B), B of 8 and that 32 or 16 by which is faster in a trial. ONNX Runtime: the model
exported by torch.onnx, with its own graph optimisations, batches of B sorted by length, the tokenizer of transformers.

Columns: model; threads; program; ms per 1,000 captions: median, least, most; how many times ours that is; GFLOP/s of the
dense layers on real tokens, and its share of what sgemm reaches in the same number of threads, measured in this run."""
import os
import statistics
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "parity"))
import numpy as np
import onnxruntime
import sentence_transformers
import torch

import text_lines

CAPTIONS = 1000
BATCH = {6: 32, 12: 16}  # texts that are padded together, by layers
TIMED = {6: 4, 12: 2}    # such batches
ROUNDS = {6: 4, 12: 3}


class Ours:
    def __init__(self, program, folder, path, threads, *flags):
        self.p = subprocess.Popen([program, *flags, folder, path, str(threads)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self):
        self.p.stdin.write("\n")
        self.p.stdin.flush()
        return float(self.p.stdout.readline())

    def close(self):
        self.p.stdin.close()
        self.p.wait()


class Torch:
    def __init__(self, model, texts, batch):
        self.model, self.texts, self.batch = model, texts, batch

    def run(self):
        t = time.perf_counter()
        self.z = self.model.encode(self.texts, batch_size=self.batch, show_progress_bar=False)
        return time.perf_counter() - t


class Onnx:
    def __init__(self, model, path, texts, batch, threads):
        o = onnxruntime.SessionOptions()
        o.intra_op_num_threads, o.inter_op_num_threads = threads, 1
        self.session = onnxruntime.InferenceSession(path, o, providers=["CPUExecutionProvider"])
        self.names = [i.name for i in self.session.get_inputs()]
        self.tokenizer, self.limit, self.texts, self.batch = model.tokenizer, model.max_seq_length, texts, batch

    def run(self):
        t = time.perf_counter()
        order = sorted(range(len(self.texts)), key=lambda i: -len(self.texts[i]))
        self.z = np.empty((len(self.texts), 0), np.float32)
        for n in range(0, len(order), self.batch):
            part = order[n:n + self.batch]
            x = self.tokenizer([self.texts[i] for i in part], truncation=True, max_length=self.limit, padding=True, return_tensors="np")
            y = self.session.run(None, {k: x[k].astype(np.int64) for k in self.names})[0]
            mask = x["attention_mask"][:, :, None].astype(np.float32)
            z = (y * mask).sum(1) / mask.sum(1)
            if not self.z.size:
                self.z = np.empty((len(order), z.shape[1]), np.float32)
            self.z[part] = z / np.linalg.norm(z, axis=1, keepdims=True)
        return time.perf_counter() - t


class Bare(torch.nn.Module):
    """The transformer alone: last hidden state."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask):
        return self.model(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state


def export(model, path):
    x = model.tokenizer(["one text", "and a longer one beside it"], padding=True, return_tensors="pt")
    batch, length = torch.export.Dim("batch", min=1, max=256), torch.export.Dim("length", min=2, max=model.max_seq_length)
    net = Bare(model[0].auto_model).eval()
    with torch.no_grad():
        torch.onnx.export(net, (x["input_ids"], x["attention_mask"]), path, input_names=["input_ids", "attention_mask"],
                          output_names=["hidden"], dynamo=True, external_data=True, optimize=True, verbose=False,
                          dynamic_shapes=({0: batch, 1: length}, {0: batch, 1: length}))


def sample(model, texts, size, batches):
    """Whole batches of `size` texts, evenly over the lengths; their texts and tokens, and the tokens of all."""
    count = [len(i) for i in model.tokenizer(texts, truncation=True, max_length=model.max_seq_length)["input_ids"]]
    order = sorted(range(len(texts)), key=lambda i: count[i])
    full = len(order) // size
    chosen = [order[size * b + k] for i in range(batches) for b in [(2 * i + 1) * full // (2 * batches)] for k in range(size)]
    return [texts[i] for i in chosen], sum(count[i] for i in chosen), sum(count)


def quicker(make, largest):
    """Of two batch sizes the one that is faster in a trial."""
    return min((make(b).run(), b) for b in (8, largest))[1]


def compare(program, folder, path, texts, d):
    model = sentence_transformers.SentenceTransformer(folder, device="cpu")
    c = model[0].auto_model.config
    name, layers = os.path.basename(folder.rstrip("/")), c.num_hidden_layers
    some, tokens, every = sample(model, texts, BATCH[layers], TIMED[layers])
    flops = 2 * tokens * layers * (4 * c.hidden_size ** 2 + 2 * c.hidden_size * c.intermediate_size)
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(t + "\n" for t in some)
    onnx = os.path.join(d, name + ".onnx")
    export(model, onnx)
    print(f"# {name}: {len(some)} captions of {tokens} tokens stand for {len(texts)} of {every}", flush=True)
    for threads in (2, 1):
        torch.set_num_threads(threads)
        peak = float(subprocess.run([program, "sgemm", str(threads)], capture_output=True, check=True).stdout)
        b = (quicker(lambda n: Torch(model, some, n), BATCH[layers]),
             quicker(lambda n: Onnx(model, onnx, some, n, threads), BATCH[layers]))
        rival = {"cryolex": Ours(program, folder, path, threads),
                 "cryolex --float": Ours(program, folder, path, threads, "--float"), f"sentence-transformers, batch {b[0]}": Torch(model, some, b[0]),
                 f"ONNX Runtime, batch {b[1]}": Onnx(model, onnx, some, b[1], threads)}
        seconds = {k: [] for k in rival}
        ours = [r for r in rival.values() if isinstance(r, Ours)]
        for r in ours:
            r.run()  # as the trial of the others
        for _ in range(ROUNDS[layers]):
            for k, r in rival.items():
                time.sleep(0.2)  # threads of the one before go to sleep
                seconds[k].append(r.run())
        theirs = list(rival.values())[len(ours):]
        for r in ours:
            r.close()
        assert abs((theirs[0].z * theirs[1].z).sum(1) - 1).max() < 1e-4, "the rivals differ"
        best = statistics.median(seconds["cryolex"])
        for k, s in seconds.items():
            m, scale = statistics.median(s), 1000 * every / tokens
            rate = flops / m / 1e9
            print(f"{name}\t{threads}\t{k}\t{m * scale:.0f}\t{min(s) * scale:.0f}\t{max(s) * scale:.0f}\t{m / best:.2f}\t{rate:.1f}\t"
                  f"{rate / peak:.2f}", flush=True)


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    program, data, *folders = sys.argv[1:]
    texts = text_lines.captions(data, CAPTIONS, seed=3)
    print(f"# torch {torch.__version__}, sentence-transformers {sentence_transformers.__version__}, onnxruntime {onnxruntime.__version__}; "
          f"load {os.getloadavg()[0]:.1f}")
    print("model\tthreads\tprogram\tms\tleast\tmost\tratio\tgflops\tof_sgemm")
    with tempfile.TemporaryDirectory() as d:
        for folder in folders:
            compare(program, folder, os.path.join(d, "texts"), texts, d)


if __name__ == "__main__":
    main()
