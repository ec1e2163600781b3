"""A network table (nn/net.h) as a torch.nn.Module, with parameters under the same names. (python3 with torch,
safetensors and numpy from PyPI.)

    net = load("model.safetensors")         # a model file; metadata "network" holds the table
    net = Net(json.loads(table))
    z = net({"cube": (N,1,32,32,32), "features": (N,F)})

Letters: N samples; C channels; D,H,W extent of a volume.
Also here, for tests and benchmarks: noise() and fill(), numbers that C can make too (tests/nn_noise.h), and the loss."""
import json
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F


class Pool(nn.Module):
    """Windows of side^3 every stride voxels; without side, the whole volume into a vector."""

    def __init__(self, kind, side=None, stride=None, eps=1e-6):
        super().__init__()
        self.kind, self.side, self.stride, self.eps = kind, side, stride or side, eps
        if kind == "gem":
            self.p = nn.Parameter(torch.full((1,), 3.0))

    def forward(self, x):
        if self.kind == "gem":
            x = x.clamp(min=self.eps).pow(self.p)
        if self.side is None:
            x = F.adaptive_max_pool3d(x, 1) if self.kind == "max" else F.adaptive_avg_pool3d(x, 1)
            x = x.flatten(1)
        elif self.kind == "max":
            x = F.max_pool3d(x, self.side, self.stride)
        else:
            x = F.avg_pool3d(x, self.side, self.stride)
        return x.pow(1 / self.p) if self.kind == "gem" else x


class LayerNorm(nn.LayerNorm):
    """Of a vector, or of each voxel of a volume over its channels."""

    def forward(self, x):
        return super().forward(x.movedim(1, -1)).movedim(-1, 1)


class Attention(nn.MultiheadAttention):
    """Self-attention over all voxels of (N,C,D,H,W)."""

    def __init__(self, c, heads):
        super().__init__(c, heads, batch_first=True)

    def forward(self, x):
        t = x.flatten(2).transpose(1, 2)
        return super().forward(t, t, t, need_weights=False)[0].transpose(1, 2).reshape(x.shape)


def conv(shape, out, side, stride=1, pad=None, bias=True):
    return nn.Conv3d(shape[0], out, side, stride, side // 2 if pad is None else pad, bias=bias)


def batchnorm(shape, eps=1e-5, momentum=0.1):
    return (nn.BatchNorm3d if len(shape) == 4 else nn.BatchNorm1d)(shape[0], eps, momentum)


OPS = {
    "conv": conv,
    "linear": lambda s, out, bias=True: nn.Linear(s[0], out, bias),
    "groupnorm": lambda s, groups, eps=1e-5: nn.GroupNorm(groups, s[0], eps),
    "batchnorm": batchnorm,
    "layernorm": lambda s, eps=1e-5: LayerNorm(s[0], eps),
    "relu": lambda s: nn.ReLU(),
    "silu": lambda s: nn.SiLU(),
    "gelu": lambda s: nn.GELU(),
    "softmax": lambda s: nn.Softmax(1),
    "pool": lambda s, **kw: Pool(**kw),
    "dropout": lambda s, p: nn.Dropout(p),
    "attention": lambda s, heads: Attention(s[0], heads),
    "flatten": lambda s: nn.Flatten(1),
}


class Net(nn.Module):
    """Layers run in the order of the table; self.plan holds (call, from, as), call a module's name or a function."""

    def __init__(self, table):
        super().__init__()
        self.ports = {k: tuple(v) for k, v in table["inputs"].items()}
        shapes, last = dict(self.ports), None
        self.plan = []
        for i, row in enumerate(table["layers"]):
            row = dict(row)
            op, label = row.pop("op"), f"layer {i}"
            src, name, as_ = row.pop("from", last), row.pop("name", f"op{i}"), row.pop("as", None)
            if op in ("add", "concat"):
                args = row.pop("with")
                args = [args] if isinstance(args, str) else args
                call = (op, args)
                shape = shapes[src] if op == "add" else (sum(shapes[a][0] for a in [src, *args]),)
            elif op == "l2norm":
                call, shape = (op, row.pop("eps", 1e-12)), shapes[src]
            else:
                module = OPS[op](shapes[src], **row)
                row = {}
                self.add_module(name, module)
                call, shape = (name, None), self.shape(module, shapes[src])
            assert not row, f"{label}: {row}"
            out = as_ or label
            assert out not in shapes, out
            shapes[out] = shape
            self.plan.append((call, src, out))
            last = out
        self.out_shape = shapes[last]

    @staticmethod
    def shape(module, shape):
        with torch.no_grad():
            training, module.training = module.training, False
            y = module(torch.zeros(1, *shape))
            module.training = training
        return tuple(y.shape[1:])

    def forward(self, inputs):
        x = dict(inputs)
        for (call, arg), src, out in self.plan:
            if call == "add":
                y = x[src] + x[arg[0]]
            elif call == "concat":
                y = torch.cat([x[src], *(x[a] for a in arg)], 1)
            elif call == "l2norm":
                y = F.normalize(x[src], dim=1, eps=arg)
            else:
                y = getattr(self, call)(x[src])
            x[out] = y
        return y


def load(path):
    """The network of a model file, for inference."""
    from safetensors import safe_open
    from safetensors.torch import load_file
    with safe_open(path, "pt") as f:
        net = Net(json.loads(f.metadata()["network"]))
    net.load_state_dict(load_file(path), strict=True)
    return net.eval()


def noise(name, shape):
    """float32 in [-1, 1) by a hash of name and index; tests/nn_noise.h has the same in C."""
    seed = 2166136261
    for byte in name.encode():  # FNV-1a
        seed = (seed ^ byte) * 16777619 & 0xffffffff
    i = np.arange(math.prod(shape), dtype=np.uint32)
    with np.errstate(over="ignore"):
        h = i * np.uint32(0x9e3779b1) ^ np.uint32(seed)
        h = (h ^ h >> np.uint32(16)) * np.uint32(0x85ebca6b)
        h = (h ^ h >> np.uint32(13)) * np.uint32(0xc2b2ae35)
        h = h ^ h >> np.uint32(16)
    return ((h >> np.uint32(8)).astype(np.float32) * np.float32(2**-23) - np.float32(1)).reshape(shape)


def value(name, shape):
    """A parameter as fill() sets it, float32."""
    u = noise(name, shape)
    if len(shape) > 1:
        return u * np.float32(math.sqrt(6 / math.prod(shape[1:])))
    if name.endswith(".p"):
        return 3 + u * np.float32(0.5)
    if name.endswith("weight"):
        return 1 + u * np.float32(0.25)
    if name.endswith("running_var"):
        return 1 + u * np.float32(0.5)
    return u * np.float32(0.25)


def fill(net):
    with torch.no_grad():
        for k, t in net.state_dict().items():
            if t.is_floating_point():
                t.copy_(torch.from_numpy(np.asarray(value(k, tuple(t.shape)), np.float32)))
    return net


def info_nce(z, t):
    """Two-sided InfoNCE: z (2M,d), rows i and M+i two views of one entry; logits are exp(t) z.z'."""
    a, b = z.chunk(2)
    logits = t.exp() * (a @ b.T)
    truth = torch.arange(len(a))
    return (F.cross_entropy(logits, truth) + F.cross_entropy(logits.T, truth)) / 2
