"""Tables (nn/net.h) of the voxel encoder: as the program makes it, and in small."""


def residual_encoder(side, features, widths, groups, blocks, stem, fc, act="relu", pool="max"):
    """Rows of the voxel encoder: stem of stride 2, stages at widths, each but the last followed by a halving; a mean and
    another pool."""
    rows = []

    def add(op, **kw):
        rows.append({"op": op, **kw})

    def norm_act(name, **kw):
        add("groupnorm", name=name, groups=groups)
        add(act, **kw)

    add("conv", name="stem", out=widths[0], side=stem, stride=2, bias=False, **{"from": "cube"})
    norm_act("stem_norm", **{"as": "x0"})
    last = "x0"
    for s, width in enumerate(widths, 1):
        for b in range(1, blocks + 1):
            n = f"s{s}b{b}"
            add("conv", name=f"{n}_conv1", out=width, side=3, bias=False)
            norm_act(f"{n}_norm1")
            add("conv", name=f"{n}_conv2", out=width, side=3, bias=False)
            add("groupnorm", name=f"{n}_norm2", groups=groups)
            add("add", **{"with": last})
            last = n
            add(act, **{"as": last})
        if s < len(widths):
            add("conv", name=f"down{s}", out=widths[s], side=3, stride=2, bias=False)
            last = f"down{s}"
            norm_act(f"{last}_norm", **{"as": last})
    add("pool", kind="mean", **{"from": last, "as": "mean"})
    add("pool", kind=pool, **{"from": last, "as": pool}, **({"name": "gem"} if pool == "gem" else {}))
    add("batchnorm", name="features_norm", **{"from": "features"})
    add("linear", name="features_fc", out=fc[0])
    add(act, **{"as": "feat"})
    add("concat", **{"from": "mean", "with": [pool, "feat"]})
    add("linear", name="fc1", out=fc[1])
    add(act)
    add("linear", name="fc2", out=fc[2])
    add("l2norm")
    return {"inputs": {"cube": [1, side, side, side], "features": [features]}, "layers": rows}


def default_table():
    return residual_encoder(32, 154, [32, 64, 128], 8, 2, 5, [64, 384, 256])


def small_table(**kw):
    """The same in small, for tests that run the portable kernels."""
    return residual_encoder(16, 10, [8, 16], 4, 1, 5, [8, 24, 16], **kw)
