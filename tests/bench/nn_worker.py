#!/usr/bin/env python3
"""One contestant of nn.py: PyTorch or ONNX Runtime. (python3 with torch, onnx, onnxscript, onnxruntime from PyPI.)

usage: nn_worker.py KIND THREADS [TABLE]      KIND: torch, torch-cl (channels_last_3d), compile (torch.compile), ort
TABLE: a file with the network's table (nn/net.h); without it, the default network

stdin   conv PASS N CI CO SIDE STRIDE PAD D    one convolution; PASS forward, data (gradient), weights (gradient)
        infer N | train N                      the default network: forward of N cubes; a step with two-sided InfoNCE
                                               (N/2 pairs), gradient clipping and AdamW
        both N                                 such a step with the loss to text besides: to projected vectors of
                                               TEXT numbers, from both cubes of a pair
        memory N                               two such steps
stdout  a line each: milliseconds of one run; for memory, peak resident kilobytes before the first step (network and
        batch made) and after the second; "-" where the contestant has no such thing
"""
import json
import os
import statistics
import sys
import time

KIND, THREADS = sys.argv[1], int(sys.argv[2])
TEXT = 384  # numbers of a sentence's vector
if KIND == "compile":
    os.environ["TORCHINDUCTOR_FREEZING"] = "1"  # at inference: weights in oneDNN's order beforehand

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "parity"))
import torch
from nn_table import default_table
from nn_torch import Net, fill, info_nce, noise

if len(sys.argv) > 3:
    with open(sys.argv[3]) as file:
        TABLE = json.load(file)
else:
    TABLE = default_table()
BUDGET = 0.025  # seconds of repeats of one convolution
LAST = torch.channels_last_3d if KIND == "torch-cl" else torch.contiguous_format
OPSET = 22
torch.set_num_threads(THREADS)


def median_ms(f):
    f()
    times, start = [], time.perf_counter()
    while not times or time.perf_counter() - start < BUDGET:
        t = time.perf_counter()
        f()
        times.append(1e3 * (time.perf_counter() - t))
    return statistics.median(times)


def session(model):
    import onnxruntime
    o = onnxruntime.SessionOptions()
    o.intra_op_num_threads, o.inter_op_num_threads, o.log_severity_level = THREADS, 1, 3
    return onnxruntime.InferenceSession(model, o, providers=["CPUExecutionProvider"])


def conv_ort(x, w, stride, pad):
    from onnx import TensorProto, helper, numpy_helper
    node = helper.make_node("Conv", ["x", "w"], ["y"], strides=[stride] * 3, pads=[pad] * 6)
    port = lambda n: helper.make_tensor_value_info(n, TensorProto.FLOAT, None)
    graph = helper.make_graph([node], "conv", [port("x")], [port("y")], [numpy_helper.from_array(w.numpy(), "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
    s, feed = session(model.SerializeToString()), {"x": x.numpy()}
    return lambda: s.run(None, feed)


def conv(which, n, ci, co, side, stride, pad, d):
    if KIND == "compile" or KIND == "ort" and which != "forward":
        return "-"
    x = torch.rand(n, ci, d, d, d).sub_(0.5).to(memory_format=LAST)
    w = torch.rand(co, ci, side, side, side).sub_(0.5).to(memory_format=LAST)
    if KIND == "ort":
        return median_ms(conv_ort(x, w, stride, pad))
    s, p = [stride] * 3, [pad] * 3
    with torch.inference_mode():
        forward = lambda: torch.nn.functional.conv3d(x, w, None, s, p)
        if which == "forward":
            return median_ms(forward)
        dy = torch.rand_like(forward()).sub_(0.5)
        mask = [which == "data", which == "weights", False]
        return median_ms(lambda: torch.ops.aten.convolution_backward(dy, x, w, None, s, p, [1] * 3, False, [0] * 3, 1, mask))


class Encoder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.net = fill(Net(TABLE)).to(memory_format=LAST)

    def forward(self, cube, features):
        return self.net({"cube": cube, "features": features})


def batch(net, n):
    cube, features = (torch.from_numpy(noise(k, (n, *net.net.ports[k]))) for k in ("cube", "features"))
    return cube.to(memory_format=LAST), features


def make_infer(n):
    net = Encoder().eval()
    x = batch(net, n)
    if KIND == "ort":
        import contextlib, io, logging
        logging.disable(logging.WARNING)
        path = f"/tmp/nn_worker.{os.getpid()}.onnx"
        with contextlib.redirect_stdout(io.StringIO()):
            torch.onnx.export(net, x, path, dynamo=True, input_names=["cube", "features"], output_names=["z"], opset_version=OPSET,
                              external_data=False)
        s, feed = session(path), {"cube": x[0].numpy(), "features": x[1].numpy()}
        os.unlink(path)
        return lambda: s.run(None, feed)
    f = torch.compile(net) if KIND == "compile" else net

    def run():
        with torch.no_grad() if KIND == "compile" else torch.inference_mode():
            f(*x)
    return run


def to_text(z, t, scale):
    """One-sided InfoNCE from rows of z (N,d) to those of t (N/2,d), of unit length; rows i and N/2 + i belong to text i."""
    return torch.nn.functional.cross_entropy(scale.exp() * (z @ t.T), torch.arange(len(t)).repeat(2))


def make_train(n, text):
    net = Encoder().train()
    x = batch(net, n)
    logit = torch.nn.Parameter(torch.tensor(2.6))
    params = [*net.parameters(), logit]
    if text:
        sentences = torch.nn.functional.normalize(torch.randn(n // 2, TEXT), dim=1)
        project, scale = torch.nn.Linear(TEXT, net.net.out_shape[0], bias=False), torch.nn.Parameter(torch.tensor(2.6))
        params += [*project.parameters(), scale]
    opt = torch.optim.AdamW([{"params": [p for p in params if p.ndim > 1], "weight_decay": 0.05},
                             {"params": [p for p in params if p.ndim < 2], "weight_decay": 0.0}], lr=1e-3, fused=True)

    def f(cube, features):
        z = net(cube, features)
        loss = info_nce(z, logit)
        return loss + 0.5 * to_text(z, torch.nn.functional.normalize(project(sentences), dim=1), scale) if text else loss

    f = torch.compile(f) if KIND == "compile" else f

    def run():
        loss = f(*x)
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(params, 1.0)
        opt.step()
    return run


def peak_kb():
    """Of this program: getrusage would count what the parent held when it forked."""
    with open("/proc/self/status") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM:"))


def main():
    made = {}
    for line in sys.stdin:
        what, *rest = line.split()
        if what == "conv":
            ms = conv(rest[0], *map(int, rest[1:]))
        elif what == "infer" or what in ("train", "both", "memory") and KIND != "ort":
            key = what, int(rest[0])
            if key not in made:
                made[key] = make_infer(key[1]) if what == "infer" else make_train(key[1], what == "both")
                before = peak_kb()
                made[key]()
            t = time.perf_counter()
            made[key]()
            ms = 1e3 * (time.perf_counter() - t)
            if what == "memory":
                ms = f"{before}\t{peak_kb()}"
        else:
            ms = "-"
        print(ms, flush=True)


if __name__ == "__main__":
    main()
