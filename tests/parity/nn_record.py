#!/usr/bin/env python3
"""Records what PyTorch computes for tests/test_nn_parity.c. (python3 with torch, safetensors and numpy from PyPI.)

usage: nn_record.py [OUT.safetensors]        default: nn.safetensors beside this script
       nn_record.py --default OUT.safetensors     training of the default network only (minutes); then test_nn_parity OUT

Inputs, parameters and output gradients come from a hash of their names (nn_torch.noise, fill), so the file holds results
only. Computed in float64, kept as float32.

Layers   CASE in the metadata is its table. CASE/eval and CASE/y: output at inference and in training; CASE/din.INPUT,
         CASE/grad.PARAMETER: gradients of sum(y * noise("CASE/dout")); CASE/stat.BUFFER: running statistics afterwards.
         Input i of CASE is noise("CASE/i").
Encoder  the same for the whole default network, but of each gradient CASE/norm.NAME and CASE/probe.NAME, elements
         (2 i + 1) size / 16, i < 8. Its batch is the one of 40 whose values keep farthest from the kinks of ReLU and of the
         maximum, where rounding would change gradients by leaps.
Training "smooth" and "kinked" in the metadata are tables: SiLU and generalised-mean pooling, and ReLU and maximum as in
         the default network. RUN/loss and RUN/rate (STEPS), see train(). RUN/growth (STEPS): how far rounding alone has
         taken the loss by then, the largest difference so far between the float64 run, one in float32, and three in
         float64 from weights moved by half a unit in the last place of float32.
"""
import json
import os
import sys

import numpy as np
import torch
from safetensors.numpy import save_file

from nn_table import default_table, small_table
from nn_torch import Net, Pool, fill, info_nce, noise

VOL, VEC = (3, 4, 5, 6), (7,)


def one(shape, op, n=2, **kw):
    return n, {"inputs": {"x": list(shape)}, "layers": [{"op": op, "from": "x", **({"name": "a"} if op in NAMED else {}), **kw}]}


NAMED = ("conv", "linear", "groupnorm", "batchnorm", "layernorm", "attention")


def conv(shape, out, side, n=2, **kw):
    return one(shape, "conv", n, out=out, side=side, **kw)


def layer_cases():
    c = {
        # sides, strides, pads, bias; channels below, at and past a block of 8
        "conv1": conv(VOL, 5, 1),
        "conv1_stride2": conv(VOL, 9, 1, stride=2, bias=False),
        "conv3": conv(VOL, 5, 3),
        "conv3_pad0": conv(VOL, 4, 3, pad=0, bias=False),
        "conv3_stride2": conv((9, 5, 4, 7), 6, 3, stride=2),
        "conv3_stride2_pad0": conv((3, 5, 4, 7), 6, 3, stride=2, pad=0),
        "conv3_blocks": conv((8, 4, 4, 4), 16, 3, bias=False),
        "conv3_wide": conv((17, 3, 2, 5), 12, 3, n=3),
        "conv3_even": conv((16, 2, 6, 4), 8, 3, n=1),
        "conv3_one": conv((1, 5, 6, 7), 4, 3),
        "conv5": conv((2, 5, 6, 5), 3, 5),
        "conv5_pad1": conv((2, 5, 6, 5), 3, 5, pad=1),
        "conv5_stem": conv((1, 8, 8, 8), 8, 5, stride=2, bias=False),
        "conv5_stem_odd": conv((1, 7, 6, 9), 10, 5, stride=2),
        "linear": one(VEC, "linear", 3, out=10),
        "linear_nobias": one(VEC, "linear", out=4, bias=False),
        "groupnorm": one((6, 3, 4, 5), "groupnorm", groups=3),
        "groupnorm_block": one((16, 3, 3, 3), "groupnorm", groups=8, eps=1e-3),
        "groupnorm_one": one((5, 3, 2, 3), "groupnorm", groups=1),
        "groupnorm_each": one((5, 3, 2, 3), "groupnorm", groups=5),
        "groupnorm_vector": one((12,), "groupnorm", groups=4),
        "batchnorm": one(VOL, "batchnorm"),
        "batchnorm_vector": one(VEC, "batchnorm", 5, eps=1e-3, momentum=0.3),
        "layernorm": one(VEC, "layernorm"),
        "layernorm_volume": one((9, 2, 3, 4), "layernorm", eps=1e-3),
        "softmax": one(VEC, "softmax"),
        "softmax_volume": one((9, 2, 3, 4), "softmax"),
        "pool_mean": one(VOL, "pool", kind="mean"),
        "pool_max": one(VOL, "pool", kind="max"),
        "pool_gem": one(VOL, "pool", kind="gem", name="a"),
        "pool_mean_2": one(VOL, "pool", kind="mean", side=2),
        "pool_max_2": one(VOL, "pool", kind="max", side=2),
        "pool_gem_2": one(VOL, "pool", kind="gem", name="a", side=2, eps=1e-3),
        "pool_mean_3_1": one((10, 4, 5, 6), "pool", kind="mean", side=3, stride=1),
        "pool_max_3_2": one((10, 4, 5, 6), "pool", kind="max", side=3, stride=2),
        "pool_gem_3_2": one((10, 4, 5, 6), "pool", kind="gem", name="a", side=3, stride=2),
        "attention": one((6, 2, 3, 2), "attention", heads=2),
        "attention_one": one((9, 3, 1, 2), "attention", heads=1),
        "flatten": one(VOL, "flatten"),
        "l2norm": one(VEC, "l2norm"),
        "dropout": one(VEC, "dropout", p=0.0),
    }
    for op in ("relu", "silu", "gelu"):
        c[op] = one(VOL, op)
        c[op + "_vector"] = one(VEC, op)
    # combinations: what folds at inference, fan-out, both operands of a join
    ab = {"x": [6, 3, 4, 5], "u": [7]}
    conv3 = {"op": "conv", "name": "a", "out": 8, "side": 3, "from": "x"}
    norm = {"op": "groupnorm", "name": "b", "groups": 4}
    pool = {"op": "pool", "kind": "mean"}
    c["residual"] = 2, {"inputs": {"x": ab["x"]}, "layers": [
        {**conv3, "as": "s"}, norm, {"op": "relu"}, {"op": "conv", "name": "c", "out": 8, "side": 3}, {**norm, "name": "d"},
        {"op": "add", "with": "s"}, {"op": "relu"}]}
    c["add_self"] = one(VOL, "add", **{"with": "x"})
    for act in ("relu", "silu", "gelu"):
        c["conv_batchnorm_" + act] = 3, {"inputs": {"x": ab["x"]}, "layers": [
            conv3, {"op": "batchnorm", "name": "b"}, {"op": act}]}
    c["linear_batchnorm"] = 5, {"inputs": {"u": ab["u"]}, "layers": [
        {"op": "linear", "name": "a", "out": 6, "from": "u"}, {"op": "batchnorm", "name": "b"}, {"op": "gelu"}]}
    c["concat"] = 2, {"inputs": ab, "layers": [
        {**pool, "from": "x", "as": "m"}, {"op": "pool", "kind": "max", "from": "x", "as": "n"},
        {"op": "linear", "name": "a", "out": 5, "from": "u", "as": "v"}, {"op": "concat", "from": "n", "with": ["m", "v", "u"]},
        {"op": "concat", "with": "n"}]}
    c["transformer"] = 2, {"inputs": {"x": ab["x"]}, "layers": [
        {"op": "layernorm", "name": "a", "from": "x"}, {"op": "attention", "name": "b", "heads": 3},
        {"op": "add", "with": "x", "as": "s"}, {"op": "layernorm", "name": "c"},
        {"op": "conv", "name": "d", "out": 12, "side": 1}, {"op": "gelu"}, {"op": "conv", "name": "e", "out": 6, "side": 1},
        {"op": "add", "with": "s"}, {"op": "flatten"}, {"op": "linear", "name": "f", "out": 3}, {"op": "softmax"}]}
    return c


def tensor(name, shape):
    return torch.from_numpy(noise(name, shape)).double()


def run(case, n, table):
    """Everything about one case, as numpy float64."""
    net = fill(Net(table)).double()
    x = {k: tensor(f"{case}/{k}", (n, *s)).requires_grad_() for k, s in net.ports.items()}
    out = {f"{case}/eval": net.eval()(x)}
    y = net.train()(x)
    y.backward(tensor(f"{case}/dout", tuple(y.shape)))
    out[f"{case}/y"] = y
    out.update({f"{case}/din.{k}": v.grad for k, v in x.items()})
    out.update({f"{case}/grad.{k}": p.grad for k, p in net.named_parameters()})
    out.update({f"{case}/stat.{k}": b for k, b in net.named_buffers() if b.is_floating_point()})
    return {k: v.detach().numpy() for k, v in out.items()}


def brief(case, out):
    """Of gradients, norm and probes only."""
    small = {}
    for k, v in out.items():
        kind, _, name = k[len(case) + 1:].partition(".")
        if kind not in ("grad", "din"):
            small[k] = v
            continue
        flat = v.reshape(-1)
        small[f"{case}/norm.{kind}.{name}"] = np.linalg.norm(flat, keepdims=True)
        small[f"{case}/probe.{kind}.{name}"] = flat[(2 * np.arange(8) + 1) * flat.size // 16]
    return small


ENTRIES = 4
STEPS, WARMUP, PAIRS, RATE, DECAY, CLIP, LOGIT, LOGIT_MAX = 50, 5, 8, 1e-3, 0.05, 1.0, np.log(1 / 0.07), np.log(100)


def batch(net, step, kind, pairs):
    """Two views of each entry of a step: rows i and pairs + i. An entry's own numbers plus half of the view's."""
    x = {}
    for k, s in net.ports.items():
        own = noise(f"train/{k}/{step % ENTRIES}", (pairs, *s))
        views = noise(f"train/{k}/{step}/view", (2 * pairs, *s))
        x[k] = torch.from_numpy(np.concatenate([own, own]) + np.float32(0.5) * views).to(kind)
    return x


def schedule(step, steps=STEPS, warmup=WARMUP):
    """Linear to 1 over the warm-up, then half a cosine towards 0."""
    if step < warmup:
        return (step + 1) / warmup
    return (1 + np.cos(np.pi * (step - warmup) / (steps - warmup))) / 2


def train(table, kind, pairs, move=None, steps=STEPS):
    """AdamW (0.9, 0.999, 1e-8) with decay of tensors of two dimensions and more; the logarithm of the logit scale is
    learned, without decay, and clamped after the step; the gradient's norm (network and logit scale) is clipped."""
    net = fill(Net(table)).to(kind).train()
    if move is not None:
        with torch.no_grad():
            for k, p in net.named_parameters():
                p += p * 2.0**-24 * torch.from_numpy(np.sign(noise(f"move/{move}/{k}", tuple(p.shape))))
    logit = torch.nn.Parameter(torch.tensor(LOGIT, dtype=kind))
    params = [*net.parameters(), logit]
    opt = torch.optim.AdamW([{"params": [p for p in params if p.ndim > 1], "weight_decay": DECAY},
                             {"params": [p for p in params if p.ndim < 2], "weight_decay": 0.0}], lr=RATE)
    rates = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: schedule(s, steps))
    losses, rate = [], []
    for step in range(steps):
        loss = info_nce(net(batch(net, step, kind, pairs)), logit)
        opt.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(params, CLIP)
        rate.append(opt.param_groups[0]["lr"])
        opt.step()
        rates.step()
        with torch.no_grad():
            logit.clamp_(0, LOGIT_MAX)
        losses.append(loss.item())
    return np.array(losses), np.array(rate), logit.detach().numpy().reshape(1)


def margin(case, n, net):
    """How close the inputs of ReLUs come to 0, and the two largest voxels of a channel to each other."""
    close = [float("inf")]

    def relu(module, x, y):
        close.append(x[0].abs().min().item())

    def pool(module, x, y):
        if module.kind == "max":
            top = x[0].flatten(2).topk(2).values
            close.append((top[..., 0] - top[..., 1])[top[..., 0] > 0].min().item())

    hooks = [m.register_forward_hook(relu if isinstance(m, torch.nn.ReLU) else pool) for m in net.modules()
             if isinstance(m, (torch.nn.ReLU, Pool))]
    for training in (True, False):
        with torch.no_grad():
            fill(net).double().train(training)({k: tensor(f"{case}/{k}", (n, *s)) for k, s in net.ports.items()})
    for h in hooks:
        h.remove()
    return min(close)


def record_layers(out, meta):
    for case, (n, table) in layer_cases().items():
        meta[case] = table
        out.update(run(case, n, table))
    net = Net(default_table())
    best = max((f"encoder{i}" for i in range(40)), key=lambda case: margin(case, 2, net))
    print(best, "keeps", margin(best, 2, net), "from the kinks")
    meta[best] = default_table()
    out.update(brief(best, run(best, 2, meta[best])))


def record_training(out, meta, name, table, pairs):
    meta[name] = table
    loss, rate, logit = train(table, torch.float64, pairs)
    others = [train(table, torch.float32, pairs)] + [train(table, torch.float64, pairs, i) for i in range(3)]
    growth = np.maximum.accumulate(np.max([abs(o[0] - loss) for o in others], axis=0))
    out.update({f"{name}/loss": loss, f"{name}/rate": rate, f"{name}/logit": logit, f"{name}/growth": growth})
    for step in range(0, STEPS, 7):
        print(f"{name} {step:2}: loss {loss[step]:.6f}, rounding {growth[step]:.1e}, of float32 {abs(others[0][0] - loss)[step]:.1e}")


def main():
    full = "--default" in sys.argv[1:]
    paths = [a for a in sys.argv[1:] if a != "--default"]
    path = paths[0] if paths else os.path.join(os.path.dirname(os.path.abspath(__file__)), "nn.safetensors")
    out, meta = {}, {}
    if not full:
        torch.set_num_threads(1)
        record_layers(out, meta)
        record_training(out, meta, "smooth", small_table(act="silu", pool="gem"), PAIRS)
    record_training(out, meta, "kinked", default_table() if full else small_table(), PAIRS)
    texts = {k: json.dumps(v, separators=(",", ":")) for k, v in meta.items()}
    save_file({k: np.ascontiguousarray(v, np.float32) for k, v in out.items()}, path, texts)
    print(path, os.path.getsize(path), "bytes,", len(meta), "tables; torch", torch.__version__)


if __name__ == "__main__":
    main()
