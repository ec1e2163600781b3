#!/bin/bash
# cryolex bench: protocols on structures that the test makes; reports, rivals, equal files, what is refused.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
. "${srcdir:-.}/tests/made_world.sh"
cryolex=${CRYOLEX:?the program to test}
mkdir "$tap_tmp/w" || exit 99
plot=$(cd "${srcdir:-.}" && pwd)/scripts/plot-bench rivals=$(cd "${srcdir:-.}" && pwd)/scripts/rivals
cd "$tap_tmp/w" || exit 99
out=$tap_tmp/out err=$tap_tmp/err
unset CRYOLEX_INDEX CRYOLEX_MODEL CRYOLEX_TEXT_MODEL
export CRYOLEX_SHARE=$tap_tmp/w/share XDG_CACHE_HOME=$tap_tmp/cache
mkdir models maps annot share
ids=(1aaa 2bbb 3ccc 4ddd 5eee 6fff)
for k in 1 2 3 4 5 6; do
    ca_atoms 90 "6 * $k * cos(i * $k / 9)" "9 * sin(i) + 0.2 * i" "2 * i / $k" >"models/${ids[k - 1]}.pdb"
done
small_net
some_terms
printf 'pdb_id\tgo_ids\n1aaa\tGO:0005488\n2bbb\tGO:0016787;GO:0006457\n3ccc\tGO:0005488\n4ddd\tGO:0016787\n5eee\tGO:0006457\n6fff\tGO:0005488;GO:0006457\n' >annot/pdb_go_entry.tsv
{ printf 'id\tpath\tsplit\n'; for k in 1 2 3 4 5 6; do printf '%s\tmodels/%s.pdb\t%s\n' "${ids[k - 1]}" "${ids[k - 1]}" "$([ $k -le 3 ] && echo test || echo train)"; done; } >models.tsv
"$cryolex" model new -q --table net.json --features profile,log_rg -o share/default.safetensors || exit 99
"$cryolex" model new -q --table net.json --features profile,log_rg --seed 2 -o other.safetensors || exit 99
"$cryolex" dataset build -q --annot annot -o d.h5 models.tsv >"$out" 2>"$err" || exit 99
"$cryolex" index build -q -m share/default.safetensors --annot annot -o share/default.index.h5 models.tsv 2>"$err" || exit 99
"$cryolex" index build -q -m other.safetensors -o base.index.h5 models.tsv || exit 99
for i in 1aaa 2bbb 4ddd; do "$cryolex" simulate -q --resolution 8 --apix 3 "models/$i.pdb" "maps/$i.mrc" || exit 99; done
printf 'file\tfitted_pdb\tfamily\tresolution\n1aaa.mrc\t1aaa\tone\t8\n2bbb.mrc\t2bbb 5eee\ttwo\t9.5\n4ddd.mrc\t4ddd\ttwo\t-\nnone.mrc\t-\t-\t-\nfar.mrc\t9zzz\tfar\t-\n' >maps/maps.tsv

# cell FILE COLUMN=VALUE... COLUMN: that column of the rows that have these values
cell() {
    awk -F'\t' 'function col(name) {for (i = 1; i <= n; i++) if (head[i] == name) return i; exit 2}
        BEGIN {for (a = 2; a < ARGC - 1; a++) {split(ARGV[a], kv, "="); want[kv[1]] = kv[2]; delete ARGV[a]} out = ARGV[ARGC - 1]; delete ARGV[ARGC - 1]}
        FNR == 1 {n = split($0, head); next} {for (k in want) if ($(col(k)) != want[k]) next; print $(col(out))}' "$@"
}
bench() { run "$1" "$cryolex" bench -q --times 50 --sheet 2 "${@:2}"; }

maps() {
    bench 0 emdb-pdb -o m --queries maps/maps.tsv -d d.h5 --base base.index.h5 --untrained other.safetensors || return 1
    same queries "1aaa 2bbb 4ddd" "$(cell m/queries.tsv task=map query | tr '\n' ' ' | sed 's/ $//')" &&
        same methods 14 "$(cell m/summary.tsv bin=all gallery=all relevance=complex method | wc -l)" &&
        same first "1 1 1" "$(cell m/ranks.tsv method=two_stage gallery=all relevance=entry rank | tr '\n' ' ' | sed 's/ $//')" &&
        same complex "1 3 3" "$(cell m/ranks.tsv method=two_stage gallery=all relevance=complex relevant | tr '\n' ' ' | sed 's/ $//')" &&
        same bins "2 1" "$(cell m/summary.tsv method=two_stage gallery=all relevance=complex "bin=resolution 8 to 12" queries | head -1) $(cell m/summary.tsv method=size gallery=equal_mass relevance=entry bin=all queries | wc -l)" &&
        same hash "$(sha256sum <share/default.index.h5 | cut -d' ' -f1)" "$(sed -n '/"index": {/,/}/s/.*"sha256": "\(.*\)".*/\1/p' m/summary.json)"
}

views() {
    bench 0 views -o v -d d.h5 --write-views made && bench 0 views -o v2 -d d.h5 -j 2 && diff -r v v2 || return 1
    same queries "1aaa.view 2bbb.view 3ccc.view" "$(cell v/queries.tsv task=view query | tr '\n' ' ' | sed 's/ $//')" &&
        same files 3 "$(find made -name '*.view.mrc' | wc -l)" && bench 0 views -o v3 -d d.h5 --seed 5 && ! cmp -s v/ranks.tsv v3/ranks.tsv
}

rivals() { # one that is always right, one that knows one query, one by embeddings
    { printf 'query\tentry\tscore\n'; printf '1aaa\t1aaa\t1\n2bbb\t2bbb\t2\n2bbb\t1aaa\t1.5\n4ddd\t4ddd\t-3\n'; } >right.tsv
    printf 'query\tentry\tscore\n1aaa\t1aaa\t1\n' >some.tsv
    { printf 'id\ta\tb\n'; printf '1aaa\t1\t0\n2bbb\t-1\t-1\n4ddd\t0\t2\n'; } >z.tsv
    run 0 "$cryolex" bench emdb-pdb -o r --queries maps/maps.tsv --times 50 --scores right=right.tsv,some=some.tsv --embeddings vector=z.tsv || return 1
    same right "1 1 1" "$(cell r/ranks.tsv method=right gallery=all relevance=entry rank | tr '\n' ' ' | sed 's/ $//')" &&
        same vector "1 1 1" "$(cell r/ranks.tsv method=vector gallery=all relevance=entry rank | tr '\n' ' ' | sed 's/ $//')" &&
        same hash "$(sha256sum <some.tsv | cut -d' ' -f1)" "$(sed -n '/"some": {/,/}/s/.*"sha256": "\(.*\)".*/\1/p' r/summary.json)" &&
        same some 1 "$(cell r/ranks.tsv method=some gallery=all relevance=entry rank | head -1)" && grep -q 'some: nothing on 2 of 3 queries' "$err"
}

h5_rival() { # what cryolex embed writes is read
    "$cryolex" embed -q -m share/default.safetensors -o z.h5 models.tsv >/dev/null && bench 0 emdb-pdb -o h --queries maps/maps.tsv --embeddings own=z.h5 &&
        same own "1 1 1" "$(cell h/ranks.tsv method=own gallery=all relevance=entry rank | tr '\n' ' ' | sed 's/ $//')"
}

wrappers() { # a program that scores every pair alike; a map that is not there is passed over
    printf '#!/bin/sh\nfor f in "$2" "$4"; do test -s "$f" || exit 1; done\necho "sco= 12.5"\n' >fake && chmod +x fake
    printf 'file\tfitted_pdb\n1aaa.mrc\t1aaa\ngone.mrc\t1aaa\n2bbb.mrc\t2bbb\n' >maps/wrapped.tsv
    run 0 env CRYOLEX="$cryolex" "$rivals/vesper" -k 2 --program ./fake maps/wrapped.tsv models && cp "$out" vesper.tsv || return 1
    same pairs "query 1aaa 1aaa 2bbb 2bbb" "$(cut -f1 vesper.tsv | xargs)" && same score 12.5 "$(sed 1d vesper.tsv | cut -f3 | sort -u)" && grep -q gone.mrc "$err" || return 1
    run 0 env CRYOLEX="$cryolex" CRYOLEX_MODEL="$PWD/other.safetensors" "$rivals/zernike" maps/wrapped.tsv base.index.h5 && cp "$out" zernike.tsv || return 1
    bench 0 emdb-pdb -o wr --queries maps/maps.tsv --base base.index.h5 --scores own=zernike.tsv,vesper=vesper.tsv || return 1
    same ranks "$(cell wr/ranks.tsv method=zernike gallery=all relevance=entry query=1aaa rank)" "$(cell wr/ranks.tsv method=own gallery=all relevance=entry query=1aaa rank)"
}

function_() { # by the gallery as it is the terms are those of the entry; without relatives they are not
    bench 0 function -o f -d d.h5 --base base.index.h5 && bench 0 function -o f2 -d d.h5 --base base.index.h5 -j 1 && diff -r f f2 || return 1
    same methods "naive size_10 profile_1 profile_10 zernike_10 cube_10 learned_10 two_stage_10 annotate" \
        "$(cell f/function.tsv gallery=all namespace=molecular_function method | tr '\n' ' ' | sed 's/ $//')" || return 1
    same novel "3 3" "$(cell f/novel.tsv gallery=all queries | awk '{n += $1} END {print n}') $(cell f/novel.tsv gallery=no_relatives queries | awk '{n += $1} END {print n}')" &&
        same bins 10 "$(cell f/calibration.tsv gallery=all kind=entry pairs | wc -l)" && [ -n "$(cell f/calibration_summary.tsv gallery=all kind=entry ece)" ] || return 1
    bench 2 function -o fm -d d.h5 --queries maps/maps.tsv --scores cube=some.tsv && grep -q 'cube_10: two methods of this name' "$err" || return 1
    bench 0 function -o fm -d d.h5 --queries maps/maps.tsv && same maps 3 "$(cell fm/function.tsv gallery=all namespace=molecular_function method=naive queries)"
}

calibrates() {
    run 0 "$cryolex" index calibrate -q -d d.h5 -m share/default.safetensors --split train -o c.h5 share/default.index.h5 || return 1
    same kinds "molecular_function biological_process cellular_component ec pfam cath molecule known" "$(sed 1d "$out" | cut -f1 | tr '\n' ' ' | sed 's/ $//')" || return 1
    cp share/default.index.h5 c2.h5 && run 0 "$cryolex" index calibrate -q -j 2 -d d.h5 -m share/default.safetensors --split train c2.h5 && cmp c.h5 c2.h5 || return 1
    run 0 "$cryolex" index calibrate -q -d d.h5 -m share/default.safetensors --split train c2.h5 && cmp c.h5 c2.h5 || return 1
    run 0 "$cryolex" index info -q c.h5 && grep -q '^calibrated	yes$' "$out" && grep -q '^known.cut	0' "$out" || return 1
    run 0 "$cryolex" annotate -q -i c.h5 --force models/1aaa.pdb && same known 1 "$(awk -F'\t' '$2 == "query" && $6 >= 0 && $6 <= 1 && $6 != "-"' "$out" | wc -l)" || return 1
    run 0 "$cryolex" annotate -q --format json models/1aaa.pdb && grep -q '"mass_kda":' "$out" && ! grep -q '"known"' "$out" || return 1
    run 2 "$cryolex" index calibrate -q -m share/default.safetensors c.h5 && grep -q -e '-d DATASET' "$err" &&
        run 3 "$cryolex" index calibrate -q -d d.h5 -m other.safetensors c.h5 && run 3 "$cryolex" index calibrate -q -d d.h5 -m share/default.safetensors none.h5
}

pdb() { # captions need the sentence encoder, which tests have not: what is said without
    run 3 "$cryolex" bench pdb -q -o p -d d.h5 && grep -q 'captions of the dataset are not embedded' "$err" || { cat "$err"; return 1; }
    printf 'query\trelevant\nbinding\tGO:0005488\n' >texts.tsv
    run 3 "$cryolex" bench text -q -o p --queries texts.tsv && grep -q 'no embeddings of terms' "$err"
}

refused() {
    bench 2 nothing -o x && grep -q 'nothing: no such protocol' "$err" && bench 2 emdb-pdb --queries maps/maps.tsv && grep -q 'give -o DIR' "$err" &&
        bench 2 views -o x && grep -q 'needs --dataset' "$err" && bench 2 emdb-pdb -o x && grep -q 'needs --queries' "$err" &&
        bench 2 views -o x -d d.h5 --untrained other.safetensors && grep -q 'give --base' "$err" &&
        bench 3 views -o x -d d.h5 --base share/default.index.h5 --untrained other.safetensors && bench 3 views -o x -d net.json &&
        bench 2 emdb-pdb -o x --queries maps/maps.tsv --scores right.tsv && grep -q 'NAME=FILE is wanted' "$err" && test ! -e x
}

bad_tables() {
    printf 'file\tfamily\na\tb\n' >bad.tsv && bench 3 emdb-pdb -o x --queries bad.tsv && grep -q "no column 'entry' or 'fitted_pdb'" "$err" || return 1
        printf 'file\tfitted_pdb\tresolution\n1aaa.mrc\t1aaa\tsharp\n' >bad.tsv && bench 3 emdb-pdb -o x --queries bad.tsv && grep -q "line 2: 'sharp'" "$err" || return 1
        printf 'query\tentry\tscore\n1aaa\t1aaa\tnan\n' >bad.tsv && bench 3 emdb-pdb -o x --queries maps/maps.tsv --scores a=bad.tsv && grep -q 'bad.tsv: line 2: score' "$err" || return 1
        printf 'query\tentry\tscore\n1aaa\t1aaa\t1\n1aaa\t1aaa\t1\n' >bad.tsv && bench 3 emdb-pdb -o x --queries maps/maps.tsv --scores a=bad.tsv && grep -q 'line 3: a pair that came before' "$err" || return 1
        printf 'id\tx\n1aaa\t1\n1aaa\t2\n' >bad.tsv && bench 3 emdb-pdb -o x --queries maps/maps.tsv --embeddings a=bad.tsv && grep -q 'id 1aaa twice' "$err" || return 1
        printf 'file\tfitted_pdb\ngone.mrc\t1aaa\n1aaa.mrc\t1aaa\n' >maps/gone.tsv && bench 1 emdb-pdb -o gone --queries maps/gone.tsv && grep -q gone.mrc "$err" && grep -q '^ "failed": 1,$' gone/summary.json
}

figures() { # the same whenever they are drawn
    run 0 "$python" "$plot" m && cp -r m m2 && run 0 "$python" "$plot" m2 && diff -r m m2 && for f in recall ranks sheet; do test -s m/$f.svg && test -s m/$f.png || return 1; done
    run 1 "$python" "$plot" models && grep -q 'models: no report' "$err"
}

tap "real maps: ranks, methods, bins, hashes" maps
tap "views: the same files whatever the threads; by seed; as maps" views
tap "scores and embeddings of other programs" rivals
tap "embeddings in HDF5" h5_rival
if python3 -c '' 2>/dev/null; then tap "scripts/rivals" wrappers; else tap_skip "scripts/rivals" "no python3"; fi
tap "function: methods, galleries, calibration" function_
tap "index calibrate" calibrates
tap "pdb, text: without text" pdb
tap "misuse" refused
tap "faults of tables" bad_tables
if python=$(python_with matplotlib); then tap "plot-bench" figures; else tap_skip "plot-bench" "no matplotlib"; fi
tap_done
