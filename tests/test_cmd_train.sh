#!/bin/bash
# cryolex train: a tiny run, its files, an interruption, several processes, the figure, and what is refused.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
cryolex=${CRYOLEX:?the program to test}
plot=$(cd "${srcdir:-.}" && pwd)/scripts/plot-training
cd "$tap_tmp" || exit 99
err=$tap_tmp/err out=$tap_tmp/out

mkdir models
for k in $(seq 1 24); do
    awk -v k="$k" 'BEGIN { for (i = 1; i <= 50; i++)
        printf "ATOM  %5d  CA  ALA A%4d    %8.3f%8.3f%8.3f  1.00 20.00           C\n", i, i,
            (3 + k % 7) * cos(i), (9 + k % 5) * sin(i) + 0.1 * i, 0.2 * (1 + k % 4) * i }' >"models/m$k.pdb"
done
{ printf 'id\tpath\tsplit\n'
  for k in $(seq 1 24); do printf 'm%d\tmodels/m%d.pdb\t%s\n' "$k" "$k" "$([ "$k" -le 18 ] && echo train || echo valid)"; done; } >list.tsv
cat >net.json <<'END'
{"inputs": {"cube": [1, 16, 16, 16], "features": [1]}, "layers": [
{"op": "conv", "name": "c", "from": "cube", "out": 8, "side": 3, "stride": 2}, {"op": "groupnorm", "name": "n", "groups": 2},
{"op": "relu"}, {"op": "pool", "kind": "mean", "side": 2}, {"op": "flatten", "as": "p"},
{"op": "batchnorm", "name": "b", "from": "features"}, {"op": "concat", "with": "p"},
{"op": "linear", "name": "f", "out": 8}, {"op": "l2norm"}]}
END
small=(-d d.h5 --table net.json --batch 8 --warmup 2 --balance 0)

make_dataset() { run 0 "$cryolex" dataset build -q -o d.h5 list.tsv; }

files() {
    run 0 "$cryolex" train -q "${small[@]}" --steps 6 --valid-every 3 -o a.safetensors || return 1
    [ -s a.safetensors.last ] && [ -s a.safetensors.ckpt ] || return 1
    awk -F '\t' 'NF != 26 || NR > 1 && $1 != NR - 1 { exit 1 } END { exit NR != 7 }' a.safetensors.tsv || { cat a.safetensors.tsv; return 1; }
    [ "$(awk -F '\t' 'NR > 1 && $17 != "-" { print $1 }' a.safetensors.tsv | xargs)" = "3 6" ] || return 1
    run 0 "$cryolex" model info a.safetensors && grep -q '^provenance.trained.true$' "$out" && grep -q '^provenance.validation.*"queries":6' "$out" &&
        grep -q '^cube_side.16$' "$out" || { cat "$out"; return 1; }
    run 0 "$cryolex" embed -q -m a.safetensors models/m1.pdb && [ "$(wc -l <"$out")" -eq 2 ]
}
again() { # equal seeds, equal files, on any number of threads
    run 0 "$cryolex" train -q -j 3 "${small[@]}" --steps 6 --valid-every 3 -o b.safetensors && cmp a.safetensors b.safetensors &&
        cmp a.safetensors.ckpt b.safetensors.ckpt || return 1
    run 0 "$cryolex" train -q "${small[@]}" --steps 6 --valid-every 3 --seed 2 -o b.safetensors && ! cmp -s a.safetensors b.safetensors
}
interrupted() { # as soon as there is a row in the log
    "$cryolex" train -q "${small[@]}" --steps 400 --valid-every 0 --check-every 0 -o c.safetensors 2>"$err" &
    pid=$!
    for _ in $(seq 1 600); do
        [ -f c.safetensors.tsv ] && [ "$(wc -l <c.safetensors.tsv)" -gt 3 ] && break
        sleep 0.05
    done
    kill -TERM "$pid"
    rc=0
    wait "$pid" || rc=$?
    [ "$rc" -eq 1 ] && grep -q 'stopped after step [0-9]*; --resume goes on' "$err" || { cat "$err"; return 1; }
    [ ! -e c.safetensors ] && [ "$(wc -l <c.safetensors.tsv)" -lt 400 ] || return 1
    run 0 "$cryolex" train -q "${small[@]}" --steps 400 --valid-every 0 -o c.safetensors --resume || { cat "$err"; return 1; }
    run 0 "$cryolex" train -q "${small[@]}" --steps 400 --valid-every 0 -o d.safetensors && cmp c.safetensors d.safetensors &&
        [ "$(cut -f 1-13 c.safetensors.tsv | cksum)" = "$(cut -f 1-13 d.safetensors.tsv | cksum)" ]
}
started_from() {
    run 0 "$cryolex" train -q "${small[@]}" --steps 1 --rate 0 --floor 0 --valid-every 0 --init a.safetensors -o e.safetensors || { cat "$err"; return 1; }
    run 0 "$cryolex" embed -q -m e.safetensors models/m1.pdb && cp "$out" e.tsv && run 0 "$cryolex" embed -q -m a.safetensors models/m1.pdb || return 1
    awk -F '\t' 'NR == 2 { if (FNR == NR) for (i = 3; i <= NF; i++) a[i] = $i }
        FNR == 2 && FNR != NR { for (i = 3; i <= NF; i++) if ((a[i] - $i) ^ 2 > 1e-3) exit 1 }' e.tsv "$out"
}
ranks() { # two processes are one, to rounding
    run 0 mpirun --allow-run-as-root --oversubscribe -n 2 "$cryolex" train -q -j 1 "${small[@]}" --steps 6 --valid-every 3 -o r.safetensors ||
        { cat "$err"; return 1; }
    paste <(cut -f 3,11 a.safetensors.tsv) <(cut -f 3,11 r.safetensors.tsv) |
        awk 'NR > 1 && !(($1 - $3) ^ 2 < 1e-5 && ($2 - $4) ^ 2 < 1e-3 * $2 ^ 2) { print; bad = 1 } END { exit bad || NR != 7 }'
}
figure() {
    run 0 "$python" "$plot" a.safetensors.tsv -o f.svg && grep -q '<svg' f.svg
}
plot_refuses() { run 1 python3 "$plot" list.tsv && grep -q 'no log of a training run' "$err"; }
refused() {
    run 2 "$cryolex" train -q -o x && grep -q 'no dataset' "$err" && run 2 "$cryolex" train -q -d d.h5 && grep -q 'no output' "$err" &&
        run 2 "$cryolex" train -q -d d.h5 -o d.h5 && grep -q 'is an input' "$err" &&
        run 3 "$cryolex" train -q -d list.tsv -o x && grep -q 'list.tsv: ' "$err" &&
        run 2 "$cryolex" train -q -d d.h5 -o x --width 12 && grep -q -- '--width 12: ' "$err" &&
        run 2 "$cryolex" train -q -d d.h5 -o x --side 17 && grep -q -- '--side 17: ' "$err" &&
        run 2 "$cryolex" train -q -d d.h5 -o x --features size && grep -q -- '--features size: ' "$err" &&
        run 3 "$cryolex" train -q "${small[@]}" --steps 6 -o none --resume && grep -q 'none.ckpt' "$err" &&
        run 2 "$cryolex" train -q "${small[@]}" --steps 7 --valid-every 3 -o a.safetensors --resume && grep -q '"steps": 7' "$err" &&
        run 3 "$cryolex" train -q "${small[@]}" --batch 20 -o x && grep -q 'a batch takes 20' "$err" &&
        run 2 "$cryolex" train -q "${small[@]}" --weight-view 0 -o x && grep -q 'no captions to train on' "$err" && [ ! -e x ]
}

tap "a dataset to train on" make_dataset
tap "train: its files" files
tap "train: the same again" again
tap "train: interrupted and resumed" interrupted
tap "train: from a model" started_from
if "$cryolex" --version | grep -q ' mpi missing' || ! command -v mpirun >/dev/null 2>&1; then
    tap_skip "train: two processes" "no MPI"
else
    tap "train: two processes" ranks
fi
if python=$(python_with matplotlib); then
    tap "plot-training" figure
else
    tap_skip "plot-training" "no matplotlib"
fi
tap "plot-training: another table" plot_refuses
tap "train: refused" refused
tap_done
