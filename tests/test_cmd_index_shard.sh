#!/bin/bash
# cryolex index build by shards and by several processes: the bytes of one run, whatever the split; what is refused.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
. "${srcdir:-.}/tests/made_world.sh"
cryolex=${CRYOLEX:?the program to test}
err=$tap_tmp/err
mkdir "$tap_tmp/w" && cd "$tap_tmp/w" || exit 99

mkdir models annot
ids=(1aaa 2bbb 3ccc 4ddd 5eee 6fff 7ggg)
for k in 1 2 3 4 5 6 7; do
    ca_atoms 60 "(3 + $k) * cos(i)" "9 * sin(i)" "1.5 * i / $k" >"models/${ids[k - 1]}.pdb"
done
echo broken >models/3ccc.pdb
{
    printf 'id\tpath\tcaption\n'
    for id in "${ids[@]}"; do printf '%s\tmodels/%s.pdb\tof %s\n' "$id" "$id" "$id"; done
    printf '2bbb\tmodels/1aaa.pdb\tagain\n'
} >list.tsv
small_net
some_terms
printf 'pdb_id\tgo_ids\n1aaa\tGO:0005488\n2bbb\tGO:0016787\n5eee\tGO:0003824;GO:0005488\n7ggg\tGO:0016787\n' >annot/pdb_go_entry.tsv
printf 'pdb_id\tchain\tec\n2bbb\tA\t3.2.1.17\n6fff\tA\t3.2.1.18\n' >annot/pdb_ec.tsv
printf 'pdb_id\tchain\tpfam\n4ddd\tA\tPF00042\n' >annot/pdb_pfam.tsv
printf 'pdb_id\ttitle\tmolecule_names\tclassification\torganism\tmethod\n2bbb\tA title\t\t\t\t\n' >annot/pdb_names.tsv
"$cryolex" model new -q --table net.json --features profile,log_rg -o m.st || exit 99
full=(-m m.st --annot annot)

whole() { # two entries are left out: one is broken, one comes twice
    run 1 "$cryolex" index build -q "${full[@]}" -o whole.h5 list.tsv && run 1 "$cryolex" index build -q -o plain.h5 list.tsv &&
        run 1 "$cryolex" index build -q "${full[@]}" --compact -o compact.h5 list.tsv && run 1 "$cryolex" index build -q "${full[@]}" --float32 -o float.h5 list.tsv &&
        run 0 "$cryolex" index info whole.h5 && grep -q '^entries	6$' "$tap_tmp/out"
}
# shards N ARGUMENT...: build them; those of broken entries end with 1
shards() {
    n=$1
    shift
    rm -f s-*.h5
    for ((i = 1; i <= n; i++)); do
        "$cryolex" index build -q "$@" --shard "$i/$n" -o "s-$i.h5" list.tsv 2>"$err" || [ $? -eq 1 ] || { cat "$err"; return 1; }
    done
}
merged() { # in whatever order the shards are given
    for n in 1 2 4; do
        shards "$n" "${full[@]}" || return 1
        run 0 "$cryolex" index merge -q -o x.h5 s-*.h5 && cmp x.h5 whole.h5 && run 0 "$cryolex" index merge -q --compact -o x.h5 $(ls -r s-*.h5) &&
            cmp x.h5 compact.h5 && run 0 "$cryolex" index merge -q --float32 -o x.h5 s-*.h5 && cmp x.h5 float.h5 || { cat "$err"; return 1; }
    done
    shards 2 && run 0 "$cryolex" index merge -q -o x.h5 s-2.h5 s-1.h5 && cmp x.h5 plain.h5
}
slurm() { # an array of 3 tasks, numbered 4, 6, 8
    rm -f s-*.h5
    for i in 4 6 8; do
        SLURM_ARRAY_TASK_ID=$i SLURM_ARRAY_TASK_MIN=4 SLURM_ARRAY_TASK_STEP=2 SLURM_ARRAY_TASK_COUNT=3 \
            "$cryolex" index build -q "${full[@]}" --shard slurm -o "s-$i.h5" list.tsv 2>"$err" || [ $? -eq 1 ] || return 1
    done
    run 0 "$cryolex" index merge -q -o x.h5 s-*.h5 && cmp x.h5 whole.h5
}
missing() {
    shards 4 "${full[@]}" && rm s-2.h5 && run 3 "$cryolex" index merge -q -o y.h5 s-*.h5 && grep -q 'shard 2/4 is missing' "$err" && [ ! -e y.h5 ] || return 1
    run 0 "$cryolex" index merge -q --partial -o y.h5 s-*.h5 && run 0 "$cryolex" index info y.h5 && grep -q '^entries	4$' "$tap_tmp/out"
}
nothing_in_it() { # the only entry of a shard is broken, or there is none
    run 3 "$cryolex" index build -q --shard 3/8 -o z.h5 list.tsv && grep -q 'nothing to index' "$err" && run 3 "$cryolex" index build -q --shard 9/9 -o z.h5 list.tsv &&
        [ ! -e z.h5 ]
}
mixed() {
    shards 2 "${full[@]}" && run 0 "$cryolex" index info s-2.h5 && grep -q '^shard	2/2$' "$tap_tmp/out" && grep -q '^manifest_items	8$' "$tap_tmp/out" || return 1
    run 3 "$cryolex" index merge -q -o y.h5 s-1.h5 whole.h5 && grep -q 'whole.h5: no shard' "$err" &&
        run 3 "$cryolex" index merge -q -o y.h5 whole.h5 s-1.h5 && grep -q 's-1.h5: shard 1 of 2' "$err" &&
        run 3 "$cryolex" index merge -q -o y.h5 s-1.h5 s-1.h5 && grep -q 'occurs twice' "$err" && run 3 "$cryolex" index update -q s-1.h5 list.tsv && grep -q 'a shard' "$err"
}
refused() {
    for s in 0/3 4/3 3 a/b 1/0 1/3x -1/3 /3 ''; do run 2 "$cryolex" index build -q --shard "$s" -o y.h5 list.tsv && grep -q -- '--shard' "$err" || return 1; done
    run 2 env -u SLURM_ARRAY_TASK_ID "$cryolex" index build -q --shard slurm -o y.h5 list.tsv && grep -q 'no task of a Slurm array' "$err" &&
        run 2 env SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_COUNT=3 "$cryolex" index build -q --shard slurm -o y.h5 list.tsv &&
        run 2 "$cryolex" index build -q --shard 1/2 --compact -o y.h5 list.tsv && grep -q 'give --compact' "$err"
}
ranks() { # and nothing is left behind
    for n in 1 2 4; do
        run 1 mpirun --allow-run-as-root --oversubscribe -n "$n" "$cryolex" index build -q -j 1 "${full[@]}" -o r.h5 list.tsv && cmp r.h5 whole.h5 || { cat "$err"; return 1; }
        [ "$(grep -c 'left out' "$err")" -eq 2 ] && [ -z "$(find . -name 'r.h5.*')" ] || { cat "$err"; return 1; }
    done
    run 1 mpirun --allow-run-as-root --oversubscribe -n 2 "$cryolex" index build -q -j 1 "${full[@]}" --compact -o r.h5 list.tsv && cmp r.h5 compact.h5
}
ranks_fail() {
    run 3 mpirun --allow-run-as-root --oversubscribe -n 2 "$cryolex" index build -q -o r.h5 none.tsv && grep -q 'none.tsv' "$err" || return 1
    run 2 "$cryolex" index build -q --shard 1/2 --shard 3/2 -o r.h5 list.tsv
}

tap "index: in one" whole
tap "index: shards" merged
tap "index: shards of a Slurm array" slurm
tap "index: a shard is missing" missing
tap "index: a shard without entries" nothing_in_it
tap "index: shards beside others" mixed
tap "index: shards refused" refused
if "$cryolex" --version | grep -q ' mpi missing' || ! command -v mpirun >/dev/null 2>&1; then
    tap_skip "index: 1, 2 and 4 processes" "no MPI"
    tap_skip "index: processes that fail" "no MPI"
else
    tap "index: 1, 2 and 4 processes" ranks
    tap "index: processes that fail" ranks_fail
fi
tap_done
