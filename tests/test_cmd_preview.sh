#!/bin/bash
# cryolex dataset preview: a picture and its table; what is refused.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
cryolex=${CRYOLEX:?the program to test}
cd "$tap_tmp" || exit 99

for i in $(seq 1 60); do # a chain that has no symmetry
    printf 'ATOM  %5d  CA  ALA A%4d    %8.3f%8.3f%8.3f  1.00 20.00           C\n' "$i" "$i" $((i * 7 % 23)) $((i * i % 17)) $((i / 2))
done >m.pdb
run 0 "$cryolex" simulate -q m.pdb map.mrc || exit 99

word() { od -An -tu1 -j"$1" -N4 a.png | awk '{print (($1 * 256 + $2) * 256 + $3) * 256 + $4}'; }
draws() {
    run 0 "$cryolex" dataset preview -q --views 2 -o a.png m.pdb map.mrc || return 1
    [ "$(head -c 4 a.png | tail -c 3)" = PNG ] && [ "$(word 16)" -eq $((4 * 102 + 6)) ] && [ "$(word 20)" -eq $((204 + 6)) ] || return 1
    [ "$(cut -f4 out | tr '\n' ' ')" = "what clean view view map " ] && awk -F'\t' '$4 == "map" && !($5 > 0.95) {exit 1}' out
}
repeats() {
    cp a.png b.png && cp out first
    run 0 "$cryolex" dataset preview -q -j 1 --views 2 -o a.png m.pdb map.mrc && cmp a.png b.png && cmp out first || return 1
    run 0 "$cryolex" dataset preview -q --seed 2 --views 2 -o a.png m.pdb map.mrc && ! cmp -s a.png b.png
}
alone() { run 0 "$cryolex" dataset preview -q --views 1 -o a.png map.mrc m.pdb && [ "$(cut -f1 out | tr '\n' ' ')" = "row 1 2 2 " ]; }
refused() { # STATUS PATTERN ARGUMENT...
    want=$1 pattern=$2
    shift 2
    run "$want" "$cryolex" dataset preview "$@" && grep -q "$pattern" err
}

tap "a sheet and its table" draws
tap "the seed decides" repeats
tap "a map without a model" alone
tap "no output" refused 2 'give -o' m.pdb
tap "nothing to draw" refused 2 'nothing to draw' -o a.png
tap "no picture on standard output" refused 2 'standard output' -o - m.pdb
tap "the output is no input" refused 2 'an input' -o m.pdb m.pdb
tap "no file" refused 3 'nofile' -o a.png nofile.pdb
tap_done
