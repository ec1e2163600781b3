#!/bin/bash
# cryolex caption on tiny tables: what is printed, the same for any number of threads, what is refused.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
cryolex=${CRYOLEX:?the program to test}
out=$tap_tmp/out err=$tap_tmp/err
unset CRYOLEX_ANNOT
cd "$tap_tmp" || exit 99
mkdir annot && cd annot || exit 99
printf 'go_id\tname\tnamespace\tparents\tobsolete
GO:0003824\tcatalytic activity\tmolecular_function\t\t0
GO:0016787\thydrolase activity\tmolecular_function\tisa=GO:0003824\t0
GO:0003796\tlysozyme activity\tmolecular_function\tisa=GO:0016787\t0
GO:0008289\tlipid binding\tmolecular_function\t\t0
GO:0019835\tcytolysis\tbiological_process\t\t0
GO:0007610\told behavior\tbiological_process\t\t1
GO:0005576\textracellular region\tcellular_component\t\t0
' | gzip >go_terms.tsv.gz
printf 'pdb_id\tgo_ids
1lyz\tGO:0003824;GO:0016787;GO:0003796;GO:0019835;GO:0007610;GO:0005576
2two\tGO:0008289
3gen\tGO:0003824
' >pdb_go_entry.tsv
printf 'pdb_id\ttitle\tmolecule_names\tclassification\torganism\tmethod
1lyz\tNEVER SAID\tLysozyme C | Lysozyme | N-terminal Tags\t\tGALLUS GALLUS\t
2two\tNEVER SAID\tASPARAGINE SYNTHETASE\t\t\t
4nam\tNEVER SAID\tUbiquitin\t\tHomo sapiens; synthetic construct\t
' >pdb_names.tsv
printf 'pdb_id\tec\n1lyz\t3.2.1.17\n1lyz\t3.2.1.-\n' >pdb_ec.tsv
printf 'ec\tname\n3.2.1.17\tlysozyme\n' >ec_names.tsv
printf 'cath\tname\n1\tMainly Alpha\n' >cath_names.tsv
printf 'pdb_id\toligomeric_state\n2two\t2\n' >pdb_oligomer.tsv
for t in pdb_uniprot:uniprot pdb_pfam:pfam; do printf 'pdb_id\t%s\n' "${t#*:}" >"${t%:*}.tsv"; done
printf 'pdb_id\tscheme\tcode\n' >pdb_class.tsv
printf 'pfam\tdescription\n' >pfam_names.tsv
printf 'uniprot\tname\n' >uniprot_names.tsv
: >clusters-by-entity-30.txt
cd .. || exit 99

lyz='Lysozyme C from Gallus gallus (chicken), a lysozyme (EC 3.2.1.17). It takes part in cytolysis. It is found in the extracellular region.'
two='Asparagine synthetase. It binds lipid. It forms a homodimer.'
ubi='Ubiquitin from Homo sapiens (human).'

ids() {
    run 0 "$cryolex" caption -q --annot annot 1LYZ 4nam || return 1
    same tsv "$(printf 'id\tvariant\tcaption\n1lyz\t0\t%s\n4nam\t0\t%s' "$lyz" "$ubi")" "$(cat "$out")" && same errors "" "$(cat "$err")"
}
all() {
    run 0 env CRYOLEX_ANNOT=annot "$cryolex" caption --all || return 1
    same tsv "$(printf 'id\tvariant\tcaption\n1lyz\t0\t%s\n2two\t0\t%s' "$lyz" "$two")" "$(cat "$out")" &&
        grep -q '2 captions of 2 entries with GO terms; 1 without a fact to tell' "$err" || { cat "$err"; return 1; }
}
json() {
    run 0 "$cryolex" caption -q -a annot --format json 2two && same json "{\"id\":\"2two\",\"variant\":0,\"caption\":\"$two\"}" "$(cat "$out")"
}
manifest() {
    printf 'id\tpath\n2two\tx.pdb\n1lyz\ty.pdb\n' >list.tsv
    run 0 "$cryolex" caption -q -a annot list.tsv && same order "2two 1lyz" "$(sed 1d "$out" | cut -f 1 | xargs)"
}
variants() {
    run 0 "$cryolex" caption -q -a annot -n 12 --all && cp "$out" twelve && same lines 25 "$(wc -l <twelve)" || return 1
    same variants "$(seq -s ' ' 0 11)" "$(grep ^1lyz twelve | cut -f 2 | xargs)" || return 1
    [ "$(grep ^1lyz twelve | cut -f 3 | sort -u | wc -l)" -ge 6 ] || { cat twelve; return 1; }
    ! grep -E 'NEVER SAID|old behavior|catalytic|Tags' twelve || return 1
    ! cut -f 3 twelve | grep -E '  |^ | $| ,|\.\.|^[^A-Za-z]|^$' || return 1
    run 0 "$cryolex" caption -q -a annot -n 3 --all && same prefix "$(awk -F '\t' 'NR == 1 || $2 < 3' twelve)" "$(cat "$out")" || return 1
    run 0 "$cryolex" caption -q -a annot -n 12 --seed 2 --all && ! cmp -s twelve "$out"
}
threads() {
    run 0 "$cryolex" caption -q -a annot -n 40 --all --threads 1 && cp "$out" one || return 1
    run 0 "$cryolex" caption -q -a annot -n 40 --all --threads 3 && cmp one "$out"
}
some_unknown() {
    run 1 "$cryolex" caption -a annot 9zzz 1lyz 3gen && same lines 2 "$(wc -l <"$out")" && grep -q '9zzz: not in the tables' "$err" &&
        grep -q '3gen: neither a name nor a function is known' "$err"
}
misuse() {
    run 2 "$cryolex" caption 1lyz && grep -q 'CRYOLEX_ANNOT' "$err" || return 1
    run 2 "$cryolex" caption -a annot && run 2 "$cryolex" caption -a annot --all 1lyz && run 2 "$cryolex" caption -a annot -n 0 1lyz &&
        run 3 "$cryolex" caption -a nowhere 1lyz && grep -q 'nowhere/go_terms.tsv' "$err" &&
        run 3 "$cryolex" caption -a annot none.tsv && grep -q none.tsv "$err"
}

tap "ids in any case" ids
tap "all entries with GO terms" all
tap "JSON lines" json
tap "ids of a manifest" manifest
tap "variants" variants
tap "the same for any number of threads" threads
tap "unknown entries are told, the rest is done" some_unknown
tap "misuse and missing tables" misuse
tap_done
