#!/usr/bin/env python3
"""Numbers of PyTorch for tests/test_nn_math.c: softmax, layer normalisation, multi-head attention, InfoNCE, AdamW with
clipping and a moving average, cosine schedule.

  python3 tests/parity/nn_math.py > tests/parity/nn_math.txt    needs torch (PyPI)

A line is a name and its numbers. Inputs are draw(seed, shape), which the test makes for itself: exact in float32."""
import math

import torch
from torch import nn
from torch.nn import functional as F


def draw(seed, *shape):
    """Numbers in -1..1 from a multiplicative hash of their place."""
    i = torch.arange(math.prod(shape), dtype=torch.int64)
    u = (i * 2654435761 + seed * 40503 + 12345) % 2 ** 32
    u = (u ^ (u >> 15)) * 739982445 % 2 ** 32
    return ((u >> 8).float() / 2 ** 23 - 1).reshape(shape)


def leaf(seed, *shape):
    return draw(seed, *shape).requires_grad_()


def put(name, t):
    print(name, *(f"{v:.9g}" for v in torch.as_tensor(t, dtype=torch.float64).detach().reshape(-1).tolist()))


def rows():
    x = leaf(1, 4, 13)
    y = F.softmax(4 * x, 1)
    y.backward(draw(2, 4, 13))
    put("softmax.y", y)
    put("softmax.dx", x.grad / 4)
    x, norm = leaf(3, 3, 24), nn.LayerNorm(24)
    norm.weight.data, norm.bias.data = draw(4, 24), draw(5, 24)
    y = norm(x)
    y.backward(draw(6, 3, 24))
    for name, t in (("y", y), ("dx", x.grad), ("dweight", norm.weight.grad), ("dbias", norm.bias.grad)):
        put("layernorm." + name, t)


def attention(name, t, c, h, keys=None, bias=None):
    m = nn.MultiheadAttention(c, h, batch_first=True)
    w = [m.in_proj_weight, m.in_proj_bias, m.out_proj.weight, m.out_proj.bias]
    for k, p in enumerate(w):
        p.data = draw(10 + k, *p.shape)
    x = leaf(9, 1, t, c)
    pad = None if keys is None else (torch.arange(t) >= keys)[None]
    if pad is not None and bias is not None:
        pad = torch.zeros(1, t).masked_fill(pad, -math.inf)
    y, _ = m(x, x, x, key_padding_mask=pad, attn_mask=bias, need_weights=False)
    y.backward(draw(14, 1, t, c))
    for k, g in zip(("y", "dx", "din_w", "din_b", "dout_w", "dout_b"), [y, x.grad] + [p.grad for p in w]):
        put(f"{name}.{k}", g)


def infonce(name, n, d, both, group):
    a, b, s = leaf(20, n, d), leaf(21, n, d), torch.tensor(2.0, requires_grad=True)
    ua, ub = F.normalize(a), F.normalize(b)
    ua.retain_grad(), ub.retain_grad()
    logits = s.exp() * ua @ ub.T
    positive = group[:, None] == group[None]

    def side(l):
        if positive.sum() == n:
            return F.cross_entropy(l, torch.arange(n))
        p = l - torch.logsumexp(l, 1, keepdim=True)
        return -(p.where(positive, 0.0).sum(1) / positive.sum(1)).mean()
    loss = (side(logits) + side(logits.T)) / 2 if both else side(logits)
    loss.backward()
    for k, g in (("loss", loss), ("da", ua.grad), ("db", ub.grad), ("dscale", s.grad)):
        put(f"{name}.{k}", g)


def adamw():
    w, frozen = nn.Parameter(draw(30, 7)), nn.Parameter(draw(31, 5))
    average = [draw(30, 7), draw(31, 5)]
    opt = torch.optim.AdamW([{"params": [w], "weight_decay": 0.2}, {"params": [frozen], "weight_decay": 0.0}], betas=(0.9, 0.98),
                            eps=1e-6)
    norms = []
    for t in range(20):
        w.grad, frozen.grad = draw(40 + t, 7), draw(60 + t, 5)
        norms.append(float(nn.utils.clip_grad_norm_([w, frozen], 2.0)))
        for group in opt.param_groups:
            group["lr"] = 0.01 * (t + 1)
        opt.step()
        for e, p in zip(average, (w, frozen)):
            e.lerp_(p.data, 1 - min(0.9, (t + 1) / (10 + t)))
    put("adamw.w", torch.cat([w, frozen]))
    put("adamw.m", torch.cat([opt.state[p]["exp_avg"] for p in (w, frozen)]))
    put("adamw.v", torch.cat([opt.state[p]["exp_avg_sq"] for p in (w, frozen)]))
    put("adamw.average", torch.cat(average))
    put("adamw.norm", norms)


def schedule():
    opt = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.3)
    rise = torch.optim.lr_scheduler.LinearLR(opt, 1 / 4, 1.0, 3)
    fall = torch.optim.lr_scheduler.CosineAnnealingLR(opt, 10, 0.02)
    both = torch.optim.lr_scheduler.SequentialLR(opt, [rise, fall], [4])
    rates = []
    for _ in range(14):
        rates.append(opt.param_groups[0]["lr"])
        opt.step()
        both.step()
    put("schedule", rates)


print(f"# torch {torch.__version__.split('+')[0]}")
rows()
attention("attention", 6, 8, 2)
attention("attention_keys", 6, 8, 4, keys=4)
attention("attention_bias", 5, 4, 2, keys=4, bias=draw(15, 2, 5, 5))
one, three = torch.arange(7), torch.tensor([0, 1, 0, 2, 1, 0, 3])
infonce("infonce_one", 7, 5, False, one)
infonce("infonce_two", 7, 5, True, one)
infonce("infonce_one_groups", 7, 5, False, three)
infonce("infonce_two_groups", 7, 5, True, three)
adamw()
schedule()
