#!/bin/bash
# cryolex search and annotate in the learned space, with an untrained model that the test makes: what is found without any option,
# columns, formats, consistency, and what is refused.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
. "${srcdir:-.}/tests/made_world.sh"
cryolex=${CRYOLEX:?the program to test}
mkdir "$tap_tmp/w" && cd "$tap_tmp/w" || exit 99
out=$tap_tmp/out err=$tap_tmp/err
unset CRYOLEX_INDEX CRYOLEX_MODEL
export CRYOLEX_SHARE=$tap_tmp/w/share XDG_CACHE_HOME=$tap_tmp/cache

mkdir models share annot
ids=(1aaa 2bbb 3ccc 4ddd)
for k in 1 2 3 4; do
    ca_atoms 80 "5 * $k * cos(i)" "9 * sin(i) + 0.1 * i" "1.5 * i / $k" >"models/${ids[k - 1]}.pdb"
done
cp models/2bbb.pdb query.pdb
echo broken >broken.pdb
small_net
some_terms
printf 'pdb_id\tgo_ids\n1aaa\tGO:0005488\n2bbb\tGO:0016787;GO:0006457\n3ccc\tGO:0005488\n' >annot/pdb_go_entry.tsv
printf 'pdb_id\tchain\tec\n2bbb\tA\t3.2.1.17\n' >annot/pdb_ec.tsv
printf 'pdb_id\tchain\tpfam\n2bbb\tA\tPF00042\n' >annot/pdb_pfam.tsv
printf 'pdb_id\ttitle\tmolecule_names\tclassification\torganism\tmethod\n2bbb\tA very long title, of a molecule that has \303\244 naman any column that a page could hold\t\t\t\t\n' >annot/pdb_names.tsv
printf '3ccc\t\t\t\tEscherichia coli\t\n' >>annot/pdb_names.tsv
printf '1AAA_1 9ZZZ_1\n3CCC_1 1AAA_2\n4DDD_1\n' >annot/clusters-by-entity-30.txt
"$cryolex" model new -q --table net.json --features profile,log_rg -o share/default.safetensors || exit 99
"$cryolex" model new -q --table net.json --features profile,log_rg --seed 2 -o other.safetensors || exit 99
hash_of() { "$cryolex" model info -q "$1" | awk -F '\t' '$1 == "hash" { print $2 }'; }

# column NAME: the fields of that column of the TSV in $out.
column() { awk -F '\t' -v f="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == f) c = i; next } { print $c }' "$out"; }

builds() {
    run 0 "$cryolex" index build -q -m share/default.safetensors --annot annot -o share/default.index.h5 models || return 1
    run 0 "$cryolex" index info -q share/default.index.h5 && grep -q "^model	$(hash_of share/default.safetensors)$" "$out" && grep -q '^embedding	6$' "$out" &&
        grep -q '^terms	9$' "$out" && grep -q '^scoring.cosine	14 (default)$' "$out" || { cat "$out"; return 1; }
    run 0 "$cryolex" index build -q -o plain.h5 models && run 0 "$cryolex" index info -q plain.h5 && ! grep -q '^model	' "$out"
}
small() { # compact, without what search -d cannot use then, other weights
    run 0 "$cryolex" index merge -q --compact --without zernike,profile,path --scoring cosine=3,quality=2.5 -o small.h5 share/default.index.h5 &&
        run 0 "$cryolex" index info -q small.h5 && grep -q '^scoring.cosine	3$' "$out" && grep -q '^without	zernike,profile$' "$out" || return 1
    run 0 "$cryolex" search -q -i small.h5 query.pdb && same first 2bbb "$(column id | head -n 1)" || return 1
    run 3 "$cryolex" search -q -i small.h5 -d zernike query.pdb && grep -q 'without Zernike' "$err" || return 1
    run 2 "$cryolex" index merge -q --without cube -o x.h5 small.h5 && run 2 "$cryolex" index merge -q --scoring cubes=3 -o x.h5 small.h5 &&
        grep -q 'cubes=3' "$err" && [ ! -e x.h5 ]
}

likes() { # an entry as a query, filters, shared terms
    run 0 "$cryolex" search -q --like 2BBB && same rows 3 "$(column id | wc -l)" && same query 2bbb "$(column query | sort -u)" && ! column id | grep -q 2bbb || return 1
    run 0 "$cryolex" search -q --explain query.pdb && same with 2bbb "$(column shared_with | sort -u)" || return 1
    column shared | head -n 1 | grep -q 'EC:3.2.1.17 lysozyme' && column shared | head -n 1 | grep -q 'GO:0016787 hydrolase activity' && ! column shared | head -n 1 | grep -q 'GO:0003824' &&
        same none - "$(column shared | tail -n 1)" || { cat "$out"; return 1; }
    run 0 "$cryolex" search -q --format json --explain --like 1aaa && grep -q '"shared_with":"1aaa","shared":\[{"id":"GO:0005488","name":"binding"}\]' "$out" || { cat "$out"; return 1; }
    run 0 "$cryolex" search -q --organism COLI query.pdb && same coli "3ccc" "$(column id | xargs)" || { cat "$err"; return 1; }
    run 0 "$cryolex" search -q --exclude-cluster 1aaa query.pdb && same cluster "2bbb 4ddd" "$(column id | sort | xargs)" || { cat "$err"; return 1; }
    run 3 "$cryolex" search -q --resolution 3 query.pdb && grep -q 'no entry has a resolution' "$err" || return 1
    run 3 "$cryolex" search -q --organism yeti query.pdb && grep -q 'leave none of 4' "$err" && run 3 "$cryolex" search -q --like 9zzz && grep -q '9zzz' "$err" &&
        run 2 "$cryolex" search -q --like 1aaa query.pdb
}
searches() { # no option at all
    run 0 "$cryolex" search query.pdb && same first 2bbb "$(column id | head -n 1)" && grep -q 'untrained' "$err" || return 1
    same columns "query rank id score confidence cosine cube distance rg dlog_rg title" "$(head -n 1 "$out" | tr '\t' ' ')" || return 1
    same rows 4 "$(column id | wc -l)" && same cosine 1.0000 "$(column cosine | head -n 1)" && same cube 1.0000 "$(column cube | head -n 1)" &&
        same score 39.0000 "$(column score | head -n 1)" && same distance - "$(column distance | sort -u)" || return 1
    awk -F '\t' 'NR > 1 && !($5 >= 0 && $5 <= 1) { bad = 1 } END { exit bad }' "$out" && cp "$out" both.tsv || return 1
    run 0 "$cryolex" search -q -d both -j 1 query.pdb && cmp "$out" both.tsv || return 1
    run 0 "$cryolex" search -q --format json query.pdb && grep -q '"rank":1,"id":"2bbb","score":39.0,"confidence":0.*"cosine":1.0,"cube":1.0,"rg":' "$out" && ! grep -q distance "$out"
}
each_descriptor() {
    for d in learned cube zernike profile size; do
        run 0 "$cryolex" search -q -d $d query.pdb && same "$d" 2bbb "$(column id | head -n 1)" && same "$d" - "$(column confidence | sort -u)" || return 1
    done
    run 0 "$cryolex" search -q -d learned query.pdb && same score 20.0000 "$(column score | head -n 1)" || return 1
    run 0 "$cryolex" search -q --scoring cosine=1,cube=2,size=1 query.pdb && same score 3.0000 "$(column score | head -n 1)" || return 1
    run 0 "$cryolex" search -q -i plain.h5 query.pdb && same "no embeddings" - "$(column cosine | sort -u)" && same score 25.0000 "$(column score | head -n 1)"
}
some_fail() {
    run 1 "$cryolex" search -q query.pdb broken.pdb && grep -q broken.pdb "$err" && run 3 "$cryolex" search -q broken.pdb &&
        run 1 "$cryolex" annotate -q broken.pdb query.pdb && grep -q '^query.pdb' "$out" && run 3 "$cryolex" annotate -q none.pdb
}
other_model() {
    for c in search annotate; do
        run 3 "$cryolex" $c -q -m other.safetensors query.pdb && grep -q "$(hash_of other.safetensors)" "$err" &&
            grep -q "$(hash_of share/default.safetensors)" "$err" || { cat "$err"; return 1; }
    done
    run 3 "$cryolex" annotate -q -i plain.h5 query.pdb && grep -q 'plain.h5: the index has no embeddings' "$err" || return 1
    run 3 "$cryolex" index merge -q -o x.h5 share/default.index.h5 plain.h5 && grep -q 'plain.h5: embeddings of model none' "$err" && [ ! -e x.h5 ]
}
nothing_shipped() {
    run 2 env CRYOLEX_SHARE="$tap_tmp/none" "$cryolex" search query.pdb && grep -q 'no index; give -i INDEX or set CRYOLEX_INDEX.*see cryolex search -h' "$err" &&
        run 2 env CRYOLEX_SHARE="$tap_tmp/none" "$cryolex" annotate -i share/default.index.h5 query.pdb && grep -q 'no model; give -m MODEL' "$err" || return 1
    run 0 env CRYOLEX_SHARE="$tap_tmp/none" CRYOLEX_INDEX=share/default.index.h5 CRYOLEX_MODEL=share/default.safetensors "$cryolex" annotate -q query.pdb
}
texts() {
    run 3 "$cryolex" search -q --text "a lysozyme" && grep -q 'default.safetensors: the model knows no text' "$err" &&
        run 2 "$cryolex" search -q --text x query.pdb && run 2 "$cryolex" search -q && run 2 "$cryolex" search -q --text '' &&
        run 2 "$cryolex" search -q --text x -d cube
}

annotates() {
    run 0 "$cryolex" annotate --scoring bias=20,vote=0.01,text=0 query.pdb && grep -q 'Rg' "$err" || return 1
    same columns "query kind id name namespace confidence evidence" "$(head -n 1 "$out" | tr '\t' ' ')" || return 1
    same entries "2bbb" "$(awk -F '\t' '$2 == "entry" { print $3; exit }' "$out")" || return 1
    same terms "go GO:0016787 hydrolase activity molecular_function
go GO:0006457 protein folding biological_process
ec EC:3.2.1.17 lysozyme ec
pfam PF00042 Globin pfam" "$(awk -F '\t' 'NR > 1 && $2 != "entry" && $2 != "query" { print $2, $3, $4, $5 }' "$out")" || return 1
    grep -q '^query.pdb	entry	2bbb	A very long title.*	-	1.000	rank=1;score=39.00;cosine=1.000;cube=1.000;dlog_rg=+0.000$' "$out" &&
        grep -q '	hits=1/4:2bbb;vote=1.000$' "$out" || { cat "$out"; return 1; }
    run 0 "$cryolex" annotate -q --scoring bias=20,vote=0.01 --ancestors --namespace ec,function -n 2 query.pdb &&
        same more "GO:0016787 GO:0003824 EC:3.2.1.17 EC:3.2.1.-" "$(awk -F '\t' 'NR > 1 && $2 != "entry" && $2 != "query" { print $3 }' "$out" | xargs)" || return 1
    run 0 "$cryolex" annotate -q --scoring bias=-99 --min-confidence 0.9 query.pdb && ! grep -q '	go	' "$out" || return 1
    run 2 "$cryolex" annotate -q --namespace ec,go query.pdb && grep -q 'ec,go' "$err"
}
consistent() { # a parent is never below its child
    run 0 "$cryolex" annotate -q --ancestors --min-confidence 0 models/*.pdb || return 1
    awk -F '\t' 'NR > 1 { c[$1, $3] = $6; q[$1] = 1 }
        END { for (k in q) { n++; if (!(c[k, "GO:0003824"] >= c[k, "GO:0016787"] && c[k, "EC:3.2.-.-"] >= c[k, "EC:3.2.1.17"] && c[k, "GO:0016787"] != "")) bad = 1 } exit bad || n != 4 }' "$out"
}
formats() {
    run 0 "$cryolex" annotate -q --format json --scoring bias=20,vote=0.01,text=0 query.pdb models/1aaa.pdb && same objects 2 "$(wc -l <"$out")" &&
        head -n 1 "$out" | grep -q '^{"query":"query.pdb","rg":.*"entries":\[{"id":"2bbb",.*"terms":\[{"kind":"go","id":"GO:0016787","name":"hydrolase activity","namespace":"molecular_function","confidence":1.0,.*"nearest":\["2bbb"\]}' || { cat "$out"; return 1; }
    run 0 "$cryolex" annotate -q --format text --scoring bias=20,vote=0.01,text=0 query.pdb models/1aaa.pdb || return 1
    grep -q '^  Nearest entries' "$out" && grep -q '^  Molecular function$' "$out" && grep -q '^    GO:0016787  *hydrolase activity  *1.00  2bbb$' "$out" &&
        grep -q '^models/1aaa.pdb$' "$out" && grep -q 'that has .*[.][.][.] ' "$out" || { cat "$out"; return 1; }
    [ "$(awk '{ gsub(/[\200-\277]/, ""); if (length > n) n = length } END { print n }' "$out")" -le 110 ]
}
sizes() { # a speck is doubted in every format, and no mass is written with an exponent
    awk 'BEGIN { for (i = 1; i <= 12; i++) printf "ATOM  %5d  CA  ALA A%4d    %8.3f%8.3f%8.3f  1.00 20.00           C\n", i, i, 3 * cos(i), 3 * sin(i), i / 4 }' >speck.pdb
    for f in text tsv json; do run 0 "$cryolex" annotate --format $f speck.pdb && grep -q 'speck.pdb: Rg .* is less than any protein' "$err" || { cat "$err"; return 1; }; done
    awk 'BEGIN { for (x = -78; x <= 78; x += 6) for (y = -78; y <= 78; y += 6) for (z = -90; z <= 90; z += 6) if (x * x + y * y + 0.7 * z * z < 6084)
        printf "ATOM  %5d  CA  ALA %c%4d    %8.3f%8.3f%8.3f  1.00 20.00           C\n", ++i, 65 + i / 1000, i % 1000, x, y, z }' >huge.pdb
    run 0 "$cryolex" annotate -q --format tsv huge.pdb && grep -q ';mass_kda=[0-9][0-9][0-9][0-9][0-9]*;' "$out" || { cat "$out"; return 1; }
    "$cryolex" simulate -q --resolution 8 --apix 3 query.pdb query.mrc && run 0 "$cryolex" annotate -q --format text query.mrc && grep -q ', contour about [0-9.]*$' "$out"
}
same_on_threads() {
    run 0 "$cryolex" annotate -q -j 1 models/*.pdb && cp "$out" one && run 0 "$cryolex" annotate -q -j 3 models/*.pdb && cmp "$out" one
}

tap "index build with embeddings and terms" builds
tap "index merge: smaller, other weights" small
tap "search --like, --explain, filters" likes
tap "search without options" searches
tap "search: every descriptor" each_descriptor
tap "search, annotate: one of two fails" some_fail
tap "another model than the index's" other_model
tap "nothing shipped" nothing_shipped
tap "search --text" texts
tap "annotate" annotates
tap "annotate: parents" consistent
tap "annotate: formats" formats
tap "annotate: sizes" sizes
tap "annotate: threads" same_on_threads
tap_done
