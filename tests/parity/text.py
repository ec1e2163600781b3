#!/usr/bin/env python3
"""cryolex encode-text against sentence-transformers: tokens and vectors of 500 texts.

  python3 tests/parity/text.py CRYOLEX DATA MODEL...                 writes text.tsv beside it; needs sentence-transformers (PyPI)
  python3 tests/parity/text.py --code-points CRYOLEX MODEL...        tokens of every Unicode character

DATA is the folder of real data (../shared/data), MODEL a folder that scripts/fetch-text-model made. The texts are those of
text_lines.py; none that is taken from the data is written here. The program runs once over the list with --tokens and once with
-o FILE.npy, so that texts of all lengths stand in one batch, as it is (fixed) and with --float; sentence-transformers runs in its
own batches of 32. Lines of text.tsv that begin with "#", the first aside, are kept: what --code-points found stands there.

Columns: model; sums, fixed or float; texts: kind of texts; how many; longest, in tokens; how many have other tokens; worst cosine, and largest
difference of an element, over the texts. The status is 1 when tokens differ or a cosine is below 0.99999.

--code-points: "a", the character, "b" as one text and with blanks between, for every code point that UTF-8 has. Unicode gains
characters each year, and the two libraries are not of the same year."""
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
os.environ.setdefault("HF_HUB_OFFLINE", "1")
import numpy as np
import sentence_transformers
import transformers

import text_lines

LIMIT = 0.99999


def run(program, *args):
    p = subprocess.run([program, "encode-text", "-q", *args], capture_output=True, check=False)
    if p.returncode:
        sys.exit(p.stderr.decode(errors="replace"))
    return p.stdout.decode()


def tokens(program, model, texts):
    """The ids of each text, by the program."""
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="", suffix=".txt") as f:
        f.writelines(t + "\n" for t in texts)
        f.flush()
        out = run(program, "-m", model, "--tokens", "-l", f.name)
    rows = out.split("\n")[1:-1]
    assert len(rows) == len(texts), (len(rows), len(texts))
    return [[int(i) for i in r.split("\t")[-2].split()] for r in rows]


def vectors(program, model, texts, *flags):
    with tempfile.TemporaryDirectory() as d:
        source, out = os.path.join(d, "texts"), os.path.join(d, "z.npy")
        with open(source, "w", encoding="utf-8", newline="") as f:
            f.writelines(t + "\n" for t in texts)
        run(program, "-m", model, "-l", source, "-o", out, *flags)
        return np.load(out)


def their_tokens(model, texts):
    """Ids as the model's own preprocessing makes them, truncation included."""
    return model.tokenizer(texts, truncation=True, max_length=model.max_seq_length, padding=False)["input_ids"]


def kinds(data):
    own, every = text_lines.own(), text_lines.all_lines(data)
    titles = (len(every) - len(own)) // 2
    return every, [("own", 0, len(own)), ("titles", len(own), len(own) + titles), ("captions", len(own) + titles, len(every)),
                   ("all", 0, len(every))]


def compare(program, data, folder, table):
    model = sentence_transformers.SentenceTransformer(folder, device="cpu")
    texts, parts = kinds(data)
    assert not any(c in t for t in texts for c in "\n\r\0")
    theirs, ours = their_tokens(model, texts), tokens(program, folder, texts)
    sample = model.preprocess(texts[:40])  # what encode() itself does to a batch
    for row, mask, ids in zip(sample["input_ids"].tolist(), sample["attention_mask"].tolist(), theirs):
        assert row[:sum(mask)] == ids, "their tokens in two ways"
    other = np.array([a != b for a, b in zip(ours, theirs)])
    want = model.encode(texts, batch_size=32, convert_to_numpy=True, show_progress_bar=False).astype(float)
    good = not other.any()
    for sums, flags in (("fixed", []), ("float", ["--float"])):
        z = vectors(program, folder, texts, *flags).astype(float)
        assert z.shape == want.shape and np.isfinite(z).all(), (z.shape, want.shape)
        cosine = (z * want).sum(1) / np.linalg.norm(z, axis=1) / np.linalg.norm(want, axis=1)
        for i in np.flatnonzero(other | ~(cosine >= LIMIT))[:20]:
            print(f"{os.path.basename(folder)}: {sums}: text {i}: cosine {cosine[i]:.7f}\n  {texts[i][:200]!r}\n  ours   {ours[i][:40]}\n"
                  f"  theirs {theirs[i][:40]}", file=sys.stderr)
        for name, a, b in parts:
            table.append(f"{os.path.basename(folder.rstrip('/'))}\t{sums}\t{name}\t{b - a}\t{max(len(t) for t in theirs[a:b])}\t"
                         f"{other[a:b].sum()}\t{cosine[a:b].min():.8f}\t{abs(z - want)[a:b].max():.1e}")
            print(table[-1], flush=True)
        good = good and bool((cosine >= LIMIT).all())
    return good


def code_points(program, folder):
    model = sentence_transformers.SentenceTransformer(folder, device="cpu")
    points = [c for c in range(1, 0x110000) if not 0xd800 <= c < 0xe000 and c not in (10, 13)]
    bad = []
    for n in range(0, len(points), 65536):
        part = points[n:n + 65536]
        texts = [f"a{chr(c)}b" for c in part] + [f"a {chr(c)} b" for c in part]
        ours, theirs = tokens(program, folder, texts), their_tokens(model, texts)
        bad += sorted({part[i % len(part)] for i in range(len(texts)) if ours[i] != theirs[i]})
    print(f"{os.path.basename(folder)}: {len(points)} characters, {len(bad)} with other tokens: "
          + " ".join(f"U+{c:04X}" for c in bad[:200]))
    return not bad


def main():
    args = sys.argv[1:]
    if len(args) < 3:
        sys.exit(__doc__)
    if args[0] == "--code-points":
        return 0 if all([code_points(args[1], m) for m in args[2:]]) else 1
    path = os.path.join(os.path.dirname(os.path.realpath(__file__)), "text.tsv")
    table = [f"# sentence-transformers {sentence_transformers.__version__}, transformers {transformers.__version__}"]
    with open(path, encoding="utf-8") as f:
        table += [line.rstrip("\n") for line in f if line.startswith("#")][1:]
    table.append("model\tsums\ttexts\tnumber\tlongest\tother_tokens\tworst_cosine\tlargest_difference")
    good = all([compare(args[0], args[1], m, table) for m in args[2:]])
    with open(path + ".tmp", "w", encoding="utf-8") as f:
        f.writelines(line + "\n" for line in table)
    os.replace(path + ".tmp", path)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
