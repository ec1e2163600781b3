#!/usr/bin/env python3
"""A model file in PyTorch: the embeddings of real entries against those of the program.
(python3 with torch, safetensors and numpy from PyPI.)

    make tests/dump_embed && tests/dump_embed MODEL OUT.safetensors FILE...
    embed.py MODEL OUT.safetensors

Prints, for the mean over the four frames and for one frame: entries, smallest cosine, largest difference of a number.
"""
import sys

import torch
from safetensors.torch import load_file

from nn_torch import load

# Half turns about x, y, z of cubes (n,z,y,x): the axes that they reverse.
TURNS = [(), (1, 2), (1, 3), (2, 3)]


def main():
    model, dump = sys.argv[1:3]
    net, t = load(model), load_file(dump)
    with torch.no_grad():
        frames = [net({"cube": t["cubes"].flip(turn).unsqueeze(1), "features": t["features"]}) for turn in TURNS]
    mean = torch.nn.functional.normalize(torch.stack(frames).double().sum(0), dim=1)
    print("what\tentries\tcosine_min\tdifference_max\tfour_against_one_frame_cosine_median")
    spread = (t["embeddings"].double() * t["one_frame"].double()).sum(1).median()
    for name, ours in (("embeddings", mean), ("one_frame", frames[0].double())):
        theirs = t[name].double()
        cosine = (ours * theirs).sum(1) / ours.norm(dim=1) / theirs.norm(dim=1)
        print(f"{name}\t{len(ours)}\t{cosine.min():.9f}\t{(ours - theirs).abs().max():.2e}\t{spread:.5f}")
        if not cosine.min() >= 0.99999:
            sys.exit(f"{name}: not the same")


if __name__ == "__main__":
    main()
