#!/bin/bash
# cryolex dataset build, info: what is written and told, what is refused before the work begins, leaks and their exit status.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
cryolex=${CRYOLEX:?the program to test}
tiny=$(cd "${srcdir:-.}/tests/parity/text_bert" && pwd)
mkdir "$tap_tmp/w" && cd "$tap_tmp/w" || exit 99
out=$tap_tmp/out err=$tap_tmp/err

mkdir models annot
for k in 1 2 3 4 5 6 7 8; do
    awk -v k="$k" 'BEGIN { for (i = 1; i <= 60; i++)
        printf "ATOM  %5d  CA  ALA A%4d    %8.3f%8.3f%8.3f  1.00 20.00           C\n", i, i, 3 * k * cos(i), 9 * sin(i), 1.5 * i / k }' >"models/${k}abc.pdb"
done
echo broken >models/9bad.pdb
printf 'go_id\tname\tnamespace\tparents\tobsolete\nGO:0000001\tone\tmolecular_function\t\t0\nGO:0000002\ttwo\tmolecular_function\tisa=GO:0000001\t0\n' >annot/go_terms.tsv
printf 'pdb_id\tgo_ids\n1abc\tGO:0000002\n2abc\tGO:0000002\n' >annot/pdb_go_entry.tsv
printf 'pdb_id\ttitle\tmolecule_names\tclassification\torganism\tmethod\n1abc\t\tOnease\t\t\t\n2abc\t\tTwoase\t\t\t\n3abc\t\tThreease\t\t\t\n' >annot/pdb_names.tsv
printf 'pdb_id\tchain\tuniprot\n1abc\tA\tP1\n2abc\tA\tP1\n3abc\tA\tP3\n9zzz\tA\tP3\n' >annot/pdb_uniprot.tsv
printf 'family\tfitted_pdb\nfam\t4abc\nfam\t5abc\n-\t9zzz\n' >maps.tsv
cp -r . ../before

# field NAME: what the last `dataset info` said of it.
field() { awk -F'\t' -v f="$1" '$1 == f { print $2; exit }' "$out"; }

builds() {
    run 1 "$cryolex" dataset build -o ../d.h5 -a annot --maps maps.tsv -m "$tiny" models && grep -q 'left out: models/9bad.pdb' "$err" &&
        grep -q 'd.h5: 8 entries, 1 left out, [0-9]* captions' "$err" && grep -q '^cluster_30.*none$' "$err" || { cat "$err"; return 1; }
    run 0 "$cryolex" dataset info ../d.h5 && same entries 8 "$(field entries)" && same terms 2 "$(field terms)" &&
        same dim 16 "$(field text_dim)" && same model text_bert "$(field text_model)" && same atoms 480 "$(field atoms)" &&
        same families 1 "$(field families)" && same maps 3 "$(field real_map_entries)" || return 1
    same with 3 "$(field entries_with_captions)" && awk -F'\t' '$1 == "test" { n = $2 } END { exit !(n >= 3) }' "$out"
}
same_bytes() { # whatever the threads, over an old file
    cp ../d.h5 ../e.h5 && echo old >../d.h5 && run 1 "$cryolex" dataset build -q -j 1 -o ../d.h5 -a annot --maps maps.tsv -m "$tiny" models &&
        cmp ../d.h5 ../e.h5 && run 1 "$cryolex" dataset build -q -j 1 -o ../f.h5 --seed 2 -a annot --maps maps.tsv -m "$tiny" models && ! cmp -s ../d.h5 ../f.h5
}
no_leak() {
    run 0 "$cryolex" dataset info --leaks ../d.h5 && same kinds "leak pdb_id cluster_30 uniprot family sequence pfam" "$(cut -f 1 "$out" | paste -s -d ' ')" &&
        same uniprot "uniprot 2 0 0 1 0 - none" "$(grep '^uniprot' "$out" | tr '\t' ' ')" &&
        same family "family 1 0 0 1 0 - none" "$(grep '^family' "$out" | tr '\t' ' ')"
}
leak() { # one entry moved to another side
    command -v python3 >/dev/null && python3 -c 'import h5py' 2>/dev/null || { echo "no h5py"; return 0; }
    cp ../d.h5 ../leak.h5 && python3 -c 'import h5py; s = h5py.File("../leak.h5", "r+")["split"]; s[1] = 2 if s[0] != 2 else 0' || return 1
    run 1 "$cryolex" dataset info --leaks ../leak.h5 && same uniprot "uniprot 2 1 1 1 0 P1 LEAK" "$(grep '^uniprot' "$out" | tr '\t' ' ')"
}
manifest() { # its groups and sides
    printf 'id\tpath\tgroup\tsplit\na\tmodels/1abc.pdb\tg\t-\nb\tmodels/2abc.pdb\tg\tvalid\nc\tmodels/3abc.pdb\t-\ttest\na\tmodels/4abc.pdb\t-\t-\n' >../list.tsv
    sed -i "s|models/|$PWD/models/|" ../list.tsv
    run 1 "$cryolex" dataset build -o ../m.h5 --valid 0 --test 0 ../list.tsv && grep -q 'id a: an entry before it has the same' "$err" &&
        grep -q 'no captions: no text model' "$err" || { cat "$err"; return 1; }
    run 0 "$cryolex" dataset info ../m.h5 && same valid 2 "$(awk -F'\t' '$1 == "valid" { print $2 }' "$out")" &&
        same test 1 "$(awk -F'\t' '$1 == "test" { print $2 }' "$out")" && same text - "$(field text_model)"
}
refused() {
    want=$1 pattern=$2
    shift 2
    run "$want" "$cryolex" dataset build -q "$@" && grep -q "$pattern" "$err" && ! grep -q '9bad' "$err" && diff -r . ../before || { cat "$err"; return 1; }
}
refuses() {
    refused 2 'no output; give -o' models && refused 2 'is an input' -o models/1abc.pdb models && refused 2 'is an input' -o maps.tsv --maps maps.tsv models &&
        refused 2 'together over 1' -o ../x.h5 --valid 0.6 --test 0.6 models && refused 2 'give --annot' -o ../x.h5 -m "$tiny" models &&
        refused 2 'HDF5 cannot go to standard output' -o - models && refused 3 'none/go_terms' -o ../x.h5 -a none models &&
        refused 3 'no-model' -o ../x.h5 -a annot -m ./no-model models && [ ! -e ../x.h5 ]
}
nothing() {
    run 3 "$cryolex" dataset build -q -o ../x.h5 models/9bad.pdb && grep -q 'none of 1 entries could be read' "$err" &&
        printf 'family\tpdb\n' >../bad.tsv && run 3 "$cryolex" dataset build -q -o ../x.h5 --maps ../bad.tsv models/1abc.pdb &&
        grep -q "bad.tsv: no column 'fitted_pdb'" "$err" && [ ! -e ../x.h5 ]
}
no_dataset() {
    run 3 "$cryolex" dataset info models/1abc.pdb && grep -q 'no HDF5 file' "$err" &&
        run 0 "$cryolex" index build -q -o ../i.h5 models/1abc.pdb && run 3 "$cryolex" dataset info ../i.h5 && grep -q 'not a cryolex dataset' "$err"
}
no_room() {
    cp ../d.h5 ../z.h5 && run 3 sh -c 'ulimit -f 4; exec "$@"' - "$cryolex" dataset build -q -o ../z.h5 models/1abc.pdb && grep -q 'z.h5: cannot write' "$err" &&
        cmp ../d.h5 ../z.h5 && [ -z "$(find .. -name '*.tmp.*')" ]
}
tap "a dataset with captions" builds
tap "the same bytes" same_bytes
tap "no leak" no_leak
tap "a leak, status 1" leak
tap "groups and sides of a manifest" manifest
tap "refused before the work" refuses
tap "nothing to build from" nothing
tap "info of another file" no_dataset
tap "no room" no_room
tap_done
