#!/usr/bin/env python3
"""What a map is, and what it does, by libcryolex from Python: ctypes and NumPy, nothing else.

    annotate.py MAP.mrc

The map is read here, into a NumPy array, to show that any array can be asked about. MAP is MRC of mode 2, little-endian, axes x, y, z, as
`cryolex convert` writes it. CRYOLEX_LIBRARY names the library, where it is not on the system's path.
"""
import ctypes as c
import os
import sys

import numpy as np

TEXT, SIZE, REAL = c.c_char_p, c.c_size_t, c.c_double


def structure(**members):
    """A ctypes structure of these members, in order."""
    return type("Structure", (c.Structure,), {"_fields_": list(members.items())})


# As cryolex.h has them.
Err = structure(code=c.c_int, msg=c.c_char * 512)
Entry = structure(id=TEXT, title=TEXT, method=TEXT, molecules=TEXT, organisms=TEXT, resolution=REAL, rg=REAL, volume=REAL)
Hit = structure(entry=c.POINTER(Entry), row=SIZE, score=REAL, confidence=REAL, cosine=REAL, cube=REAL, dlog_rg=REAL)
Term = structure(kind=c.c_int, space=TEXT, id=TEXT, name=TEXT, confidence=REAL, vote=REAL, text=REAL, hits=SIZE, nearest=SIZE, rank=SIZE * 3)

ANY, ERR, SIZES = c.c_void_p, c.POINTER(Err), c.POINTER(SIZE)
lib = c.CDLL(os.environ.get("CRYOLEX_LIBRARY", "libcryolex.so.0"))
for name, result, *arguments in [
    ("clx_open", ANY, TEXT, TEXT, ERR),
    ("clx_close", None, ANY),
    ("clx_query_array", ANY, ANY, ANY, SIZE, SIZE, SIZE, REAL * 3, c.POINTER(REAL), ERR),
    ("clx_query_embeddings", c.POINTER(c.c_float), ANY, SIZES, SIZES),
    ("clx_query_free", None, ANY),
    ("clx_embeddings", c.POINTER(c.c_float), ANY, SIZES, SIZES),
    ("clx_annotate", ANY, ANY, ANY, ANY, ERR),
    ("clx_annotation_hits", ANY, ANY),
    ("clx_annotation_count", SIZE, ANY),
    ("clx_annotation_at", c.POINTER(Term), ANY, SIZE),
    ("clx_annotation_free", None, ANY),
    ("clx_hits_count", SIZE, ANY),
    ("clx_hits_at", c.POINTER(Hit), ANY, SIZE),
]:
    function = getattr(lib, name)
    function.restype, function.argtypes = result, arguments


def call(function, *arguments):
    """A function whose last argument is the error."""
    err = Err()
    result = function(*arguments, c.byref(err))
    if not result:
        raise RuntimeError(err.msg.decode())
    return result


def matrix(function, handle):
    """What clx_embeddings or clx_query_embeddings gives, as an array of its own."""
    rows, columns = SIZE(), SIZE()
    data = function(handle, c.byref(rows), c.byref(columns))
    return np.ctypeslib.as_array(data, (rows.value, columns.value)).copy()


def read_mrc(path):
    """The map as an array (nz, ny, nx) and its voxel size along x, y, z."""
    header = np.fromfile(path, "<i4", 256)
    if header[3] != 2 or tuple(header[16:19]) != (1, 2, 3):
        raise RuntimeError(f"{path}: mode {header[3]} (2, with axes x, y, z, is wanted)")
    data = np.fromfile(path, "<f4", offset=1024 + header[23])
    return data.reshape(header[2::-1]), header.view("<f4")[10:13] / header[7:10]


def main():
    density, voxel = read_mrc(sys.argv[1])
    density = np.ascontiguousarray(density, np.float32)
    nz, ny, nx = density.shape
    index = call(lib.clx_open, None, None)
    query = call(lib.clx_query_array, index, density.ctypes.data, nx, ny, nz, (REAL * 3)(*voxel), None)
    told = call(lib.clx_annotate, index, query, None)
    hits = lib.clx_annotation_hits(told)
    for i in range(min(10, lib.clx_hits_count(hits))):
        hit = lib.clx_hits_at(hits, i).contents
        entry = hit.entry.contents
        print("entry", entry.id.decode(), f"{hit.confidence:.3f}", entry.title.decode(), sep="\t")
    for i in range(lib.clx_annotation_count(told)):
        term = lib.clx_annotation_at(told, i).contents
        print(term.space.decode(), term.id.decode(), f"{term.confidence:.3f}", term.name.decode(), sep="\t")

    # The same by hand: cosines of the query's poses with all entries, and the nearest by these alone.
    cosine = (matrix(lib.clx_embeddings, index) @ matrix(lib.clx_query_embeddings, query).T).max(axis=1)
    best = lib.clx_hits_at(hits, 0).contents
    print(f"cosine of the first hit: {best.cosine:.4f}, by NumPy {cosine[best.row]:.4f}", file=sys.stderr)
    lib.clx_annotation_free(told)
    lib.clx_query_free(query)
    lib.clx_close(index)


if len(sys.argv) != 2:
    sys.exit(__doc__)
main()
