#!/bin/bash
# cryolex nearest: against a plain double loop; files of both kinds; one process and several; what is refused.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
cryolex=${CRYOLEX:?the program to test}
out=$tap_tmp/out err=$tap_tmp/err
mkdir "$tap_tmp/w" && cd "$tap_tmp/w" || exit 99
run_ranks() { n=$1; shift; run 0 mpirun --allow-run-as-root --oversubscribe -n "$n" "$cryolex" nearest -q -j 1 "$@"; }

# Matrices: q 20 x 24; a.npy, b.npy (float16), c.npy, the whole in all.npy; want.tsv: the ten best by a plain loop. Rows come twice.
python3 - <<'PY' || exit 99
import random, struct
random.seed(5)
D, B = 24, 20
def half(x): return struct.unpack("<e", struct.pack("<e", x))[0]
def row(): return [half(random.gauss(0, 1)) for _ in range(D)]
def write(path, rows, code="f", version=1):
    head = "{'descr': '<%s', 'fortran_order': False, 'shape': (%d, %d), }" % ("f4" if code == "f" else "f2", len(rows), D)
    pad = -(len(head) + 1 + (10 if version == 1 else 12)) % 64
    head = (head + " " * pad + "\n").encode()
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY" + bytes([version, 0]) + (struct.pack("<H", len(head)) if version == 1 else struct.pack("<I", len(head))) + head)
        for r in rows: f.write(struct.pack("<%d%s" % (D, code), *r))
q, a, b, c = [row() for _ in range(B)], [row() for _ in range(300)], [row() for _ in range(333)], [row() for _ in range(1)]
b[100:120] = a[40:60]; c[0] = a[50]
write("q.npy", q); write("q3.npy", q[:3]); write("a.npy", a); write("b.npy", b, "e"); write("c.npy", c, version=2); write("all.npy", a + b + c); write("none.npy", [])
with open("want.tsv", "w") as f:
    print("query\trank\tid\tscore", file=f)
    for i, x in enumerate(q):
        s = [(-sum(p * r for p, r in zip(x, y)), j) for j, y in enumerate(a + b + c)]
        for k, (v, j) in enumerate(sorted((round(v, 4), j) for v, j in s)[:10]): print(i, k + 1, j, "%.3f" % -v, sep="\t", file=f)
good = open("a.npy", "rb").read()
open("short.npy", "wb").write(good[:-1]); open("head.npy", "wb").write(good[:40]); open("text.npy", "w").write("no vectors\n")
open("f8.npy", "wb").write(good.replace(b"<f4", b"<f8")); open("order.npy", "wb").write(good.replace(b"False", b"True "))
open("vast.npy", "wb").write(good.replace(b"(300, 24), }  ", b"(99999999999, 24), }"[:14]))
open("nan.npy", "wb").write(good[:-96 * 9] + b"\0\0\xc0\x7f" + good[4 - 96 * 9:])
PY

plain_loop() { # ranks and rows; scores to three digits
    run 0 "$cryolex" nearest -q -Q q.npy all.npy || { cat "$err"; return 1; }
    cp "$out" all.tsv
    cut -f 1-3 all.tsv >x && cut -f 1-3 want.tsv | cmp - x || return 1
    paste <(cut -f 4 all.tsv) <(cut -f 4 want.tsv) | awk 'NR > 1 && !(($1 - $2) ^ 2 < 2e-6) { print; bad = 1 } END { exit bad || NR != 201 }'
}
few() { # the other first pass gives the same lines
    run 0 "$cryolex" nearest -q -Q q3.npy all.npy && head -n 31 all.tsv | cmp - "$out"
}
kernels() {
    for k in ref vec avx2; do CRYOLEX_KERNEL=$k run 0 "$cryolex" nearest -q -Q q.npy all.npy && cmp all.tsv "$out" || return 1; done
}
parts() { # files, with float16 among them, an empty one, and ids that start anew in each
    run 0 "$cryolex" nearest -q -Q q.npy a.npy none.npy b.npy c.npy && cp "$out" parts.tsv || { cat "$err"; return 1; }
    awk -F '\t' 'NR > 1 { $3 += $5 == "b.npy" ? 300 : $5 == "c.npy" ? 633 : 0; $5 = "all.npy" } 1' OFS='\t' parts.tsv | sed 's/\tfile\tall.npy/\tfile/' | cmp - all.tsv
}
ranks() {
    for n in 1 2 4; do
        run_ranks "$n" -Q q.npy all.npy && cmp all.tsv "$out" && run_ranks "$n" -Q q.npy a.npy none.npy b.npy c.npy && cmp parts.tsv "$out" || return 1
    done
}
rank_fails() { # one rank's file is bad: the run ends, with the reason
    run 3 mpirun --allow-run-as-root --oversubscribe -n 2 "$cryolex" nearest -q -Q q.npy a.npy nan.npy && grep -q 'nan.npy: row 591' "$err"
}
more_than_there_is() { run 0 "$cryolex" nearest -q -k 50 -Q q3.npy c.npy && [ "$(wc -l <"$out")" -eq 4 ]; }
embeddings() { # of cryolex embed and index build, with their ids
    mkdir m && for k in 1 2 3; do
        awk -v k="$k" 'BEGIN { for (i = 1; i <= 60; i++)
            printf "ATOM  %5d  CA  ALA A%4d    %8.3f%8.3f%8.3f  1.00 20.00           C\n", i, i, 3 * k * cos(i), 9 * sin(i), 1.5 * i / k }' >"m/m$k.pdb"
    done
    cat >net.json <<'END'
{"inputs": {"cube": [1, 32, 32, 32], "features": [33]}, "layers": [
{"op": "conv", "name": "c", "from": "cube", "out": 8, "side": 3, "stride": 2}, {"op": "relu"}, {"op": "pool", "kind": "mean", "as": "p"},
{"op": "linear", "name": "f0", "from": "features", "out": 8}, {"op": "concat", "with": "p"},
{"op": "linear", "name": "f", "out": 6}, {"op": "l2norm"}]}
END
    run 0 "$cryolex" model new -q --table net.json --features profile,log_rg -o m.st && run 0 "$cryolex" embed -q -m m.st -o e.h5 m && run 0 "$cryolex" embed -q -m m.st -o e.npy m &&
        run 0 "$cryolex" index build -q -m m.st -o i.h5 m && run 0 "$cryolex" nearest -q -k 1 -Q e.h5 i.h5 || { cat "$err"; return 1; }
    printf 'm%d\t1\tm%d\n' 1 1 2 2 3 3 | cmp - <(tail -n +2 "$out" | cut -f 1-3) || return 1
    run 0 "$cryolex" nearest -q -k 2 --format json -Q e.npy e.h5 && grep -qx '{"query":"1","rank":1,"id":"m2","score":1.0,"file":"e.h5"}' "$out"
}
refused() {
    run 2 "$cryolex" nearest -q a.npy && grep -q 'no queries' "$err" && run 3 "$cryolex" nearest -q -Q none.npy a.npy && grep -q 'none.npy: no vector' "$err" || return 1
    while read -r file what; do
        run 3 "$cryolex" nearest -q -Q q.npy "$file" && grep -q "$what" "$err" || { cat "$err"; return 1; }
    done <<'END'
gone.npy gone.npy: No such file
short.npy short.npy: 28927 bytes, too few
head.npy head.npy: a damaged .npy header
text.npy text.npy: no vectors
f8.npy numbers of type '<f8'
order.npy by columns
vast.npy vast.npy: 
nan.npy nan.npy: row 291: a number that is not finite
none.npy none.npy: no vector
END
}

tap "nearest: a plain loop" plain_loop
tap "nearest: few queries" few
tap "nearest: other kernels" kernels
tap "nearest: in several files" parts
if "$cryolex" --version | grep -q ' mpi missing' || ! command -v mpirun >/dev/null 2>&1; then
    tap_skip "nearest: 1, 2 and 4 processes" "no MPI"
    tap_skip "nearest: a process that fails" "no MPI"
else
    tap "nearest: 1, 2 and 4 processes" ranks
    tap "nearest: a process that fails" rank_fails
fi
tap "nearest: fewer rows than hits" more_than_there_is
tap "nearest: embeddings and an index" embeddings
tap "nearest: refused" refused
tap_done
