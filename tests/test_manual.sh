#!/bin/bash
# The command lines of doc/manual.md, in order, in an empty folder. What would be fetched comes from CRYOLEX_DATA, where that is; without it a made map and made
# models stand in under the same names, by an index of these. The text encoder is never fetched: lines that need it run where it is in the cache.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
src=$(cd "${srcdir:-.}" && pwd)
cryolex=${CRYOLEX:?the program to test}
data=${CRYOLEX_DATA-}
unset CRYOLEX_INDEX CRYOLEX_MODEL
mkdir "$tap_tmp/bin" "$tap_tmp/w" || exit 99
ln -s "$cryolex" "$tap_tmp/bin/cryolex"
ln -s "$src/scripts/relion-external" "$tap_tmp/bin/relion-external"
export PATH=$tap_tmp/bin:$PATH
unset CRYOLEX

# What the tutorial fetches, under the names that the fetch scripts give.
fetched=$tap_tmp/fetched
mkdir -p "$fetched/maps/EMD-1080" "$fetched/structures"
if [ -f "$data/maps/EMD-1080.mrc" ] && [ -f "$data/structures/oe/1oel.pdb.gz" ] && [ -f "$src/share/default.index.h5" ]; then
    gzip -1 -c "$data/maps/EMD-1080.mrc" >"$fetched/maps/EMD-1080/emd_1080.map.gz"
    cp "$data/structures/oe/1oel.pdb.gz" "$data/structures/mn/1mnf.pdb.gz" "$fetched/structures"
    export CRYOLEX_SHARE=$src/share
    real=yes
else
    echo "# no real data (CRYOLEX_DATA), or no default index: a made map stands in"
    export CRYOLEX_SHARE=$tap_tmp/share
    mkdir "$CRYOLEX_SHARE"
    "$src/scripts/demo-models" "$tap_tmp/models" >/dev/null || exit 99
    cp "$tap_tmp/models/double-ring.pdb" "$fetched/structures/1oel.pdb"
    for f in "$tap_tmp"/models/*.pdb; do # as 1oel and 1mnf, and the rest by their names
        case $f in */double-ring.pdb) ;; *) cp "$f" "$fetched/structures/1mnf.pdb"; break ;; esac
    done
    cp "$fetched"/structures/*.pdb "$tap_tmp/models"
    rm "$tap_tmp/models/double-ring.pdb"
    cryolex simulate -q --resolution 8 --apix 2.5 "$fetched/structures/1oel.pdb" "$fetched/maps/EMD-1080/emd_1080.map.gz" &&
        printf 'pdb_id\ttitle\tmolecule_names\tclassification\torganism\tmethod\n1oel\tring\tA\t\t\tX-RAY DIFFRACTION\n1mnf\tother\tB\t\t\tX-RAY DIFFRACTION\n' >"$tap_tmp/pdb_names.tsv" &&
        cryolex model new -q -o "$CRYOLEX_SHARE/default.safetensors" || exit 99
    mkdir "$tap_tmp/annot" && mv "$tap_tmp/pdb_names.tsv" "$tap_tmp/annot"
    printf '1OEL_1\n1MNF_1\n' >"$tap_tmp/annot/clusters-by-entity-30.txt"
    printf 'go_id\tname\tnamespace\tparents\tobsolete\nGO:0000001\troot\tmolecular_function\t\t0\nGO:0000002\tfolding\tmolecular_function\tisa=GO:0000001\t0\n' >"$tap_tmp/annot/go_terms.tsv"
    printf 'pdb_id\tgo_ids\n1oel\tGO:0000002\n' >"$tap_tmp/annot/pdb_go_entry.tsv"
    rm -f "$tap_tmp/models/manifest.tsv"
    cryolex index build -q -m "$CRYOLEX_SHARE/default.safetensors" --annot "$tap_tmp/annot" -o "$CRYOLEX_SHARE/default.index.h5" "$tap_tmp/models" || exit 99
    real=no
fi

# One command line, by the shell that a reader has.
line() { (cd "$tap_tmp/w" && sh -e -c "$1" </dev/null); }
encoder=${CRYOLEX_TEXT_MODEL:-${XDG_CACHE_HOME:-$HOME/.cache}/cryolex/text/minilm}
sed -n '/^```sh$/,/^```$/{/^```/d;p}' "$src/doc/manual.md" >"$tap_tmp/lines"
tap "the manual has command lines" [ "$(wc -l <"$tap_tmp/lines")" -ge 20 ]
while IFS= read -r l <&3; do
    case $l in
        '' | '#'*) ;;
        'fetch-emdb '* | 'fetch-pdb '*)
            cp -r "$fetched/." "$tap_tmp/w"
            tap_skip "$l" "what it fetches was put there"
            ;;
        *'fetch-text-model '*) tap_skip "$l" "91 MB from the network" ;;
        *' --text '*)
            if [ ! -d "$encoder" ]; then tap_skip "$l" "no sentence encoder in $encoder"
            elif [ $real = no ]; then tap_skip "$l" "the made model knows no text"
            else tap "$l" line "$l"; fi
            ;;
        *) tap "$l" line "$l" ;;
    esac
done 3<"$tap_tmp/lines"

# And what the text says of them.
column() { awk -F '\t' -v f="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == f) c = i; next } { print $c }' "$2"; }
says() {
    cd "$tap_tmp/w" || return 1
    same first 1oel "$(awk -F '\t' '$2 == "entry" { print $3; exit }' terms.tsv)" && same star "1 1oel" "$(awk '$1 == 1 { print $1, $2 }' External/job001/cryolex.star)" &&
        [ -s pages/emd_1080.html ] && [ -s overview/index.html ] && [ -s fitted.png ] &&
        [ -s placed/fit.cxc ] && [ -s all.npy ] && same placed 1oel "$(column entry fit.tsv | head -n 1)" && grep -q '"query"' terms.json || return 1
    [ $real = no ] || awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; i++) c[$i] = i }
        NR == 2 && !($c["correlation"] > 0.735 && $c["correlation"] < 0.745 && $c["inside"] > 0.955) { print; exit 1 }' fit.tsv
}
links() {
    local f bad=0
    for f in $(grep -Eo '\]\([^)#][^)]*\)' "$src/doc/manual.md" | sed 's/^](//; s/)$//; s/#.*//'); do
        case $f in http*) ;; *) [ -e "$src/doc/$f" ] || { echo "no doc/$f"; bad=1; } ;; esac
    done
    return $bad
}
tap "they give what the text says" says
tap "links lead somewhere" links
tap_done
