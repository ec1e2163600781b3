#!/bin/bash
# cryolex index update: added, replaced, dropped entries; the bytes of a fresh build; whole or not at all; what is refused.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
. "${srcdir:-.}/tests/made_world.sh"
cryolex=${CRYOLEX:?the program to test}
err=$tap_tmp/err
mkdir "$tap_tmp/w" && cd "$tap_tmp/w" || exit 99

mkdir models annot
model() { # ID NUMBER
    ca_atoms 60 "(3 + $2) * cos(i)" "9 * sin(i)" "1.5 * i / $2" >"models/$1.pdb"
}
manifest() { # ID...
    printf 'id\tpath\tcaption\n'
    for id in "$@"; do printf '%s\tmodels/%s.pdb\tof %s\n' "$id" "${id%_*}" "$id"; done
}
k=0
for id in 1aaa 2bbb 3ccc 4ddd 5eee 6fff; do model "$id" $((k += 1)); done
manifest 1aaa 2bbb 3ccc 4ddd >first.tsv
manifest 5eee 2bbb 1aaa_A 4ddd 6fff >second.tsv
small_net
printf 'go_id\tname\tnamespace\tparents\tobsolete\nGO:0003674\tmolecular_function\tmolecular_function\t\t0\n' >annot/go_terms.tsv
printf 'GO:0003824\tcatalytic activity\tmolecular_function\tisa=GO:0003674\t0\n' >>annot/go_terms.tsv
printf 'pdb_id\tgo_ids\n1aaa\tGO:0003824\n5eee\tGO:0003824\n' >annot/pdb_go_entry.tsv
printf 'pdb_id\tchain\tec\n3ccc\tA\t3.2.1.17\n' >annot/pdb_ec.tsv
printf 'pdb_id\tchain\tpfam\n6fff\tA\tPF00042\n' >annot/pdb_pfam.tsv
printf 'ec\tname\n3.2.1.17\tlysozyme\n' >annot/ec_names.tsv
printf 'pfam\tdescription\nPF00042\tGlobin\n' >annot/pfam_names.tsv
printf 'pdb_id\ttitle\tmolecule_names\tclassification\torganism\tmethod\n2bbb\tA title\t\t\t\t\n' >annot/pdb_names.tsv
"$cryolex" model new -q --table net.json --features profile,log_rg -o m.st && "$cryolex" model new -q --table net.json --features profile,log_rg --seed 2 -o other.st || exit 99
full=(-m m.st --annot annot)
"$cryolex" index build -q "${full[@]}" -o first.h5 first.tsv || exit 99

# update STATUS WHAT ARGUMENT...: and the line at the end says what happened
update() {
    want=$1 what=$2
    shift 2
    run "$want" "$cryolex" index update "${full[@]}" "$@" && grep -q ": $what" "$err" || { cat "$err"; return 1; }
}
nothing_new() { # also with what has been written again, to the same bytes, at another time
    cp first.h5 x.h5 && cp models/1aaa.pdb y.pdb && mv y.pdb models/1aaa.pdb && update 0 '4 entries: 4 kept, 0 added, 0 replaced, 0 dropped, 0 failed' x.h5 first.tsv &&
        cmp x.h5 first.h5
}
as_built() { # of another manifest, with another file behind an id, in its order
    model 2bbb 9 && run 0 "$cryolex" index build -q "${full[@]}" -o second.h5 second.tsv && cp first.h5 x.h5 &&
        update 0 '5 entries: 1 kept, 3 added, 1 replaced, 2 dropped, 0 failed' --prune x.h5 second.tsv && cmp x.h5 second.h5 || return 1
    cp first.h5 x.h5 && update 0 '5 entries: 1 kept' --prune -o y.h5 x.h5 second.tsv && cmp y.h5 second.h5 && cmp x.h5 first.h5
}
kept_form() { # compact stays compact
    for form in --compact --float32 '--without zernike'; do
        # shellcheck disable=SC2086 # words are meant
        run 0 "$cryolex" index build -q "${full[@]}" $form -o c.h5 second.tsv && run 0 "$cryolex" index build -q "${full[@]}" $form -o x.h5 models/2bbb.pdb models/4ddd.pdb || return 1
        update 0 '5 entries: ' --prune x.h5 second.tsv && cmp x.h5 c.h5 || return 1
    done
}
weekly() { # new ones at the end, obsolete ones gone, the rest where it was
    manifest 5eee 2bbb >new.tsv
    printf ' LIST OF OBSOLETE COORDINATE ENTRIES AND SUCCESSORS\nOBSLTE    31-JUL-94 3CCC     216L\nOBSLTE    29-JAN-96 9ZZZ\nnot 1AAA at all\n' >obsolete.dat
    manifest 1aaa 2bbb 4ddd 5eee >want.tsv && run 0 "$cryolex" index build -q "${full[@]}" -o want.h5 want.tsv && cp first.h5 x.h5 &&
        update 0 '4 entries: 2 kept, 1 added, 1 replaced, 1 dropped, 0 failed' --obsolete obsolete.dat x.h5 new.tsv && cmp x.h5 want.h5 || return 1
    printf '3ccc\n' >ids && cp first.h5 x.h5 && update 0 '4 entries: 2 kept' --obsolete ids x.h5 new.tsv && cmp x.h5 want.h5 || return 1
    printf '5EEE x\n1aaa\n' >ids && manifest 5eee 1aaa_A >new.tsv && cp first.h5 x.h5 && update 0 '3 entries: 3 kept, 0 added, 0 replaced, 1 dropped' --obsolete ids x.h5 new.tsv
}
manifest_says() { # texts of what stays; a contour or an assembly makes an entry anew
    printf 'id\tpath\tcaption\tgroup\n1aaa\tmodels/1aaa.pdb\tanother\tg\n' >new.tsv && cp first.h5 x.h5 && update 0 '4 entries: 4 kept, 0 added, 0 replaced' x.h5 new.tsv || return 1
    printf 'id\tpath\ttitle\n1aaa\tmodels/1aaa.pdb\tMine\n' >new.tsv && update 0 '4 entries: 3 kept, 0 added, 1 replaced' x.h5 new.tsv &&
        run 0 "$cryolex" search -q -i x.h5 -m m.st -k 1 models/1aaa.pdb && grep -q 'Mine' "$tap_tmp/out"
}
bad_file() { # what was there stays; what comes twice counts once
    cp models/1aaa.pdb keep.pdb && echo broken >models/1aaa.pdb && manifest 1aaa 5eee 5eee >new.tsv && cp first.h5 x.h5 &&
        update 1 '5 entries: 4 kept, 1 added, 0 replaced, 0 dropped, 2 failed' x.h5 new.tsv && grep -q '1aaa.pdb: neither PDB' "$err"
    rc=$?
    mv keep.pdb models/1aaa.pdb
    return $rc
}
no_room() { # the old index stays
    cp first.h5 x.h5 && run 3 sh -c 'ulimit -f 4; exec "$@"' - "$cryolex" index update -q "${full[@]}" x.h5 second.tsv && cmp x.h5 first.h5 &&
        [ -z "$(find . -name '*.tmp.*')" ]
}
refused() {
    cp first.h5 x.h5
    run 2 "$cryolex" index update -q -m m.st x.h5 second.tsv && grep -q 'has terms; give --annot' "$err" &&
        run 2 "$cryolex" index update -q --annot annot x.h5 second.tsv && grep -q 'give -m MODEL' "$err" &&
        run 3 "$cryolex" index update -q --annot annot -m other.st x.h5 second.tsv && grep -q 'an index of model' "$err" &&
        run 3 "$cryolex" index update -q "${full[@]}" --obsolete none x.h5 second.tsv && grep -q 'none: ' "$err" &&
        run 3 "$cryolex" index update -q "${full[@]}" none.h5 second.tsv && run 2 "$cryolex" index update -q x.h5 && cmp x.h5 first.h5 || return 1
    printf '1aaa\n2bbb\n3ccc\n4ddd\n' >ids && manifest 1aaa >new.tsv && run 3 "$cryolex" index update -q "${full[@]}" --obsolete ids x.h5 new.tsv && grep -q 'no entry would be left' "$err"
}
plain() { # without embeddings and terms
    run 0 "$cryolex" index build -q -o p.h5 second.tsv && run 0 "$cryolex" index build -q -o x.h5 first.tsv && run 0 "$cryolex" index update -q --prune x.h5 second.tsv && cmp x.h5 p.h5
}

tap "update: nothing new" nothing_new
tap "update: the index of another manifest" as_built
tap "update: how it is stored" kept_form
tap "update: a weekly release" weekly
tap "update: what the manifest says" manifest_says
tap "update: a file that cannot be read" bad_file
tap "update: no room" no_room
tap "update: plain" plain
tap "update: refused" refused
tap_done
