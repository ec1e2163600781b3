# sweep_world.sh: in the present folder, what tests of cryolex sweep work on: four small maps in maps/, an untrained model and an index of four models in share/.
# shellcheck shell=bash disable=SC2034 # files is of those who source this
. "$top/tests/made_world.sh"
unset CRYOLEX_INDEX CRYOLEX_MODEL SLURM_ARRAY_TASK_ID
export CRYOLEX_SHARE=$PWD/share
mkdir models share annot maps
ids=(1aaa 2bbb 3ccc 4ddd)
for k in 1 2 3 4; do
    ca_atoms 80 "5 * $k * cos(i)" "9 * sin(i) + 0.1 * i" "1.5 * i / $k" >"models/${ids[k - 1]}.pdb"
    for r in 6 9; do [ $k -gt 2 ] || "$cryolex" simulate -q -r $r "models/${ids[k - 1]}.pdb" "maps/emd_10$k$r.map.gz" || exit 99; done
done
small_net
printf 'go_id\tname\tnamespace\tparents\tobsolete\nGO:0016787\thydrolase activity\tmolecular_function\t\t0\n' >annot/go_terms.tsv
printf 'pdb_id\tgo_ids\n2bbb\tGO:0016787\n' >annot/pdb_go_entry.tsv
printf 'pdb_id\tchain\tec\n2bbb\tA\t3.2.1.17\n' >annot/pdb_ec.tsv
printf 'pdb_id\tchain\tpfam\n2bbb\tA\tPF00042\n' >annot/pdb_pfam.tsv
"$cryolex" model new -q --table net.json --features profile,log_rg -o share/default.safetensors &&
    "$cryolex" model new -q --table net.json --features profile,log_rg --seed 2 -o other.safetensors &&
    "$cryolex" index build -q -m share/default.safetensors --annot annot -o share/default.index.h5 models 2>/dev/null || exit 99
files='results.jsonl results.tsv embeddings.h5 failures.tsv'

# same_as DIR [REFERENCE]: equal bytes.
same_as() { for f in $files; do cmp "${2:-ref}/$f" "$1/$f" || return 1; done; }
field() { awk -F '\t' -v f="$2" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == f) c = i; next } { print $c }' "$1"; }

# Of all items, the distinct numbers.
attempts() { python3 -c 'import sqlite3,sys; print(*[r[0] for r in sqlite3.connect(sys.argv[1] + "/ledger.sqlite").execute("SELECT DISTINCT attempts FROM item ORDER BY 1")])' "$1"; }
