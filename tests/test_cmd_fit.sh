#!/bin/bash
# cryolex fit: places, files and script; entries by id; assemblies; what is refused. search --rerank.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
cryolex=${CRYOLEX:?the program to test}
cd "$tap_tmp" || exit 99

# A bent rod of atoms without symmetry; X Y Z turned by a quarter about z and moved for the second form.
atoms() { # AWK expressions of x, y, z; chain
    awk -v chain="$4" "BEGIN {for (i = 0; i < 120; i++) {a = i / 3; b = i % 3; x = a < 25 ? a * 1.6 : 40 + b; y = 4 * sin(a / 4) + 3 * b + (a > 25 ? 3 * (a - 25) : 0); z = a < 12 ? 2 * a : 24 - b;
        printf \"ATOM  %5d  CA  ALA %s%4d    %8.3f%8.3f%8.3f  1.00 20.00           C\n\", i + 1, chain, i + 1, $1, $2, $3}}"
}
atoms x y z A >home.pdb
atoms 50-y x+10 z-30 A >away.pdb
{ printf 'HEADER    TEST                                    01-JAN-20   1ABC\nEXPDTA    X-RAY DIFFRACTION\n'
  printf 'REMARK 350 BIOMOLECULE: 1\nREMARK 350 APPLY THE FOLLOWING TO CHAINS: A\n'
  printf 'REMARK 350   BIOMT1   1  1.000000  0.000000  0.000000        0.00000\nREMARK 350   BIOMT2   1  0.000000  1.000000  0.000000        0.00000\nREMARK 350   BIOMT3   1  0.000000  0.000000  1.000000        0.00000\n'
  printf 'REMARK 350   BIOMT1   2 -1.000000  0.000000  0.000000        0.00000\nREMARK 350   BIOMT2   2  0.000000 -1.000000  0.000000        0.00000\nREMARK 350   BIOMT3   2  0.000000  0.000000  1.000000       15.00000\n'
  atoms x y z A; } >dimer.pdb
mkdir -p pdb/ab
cp home.pdb pdb/2abc.pdb
gzip -c away.pdb >pdb/ab/pdb3abd.ent.gz
gzip -c away.pdb >pdb/ab/1abc.pdb.gz
"$cryolex" simulate -q --resolution 8 --apix 2 --pad 15 home.pdb map.mrc || exit 99
"$cryolex" simulate -q --resolution 8 --apix 2 --pad 15 dimer.pdb dimer.mrc || exit 99

# far FILE.cif FILE.pdb: root mean square distance of the atoms, in order, of chain A
far() {
    awk 'FNR == NR {x[++n] = substr($0, 31, 8); y[n] = substr($0, 39, 8); z[n] = substr($0, 47, 8); next}
        /^_atom_site\./ {col[$1] = ++cols} /^ATOM / {m++; s += (x[m] - $col["_atom_site.Cartn_x"]) ^ 2 + (y[m] - $col["_atom_site.Cartn_y"]) ^ 2 + (z[m] - $col["_atom_site.Cartn_z"]) ^ 2}
        END {print m == n ? sqrt(s / n) : 999}' "$2" "$1"
}
near() { awk -v d="$(far "$1" "$2")" -v most="$3" 'BEGIN {if (!(d <= most)) print "rmsd", d; exit !(d <= most)}'; }

place() {
    run 0 "$cryolex" fit -r 8 -o w map.mrc away.pdb && near w/away.cif home.pdb 0.3 && grep -q 'away.pdb: correlation \(0.9\|1.000\)' err
}

columns() { # the quarter turn back: w and -z of sqrt(1/2)
    run 0 "$cryolex" fit -q -r 8 -o w map.mrc away.pdb || return 1
    same header "$(printf 'rank\tentry\tcorrelation\toverall\tinside\toccupied\tz\tqw\tqx\tqy\tqz\ttx\tty\ttz\tstep\trotations\tfile')" "$(head -1 out)" || return 1
    awk -F'\t' 'NR == 2 && $1 == 1 && $2 == "away" && $3 > 0.95 && $4 > 0.9 && $5 > 0.5 && $6 > 0.9 && $7 > 3 && $16 == 1857 && $17 == "w/away.cif" {
        ok = ($8 - 0.7071) ^ 2 + $9 ^ 2 + $10 ^ 2 + ($11 + 0.7071) ^ 2 < 0.001} END {exit !ok}' out || { cat out; return 1; }
}

threads() {
    for j in 1 3; do run 0 "$cryolex" fit -q -r 8 -j $j -o w map.mrc away.pdb home.pdb && cp out $j.tsv && cp w/away.cif $j.cif || return 1; done
    cmp 1.tsv 3.tsv && cmp 1.cif 3.cif
}

script() { # by relative names, the best first, the map as it lies
    mkdir -p deep/er && run 0 "$cryolex" fit -q -r 8 -o deep/er/w map.mrc away.pdb home.pdb || return 1
    grep -q '^open "../../../map.mrc"$' deep/er/w/fit.cxc && same models 3 "$(grep -c '^open ' deep/er/w/fit.cxc)" &&
        same first "open \"$(awk 'NR == 2 {print $2}' out).cif\"" "$(grep '^open' deep/er/w/fit.cxc | sed -n 2p)"
}

by_id() {
    run 0 "$cryolex" fit -q -r 8 --angle 30 --structures pdb map.mrc 1ABC 2abc 3abd || return 1
    same entries "1abc 2abc 3abd" "$(awk 'NR > 1 {print $2}' out | sort | tr '\n' ' ' | sed 's/ $//')" && same files 3 "$(awk -F'\t' '$17 == "-"' out | wc -l)"
}

assembly() { # both halves, the second as chain A-2; asu: one
    run 0 "$cryolex" fit -q -r 8 -o w dimer.mrc dimer.pdb && same atoms 240 "$(grep -c '^ATOM' w/dimer.cif)" && same second 120 "$(grep -c ' A-2 ' w/dimer.cif)" || return 1
    grep -q 'pdbx_struct_assembly\|_cell\.' w/dimer.cif && return 1
    run 0 "$cryolex" fit -q -r 8 -o w --assembly asu dimer.mrc dimer.pdb && same atoms 120 "$(grep -c '^ATOM' w/dimer.cif)" && grep -q pdbx_struct_assembly w/dimer.cif
}

again() { # what was written is read: an mmCIF file is moved as well, and keeps what else it says
    run 0 "$cryolex" fit -q -r 8 -o w map.mrc away.pdb && cp w/away.cif own.cif && printf '_struct.title kept\n_cell.length_a 10\n' >add && cp own.cif two.cif || return 1
    { head -1 own.cif; cat add; sed 1d own.cif; } >two.cif
    run 0 "$cryolex" fit -q -r 8 -o w map.mrc two.cif && near w/two.cif home.pdb 0.3 && grep -q '^_struct.title *kept' w/two.cif && ! grep -q _cell w/two.cif
}

json() {
    run 0 "$cryolex" fit -q -r 8 --angle 30 --format json map.mrc away.pdb && grep -q '^{"rank":1,"entry":"away","correlation":[01].[0-9]*,.*"rotations":551}$' out
}

some_fail() {
    run 1 "$cryolex" fit -r 8 --angle 30 map.mrc nofile.pdb away.pdb && same rows 2 "$(wc -l <out)" && grep -q 'nofile.pdb' err
}

same_names() {
    run 0 "$cryolex" fit -q -r 8 --angle 30 -o n map.mrc home.pdb home.pdb && [ -s n/home.cif ] && [ -s n/home-2.cif ]
}

onto_input() {
    mkdir -p in && cp w/away.cif in/x.cif && cp in/x.cif keep.cif && run 2 "$cryolex" fit -q -r 8 --angle 30 -o in map.mrc in/x.cif && cmp in/x.cif keep.cif
}

refused() { # STATUS PATTERN ARGUMENT...
    want=$1 pattern=$2
    shift 2
    run "$want" "$cryolex" fit "$@" || return 1
    grep -q -- "$pattern" err || { cat out err; return 1; }
}

# An index of what fits and of what does not; the entry without a file stays behind those that were placed.
reranked() {
    mkdir -p all && cp home.pdb all/2abc.pdb && cp away.pdb all/7gone.pdb && atoms x/2 y+z/2 z A >all/5bad.pdb && cp all/5bad.pdb pdb/5bad.pdb || return 1
    run 0 "$cryolex" index build -q -o i.h5 all && run 0 "$cryolex" search -q -i i.h5 -d cube --rerank 3 --structures pdb map.mrc || return 1
    same header fit "$(awk -F'\t' 'NR == 1 {print $(NF - 1)}' out)" && same order "2abc 5bad 7gone" "$(awk -F'\t' 'NR > 1 {print $3}' out | tr '\n' ' ' | sed 's/ $//')" || return 1
    awk -F'\t' 'NR == 2 {exit !($(NF - 1) > 0.95)}' out && awk -F'\t' 'NR == 4 {exit !($(NF - 1) == "-")}' out || { cat out; return 1; }
    run 0 "$cryolex" search -i i.h5 -d cube --rerank 3 --structures pdb map.mrc && grep -q '7gone: no structure file of it in pdb' err
}

# Placed in the average: with itself the map; in either order the same numbers, which the first alone would not give.
rerank_halves() {
    "$cryolex" simulate -q --resolution 12 --apix 2 --pad 15 home.pdb other.mrc || return 1
    run 0 "$cryolex" search -q -i i.h5 -d cube --rerank 2 --structures pdb map.mrc && cp out one.tsv || return 1
    run 0 "$cryolex" search -q -i i.h5 -d cube --rerank 2 --structures pdb --half-maps map.mrc map.mrc map.mrc other.mrc other.mrc map.mrc || return 1
    same itself "$(cat one.tsv)" "$(head -4 out)" && same orders "$(sed -n 5,7p out | cut -f2-)" "$(sed -n 8,10p out | cut -f2-)" && same first other.mrc "$(sed -n 8p out | cut -f1)" || return 1
    [ "$(awk -F'\t' 'NR == 2 {print $(NF - 1)}' out)" != "$(awk -F'\t' 'NR == 5 {print $(NF - 1)}' out)" ]
}

rerank_refused() {
    run 2 "$cryolex" search -i i.h5 -d cube --rerank 3 map.mrc && grep -q -- '--structures FOLDER' err && run 2 "$cryolex" search --rerank 3 --structures pdb -t word && grep -q -- '--text' err &&
        run 3 "$cryolex" search -i i.h5 -d cube --rerank 3 --structures pdb home.pdb && grep -q 'home.pdb: a model' err
}

tap "a model put back" place
tap "columns" columns
tap "any threads: the same bytes" threads
tap "ChimeraX script" script
tap "entries by id" by_id
tap "assemblies" assembly
tap "mmCIF of mmCIF" again
tap "JSON" json
tap "one of two fails" some_fail
tap "two of one name" same_names
tap "not onto an input" onto_input
tap "search --rerank" reranked
tap "search --rerank --half-maps" rerank_halves
tap "search --rerank refused" rerank_refused
tap "no such map" refused 3 "nomap.mrc" nomap.mrc away.pdb
tap "contour above all" refused 3 "map.mrc: .*" -c 1e9 map.mrc away.pdb
tap "id without a folder" refused 3 "--structures FOLDER" map.mrc 1abc
tap "id that is not there" refused 3 "9zzz: no structure file of it in pdb" --structures pdb map.mrc 9zzz
tap "assembly that is not there" refused 3 "home.pdb: no assembly 7" --assembly 7 map.mrc home.pdb
tap "no model" refused 2 "1 operands" map.mrc
tap "angle out of range" refused 2 "--angle" --angle 1 map.mrc away.pdb
tap "output in no folder" refused 3 "no/w" -o no/w map.mrc away.pdb
tap_done
