"""Compile sources of the program into a shared library, for comparison with other implementations.

Each parity script calls build(); $CC and $CFLAGS are honoured."""
import ctypes
import os
import shlex
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def build(*sources):
    """Library of the given sources (paths from the top of the tree)."""
    out = os.path.join(tempfile.mkdtemp(), "parity.so")
    flags = shlex.split(os.environ.get("CFLAGS", "-O3"))
    subprocess.run([os.environ.get("CC", "cc"), *flags, "-std=gnu11", "-fPIC", "-shared", "-fopenmp",
                    "-fno-math-errno", "-fno-trapping-math", "-I", ROOT, "-o", out,
                    *(os.path.join(ROOT, s) for s in sources), "-lm"], check=True)
    return ctypes.CDLL(out)


class Err(ctypes.Structure):
    """err_t"""
    _fields_ = [("code", ctypes.c_int), ("msg", ctypes.c_char * 512)]
