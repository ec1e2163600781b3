#!/usr/bin/env python3
"""nn/stfile against the safetensors package, both ways, and its verdict on files with one fault each.

  python3 tests/parity/stfile.py > tests/parity/stfile.tsv    needs torch, safetensors (PyPI), libjansson.so.4

tensor  a tensor written by one and read by the other: name, dtype, shape and bytes equal; `floats`: stfile_floats equals
        torch's .float() bit for bit (NaN for NaN), where it applies
file    a header with a fault, and what each of the two says"""
import ctypes
import json
import os
import struct
import sys
import tempfile

import safetensors
import torch
from safetensors.torch import load_file, save_file

from clib import Err, build

ctypes.CDLL("libjansson.so.4", mode=ctypes.RTLD_GLOBAL)
LIB = build("nn/stfile.c", "base/err.c", "base/mem.c", "base/file.c", "base/utf8.c")
NAMES = "F64 F32 F16 BF16 I64 I32 I16 I8 U64 U32 U16 U8 BOOL".split()
TYPES = [torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32, torch.int16, torch.int8,
         torch.uint64, torch.uint32, torch.uint16, torch.uint8, torch.bool]
SHAPES = [(), (0,), (7,), (3, 5), (2, 1, 3, 1, 2)]


class Tensor(ctypes.Structure):
    """sttensor_t"""
    _fields_ = [("name", ctypes.c_char_p), ("type", ctypes.c_int), ("ndim", ctypes.c_size_t),
                ("shape", ctypes.c_size_t * 8), ("count", ctypes.c_size_t), ("data", ctypes.c_void_p)]


class Meta(ctypes.Structure):
    """stmeta_t"""
    _fields_ = [("key", ctypes.c_char_p), ("value", ctypes.c_char_p)]


for name in ("stfile_open", "stfile_find", "stfile_meta"):
    getattr(LIB, name).restype = ctypes.c_void_p
LIB.stfile_find.argtypes = LIB.stfile_meta.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
LIB.stfile_count.argtypes = LIB.stfile_close.argtypes = [ctypes.c_void_p]
LIB.stfile_count.restype = ctypes.c_size_t
LIB.stfile_floats.argtypes = [ctypes.c_void_p] * 4


def raw(t):
    """Bytes of a tensor."""
    return t.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes() if t.numel() else b""


def tensors():
    """One of each type and shape, with every bit pattern where there is room for it."""
    gen = torch.Generator().manual_seed(1)
    out = {}
    for name, dtype in zip(NAMES, TYPES):
        for k, shape in enumerate(SHAPES):
            n = int(torch.tensor(shape).prod()) if shape else 1
            b = torch.randint(0, 2 if dtype == torch.bool else 256, (n * torch.empty((), dtype=dtype).element_size(),),
                              generator=gen, dtype=torch.uint8)
            out[f"{name.lower()}.{k} \u00e9\"\\"] = b.view(dtype).reshape(shape)
    for name, dtype in (("f16", torch.float16), ("bf16", torch.bfloat16)):
        out[name + ".all"] = torch.arange(65536, dtype=torch.int32).to(torch.uint16).view(dtype)
    return out


def ours_read(path):
    err = Err()
    f = LIB.stfile_open(os.fsencode(path), ctypes.byref(err))
    return f, err.msg.decode(errors="replace")


def floats_equal(f, t, want):
    got = torch.empty(t.contents.count, dtype=torch.float32)
    if LIB.stfile_floats(f, t, ctypes.c_void_p(got.data_ptr()), None):
        return "refused"
    want = want.float().reshape(-1)
    same = (got.view(torch.int32) == want.view(torch.int32)) | (got.isnan() & want.isnan())
    return "equal" if bool(same.all()) else "DIFFERENT"


def compare(folder):
    all_, meta = tensors(), {"format": "pt", "odd": "{\"a\": [1]} \u20ac\n"}
    save_file(all_, f"{folder}/theirs", metadata=meta)
    f, msg = ours_read(f"{folder}/theirs")
    if not f:
        sys.exit(msg)
    rows = (Tensor * len(all_))()
    assert LIB.stfile_count(f) == len(all_)
    for key, value in meta.items():
        assert ctypes.string_at(LIB.stfile_meta(f, key.encode())).decode() == value
    result = {}
    for i, (name, x) in enumerate(all_.items()):
        t = ctypes.cast(LIB.stfile_find(f, name.encode()), ctypes.POINTER(Tensor))
        c = t.contents
        data = ctypes.string_at(c.data, len(raw(x)))
        good = TYPES[c.type] == x.dtype and tuple(c.shape[:c.ndim]) == tuple(x.shape) and data == raw(x)
        result[name] = ["equal" if good else "DIFFERENT", floats_equal(f, t, x) if c.type < 4 else "-"]
        rows[i] = c
    metas = (Meta * len(meta))(*[(k.encode(), v.encode()) for k, v in meta.items()])
    err = Err()
    if LIB.stfile_write(f"{folder}/ours".encode(), rows, ctypes.c_size_t(len(all_)), metas, ctypes.c_size_t(len(meta)),
                        ctypes.byref(err)):
        sys.exit(err.msg.decode())
    back = load_file(f"{folder}/ours")
    with safetensors.safe_open(f"{folder}/ours", "pt") as g:
        assert g.metadata() == meta
    assert list(back) and set(back) == set(all_)
    print("tensor\tdtype\tshape\ttheirs_to_ours\tours_to_theirs\tfloats")
    for name, x in all_.items():
        y = back[name]
        good = y.dtype == x.dtype and y.shape == x.shape and raw(y) == raw(x)
        print(name.split()[0], str(x.dtype)[6:], list(x.shape), result[name][0], "equal" if good else "DIFFERENT",
              result[name][1], sep="\t")
    LIB.stfile_close(f)


def one(dtype="U8", shape="[1]", offsets="[0,1]", more=""):
    return f'{{"a":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}{more}}}}}'


TWO = '{"a":{"dtype":"U8","shape":[2],"data_offsets":[%d,%d]},"b":{"dtype":"U8","shape":[2],"data_offsets":[%d,%d]}}'
FILES = [
    ("good", one(), 1, None), ("no tensors", "{}", 0, None), ("blanks after", "{}      ", 0, None),
    ("blank before", " {}", 0, None), ("no object", "[]", 0, None), ("cut JSON", "{", 0, None),
    ("text after", "{}x", 0, None), ("length 0", "", 0, None), ("length past the end", "{}", 0, 3),
    ("length past the limit", "{}", 0, (100 << 20) + 1), ("length 2^63", "{}", 0, 1 << 63),
    ("name twice", '{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}', 1,
     None),
    ("dtype twice", '{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}', 1, None),
    ("metadata key twice", '{"__metadata__":{"k":"1","k":"2"}}', 0, None),
    ("metadata with a number", '{"__metadata__":{"k":1}}', 0, None), ("metadata an array", '{"__metadata__":[]}', 0, None),
    ("not UTF-8", '{"\udcff":1}', 0, None), ("unknown dtype", one("X8"), 1, None), ("one more field", one(more=',"x":1'), 1, None),
    ("no shape", '{"a":{"dtype":"U8","data_offsets":[0,1]}}', 1, None), ("negative shape", one(shape="[-1]"), 1, None),
    ("shape 1.0", one(shape="[1.0]"), 1, None), ("shape overflows", one(shape="[4294967296,4294967296]", offsets="[0,0]"), 0, None),
    ("shape overflows, then 0", one(shape="[4294967296,4294967296,0]", offsets="[0,0]"), 0, None),
    ("bytes overflow", one("F64", "[2305843009213693952]", "[0,0]"), 0, None), ("nine dimensions", one(shape="[1,1,1,1,1,1,1,1,1]"), 1,
     None),
    ("offsets reversed", one(offsets="[1,0]"), 1, None), ("offsets and shape differ", one(offsets="[0,2]"), 2, None),
    ("three offsets", one(offsets="[0,1,1]"), 1, None), ("data cut short", one(shape="[2]", offsets="[0,2]"), 1, None),
    ("bytes at the end", one(), 2, None), ("hole before", one(offsets="[1,2]"), 2, None), ("hole between", TWO % (0, 2, 3, 5), 5, None),
    ("overlap", TWO % (0, 2, 1, 3), 3, None), ("the same bytes", TWO % (0, 2, 0, 2), 2, None), ("order of the header", TWO % (2, 4, 0, 2), 4,
     None),
    ("nested 10,000 deep", '{"a":' + "[" * 10000 + "]" * 10000 + "}", 0, None),
]


def verdicts(folder):
    print("file\ttheirs\tours\tours_says")
    for name, header, data, length in FILES:
        header = header.encode(errors="surrogateescape")
        path = f"{folder}/faulty"
        with open(path, "wb") as f:
            f.write(struct.pack("<Q", len(header) if length is None else length) + header + bytes(data))
        try:
            load_file(path)
            theirs = "reads"
        except Exception:  # its own error type, or one of the JSON parser's
            theirs = "refuses"
        f, msg = ours_read(path)
        print(name, theirs, "reads" if f else "refuses", json.dumps(msg.removeprefix(path + ": "), ensure_ascii=False), sep="\t")
        LIB.stfile_close(f)


with tempfile.TemporaryDirectory() as tmp:
    print(f"# safetensors {safetensors.__version__}, torch {torch.__version__.split('+')[0]}")
    compare(tmp)
    verdicts(tmp)
