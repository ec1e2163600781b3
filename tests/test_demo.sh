#!/bin/bash
# scripts/demo, the first thing a user sees, without real data; and each of its models found by itself.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
scripts=$(cd "${srcdir:-.}/scripts" && pwd)
cryolex=${CRYOLEX:?the program to test}
export CRYOLEX_DATA=/nonexistent CRYOLEX_SHARE=$tap_tmp/none
out=$tap_tmp/out err=$tap_tmp/err dir=$tap_tmp/demo

demo() {
    run 0 "$scripts/demo" "$dir" && grep -q '^query.mrc	1	double-ring	' "$out" && grep -q 'No real data' "$out" || { cat "$out" "$err"; return 1; }
}

again() {
    touch "$tap_tmp/before"
    demo && ! grep -q 'index build' "$out" && [ "$tap_tmp/before" -nt "$dir/models.index.h5" ] || { cat "$out"; return 1; }
}

# The same numbers by any awk, and well-formed lines.
models() {
    for awk in mawk gawk original-awk; do
        command -v "$awk" >/dev/null || continue
        mkdir -p "$tap_tmp/$awk" && ln -sf "$(command -v "$awk")" "$tap_tmp/$awk/awk"
        PATH=$tap_tmp/$awk:$PATH "$scripts/demo-models" "$tap_tmp/$awk/models"
        diff -r "$dir/models" "$tap_tmp/$awk/models" || return 1
    done
    grep -h ^ATOM "$dir"/models/*.pdb | awk 'length != 78 { print; exit 1 }'
}

itself() {
    run 0 "$cryolex" search -q -k 1 -i "$dir/models.index.h5" "$dir"/models/*.pdb || return 1
    awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; i++) col[$i] = i; next }
        { n++; q = $col["query"]; sub(".*/", "", q); if (q != $col["id"] ".pdb") { print; bad = 1 } }
        END { if (n != 14) print n " lines"; exit bad || n != 14 }' "$out"
}

# A file name in Latin-1: JSON is UTF-8, and every key is there.
odd_name() {
    local odd=$'caf\xe9.pdb' model
    model=$(printf '%s\n' "$dir"/models/*.pdb | head -n 1)
    cp "$model" "$tap_tmp/$odd" && run 0 "$cryolex" index build -q -o "$tap_tmp/odd.h5" "$tap_tmp/$odd" &&
        run 0 "$cryolex" search -q --format json -i "$tap_tmp/odd.h5" "$tap_tmp/$odd" || return 1
    LC_ALL=C grep -q '"query":".*/caf?.pdb","rank":1,"id":"caf?",' "$out" && grep -q '"title":"' "$out" || { cat "$out"; return 1; }
}

# With a model and an index of its own models in share/, a map is annotated: the one made, or a given one.
annotates() {
    mkdir "$tap_tmp/share" && export CRYOLEX_SHARE=$tap_tmp/share || return 1
    "$cryolex" model new -q -o "$CRYOLEX_SHARE/default.safetensors" &&
        "$cryolex" index build -q -m "$CRYOLEX_SHARE/default.safetensors" -o "$CRYOLEX_SHARE/default.index.h5" "$dir/models/manifest.tsv" || return 1
    demo && grep -q '^\$ cryolex annotate --quiet --format text query.mrc$' "$out" && grep -q '^    double-ring ' "$out" || { cat "$out"; return 1; }
    run 0 "$scripts/demo" "$dir" "$dir/turned/double-ring.turned.pdb" && grep -q '^.*/turned/double-ring.turned.pdb$' "$out" || return 1
    run 3 env CRYOLEX_SHARE="$tap_tmp/none" "$scripts/demo" "$dir" "$dir/query.mrc" && grep -q 'no model and index' "$err"
}

tap "the demo finds what it hid" demo
tap "run again, it builds nothing" again
tap "the models" models
tap "each model finds itself" itself
tap "the demo annotates" annotates
tap "JSON of a file name that is not UTF-8" odd_name
tap_done
