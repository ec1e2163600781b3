#!/bin/bash
# cryolex report: pages of annotate and search, their pictures, hits and terms; models placed in the map; hostile results; the overview of many and of a sweep.
# shellcheck disable=SC2317,SC2015,SC2016 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
. "${srcdir:-.}/tests/made_world.sh"
cryolex=${CRYOLEX:?the program to test}
check=$(cd "${srcdir:-.}/tests" && pwd)/page_check.py
mkdir "$tap_tmp/w" && cd "$tap_tmp/w" || exit 99
unset CRYOLEX_MOLSTAR
export XDG_CACHE_HOME=$tap_tmp/none

# Three bodies of CA atoms, an index of them, the density of one.
mkdir models
for k in 1 2 3; do
    ca_atoms 150 "(7 + 3 * $k) * cos(i * 0.5)" "9 * sin(i * 0.5) + 0.1 * $k * i" "0.35 * i / $k + (i % 7 == 0) * 3" >"models/${k}abc.pdb"
done
"$cryolex" index build -q -o i.h5 models || exit 99
"$cryolex" simulate -q --resolution 9 --apix 3 --pad 12 models/2abc.pdb emd_0002.mrc || exit 99
"$cryolex" simulate -q --resolution 9 --apix 3 --pad 12 models/1abc.pdb other.mrc || exit 99
"$cryolex" search -q -i i.h5 --format json emd_0002.mrc other.mrc >found.jsonl || exit 99
printf '<emd emdb_id="EMD-0002" version="3.0.0.0"><admin><title>A helix &lt;b&gt;bold&lt;/b&gt;</title></admin></emd>' >emd-0002.xml

# An answer as annotate gives it, for a file.
answer() { # FILE
    printf '{"query":"%s","rg":20.1,"volume":51000,"mass_kda":33,"symmetry":{"group":"C2","score":0.9,"contrast":0.8},"known":0.91,"novel":false,"entries":[' "$1"
    printf '{"id":"2abc","title":"second","confidence":0.93,"score":9.1,"cosine":0.99,"cube":0.98,"dlog_rg":0.01},{"id":"1abc","title":"first","confidence":0.11,"score":4}],"terms":['
    printf '{"kind":"go","id":"GO:0003824","name":"catalytic activity","namespace":"molecular_function","confidence":0.81,"vote":0.8,"text":0.3,"hits":2,"nearest":["2abc","9xyz"]},'
    printf '{"kind":"ec","id":"EC:3.2.1.-","name":"Glycosidases","namespace":"ec","confidence":0.4,"vote":0.4,"hits":1,"nearest":["1abc"]},'
    printf '{"kind":"pfam","id":"PF00042","name":"Globin","namespace":"pfam","confidence":0.6,"vote":0.4,"hits":0,"nearest":[]},'
    printf '{"kind":"cath","id":"CATH:1.10.490.10","name":"Globins","namespace":"cath","confidence":0.6,"vote":0.4,"hits":1,"nearest":["2abc"]},'
    printf '{"kind":"molecule","name":"thing","namespace":"molecule","confidence":0.6,"vote":0.4,"hits":1,"nearest":["2abc"]}]}\n'
}
answer emd_0002.mrc >answer.jsonl
images() { grep -o '<img ' "$1" | wc -l; }

page() { # all pictures, thumbnails by the files that the index names; header, terms and their links; tables to take away
    run 0 "$cryolex" report -q -i i.h5 -f 0 -o one answer.jsonl && run 0 python3 "$check" one/emd_0002.html || return 1
    same images 12 "$(images one/emd_0002.html)" && [ ! -e one/index.html ] && [ ! -e one/emd_0002 ] || return 1
    for p in 'A helix &lt;b&gt;bold&lt;/b&gt;' 'href="#hit-1"' 'https://www.rcsb.org/structure/2abc' 'https://www.ebi.ac.uk/QuickGO/term/GO:0003824' \
        'https://enzyme.expasy.org/EC/3.2.1.-' 'interpro/entry/pfam/PF00042/' 'superfamily/1.10.490.10' 'none; by its text alone' 'cryolex search -i i.h5 --like=2abc' \
        'download="hits.tsv"' 'download="terms.tsv"' 'download="map.cxc"' 'about 33 kDa' 'C2 (0.90)'; do
        grep -qF "$p" one/emd_0002.html || { echo "not there: $p"; return 1; }
    done
    sed -n 's/.*download="hits.tsv" href="data:[^,]*,\([^"]*\)".*/\1/p' one/emd_0002.html | base64 -d >got.tsv && same rows 3 "$(wc -l <got.tsv)" && grep -q '^1	2abc	9.1	' got.tsv
}

thumbnails_of_index() { # without the files, from the cubes that the index keeps
    mv models hidden
    run 0 "$cryolex" report -q -i i.h5 -o cubes answer.jsonl
    mv hidden models
    same images 12 "$(images cubes/emd_0002.html)" && ! cmp -s one/emd_0002.html cubes/emd_0002.html
}

threads() {
    for j in 1 3; do run 0 "$cryolex" report -q -j $j -i i.h5 -f 0 -o "j$j" answer.jsonl || return 1; done
    cmp j1/emd_0002.html j3/emd_0002.html
}

search_results() { # two queries of search: an overview, no terms
    run 0 "$cryolex" report -q -i i.h5 -f 0 -o two found.jsonl && run 0 python3 "$check" two/*.html || return 1
    [ -s two/other.html ] && grep -q 'href="index.html"' two/other.html && ! grep -q 'What it does' two/other.html || return 1
    python3 - two/index.html <<'PY'
import json, re, sys
rows = json.loads(re.search(r'id="data">(.*?)</script>', open(sys.argv[1]).read(), re.S).group(1))
assert [r["page"] for r in rows] == ["emd_0002", "other"] and [r["hit"] for r in rows] == ["2abc", "1abc"], rows
PY
}

pages_limit() {
    run 0 "$cryolex" report -q -i i.h5 -f 0 -n 1 -o few found.jsonl && [ -e few/emd_0002.html ] && [ ! -e few/other.html ] && run 0 python3 "$check" few/index.html
}

placed() { # the model in the map, its file and script
    run 0 "$cryolex" report -q -i i.h5 -f 1 -s models -o fit answer.jsonl && run 0 python3 "$check" fit/emd_0002.html || return 1
    grep -q 'Placed in the map' fit/emd_0002.html && same images 15 "$(images fit/emd_0002.html)" && grep -q '^open "../../emd_0002.mrc"' fit/emd_0002/fit.cxc || { cat fit/emd_0002/fit.cxc; return 1; }
    grep -q '_atom_site' fit/emd_0002/2abc.cif && ! grep -q 'id="open-3d"' fit/emd_0002.html
}

molstar() { # copied beside the page, with map and model within it
    mkdir -p viewer && echo '"use strict";' >viewer/molstar.js && echo '/* */' >viewer/molstar.css
    run 0 "$cryolex" report -q -i i.h5 -s models --molstar viewer -o mol answer.jsonl && run 0 python3 "$check" mol/emd_0002.html || return 1
    cmp viewer/molstar.js mol/molstar/molstar.js && cmp viewer/molstar.css mol/molstar/molstar.css || return 1
    sed -n 's/.*id="scene-map">data:[^,]*,\(.*\)<\/script>/\1/p' mol/emd_0002.html | base64 -d >scene.mrc
    sed -n 's/.*class="scene-model"[^>]*>data:[^,]*,\(.*\)<\/script>/\1/p' mol/emd_0002.html | base64 -d >scene.pdb
    same atoms 150 "$(grep -c '^ATOM .* CA ' scene.pdb)" || return 1
    python3 - scene.mrc scene.pdb <<'PY'
# Most atoms lie where the map of the scene is above half of the level that it is shown at, 40.
import struct, sys
d = open(sys.argv[1], "rb").read()
n, cell, origin = struct.unpack("<3i", d[:12]), struct.unpack("<3f", d[40:52]), struct.unpack("<3f", d[196:208])
assert len(d) == 1024 + n[0] * n[1] * n[2] and d[208:212] == b"MAP " and struct.unpack("<i", d[12:16])[0] == 0
inside = total = 0
for line in open(sys.argv[2]):
    at = [round((float(line[30 + 8 * k:38 + 8 * k]) - origin[k]) / (cell[k] / n[k])) for k in range(3)]
    total += 1
    if all(0 <= at[k] < n[k] for k in range(3)): inside += struct.unpack("b", d[1024 + (at[2] * n[1] + at[1]) * n[0] + at[0]:][:1])[0] >= 20
assert inside > 0.9 * total, (inside, total)
PY
}

model_query() {
    answer models/2abc.pdb >m.jsonl
    run 0 "$cryolex" report -q -i i.h5 -o m m.jsonl && run 0 python3 "$check" m/2abc.html && grep -q 'a density simulated from it' m/2abc.html && same images 6 "$(images m/2abc.html)"
}

hostile() { # whatever is in the results is text; names of pages are names
    cat >h.jsonl <<'END'
{"query":"/none/<img src=x onerror=alert(1)>.mrc","symmetry":{"group":"<b>D7","score":0.9},"known":"x","entries":[{"id":"\"><script>alert(1)</script>","title":"</td></table><script src=http://evil/x.js></script>&amp;","confidence":0.9,"score":1},{"id":"../../1abc","title":7,"confidence":7},{"id":5},3,null],"terms":[{"id":"GO:1\" onclick=\"x","name":"<i>x","namespace":"</h3>","confidence":0.5,"nearest":["1abc","\"><script>",4],"hits":9},[]],"notes":["<script>alert(2)</script>",3]}
{"query":"../../../etc/passwd","entries":[]}
{"query":"index.html","entries":[{"id":"javascript:alert(1)"}],"terms":3,"novel":true}
{"query":"","entries":[]}
END
    run 0 "$cryolex" report -q -i i.h5 -s models --fits 3 -o h h.jsonl && run 0 python3 "$check" h/*.html || return 1
    same pages 5 "$(find h -name '*.html' | wc -l)" && [ ! -e index.html ] && ! grep -q '<script src\|<img src=x' h/*.html && [ "$(find h -type d | wc -l)" -eq 1 ]
}

names_like_pages() { # folders of pages, NAME/, beside pages, NAME.html
    local n
    mkdir -p alike
    for n in x x.html index.html x_html; do cp emd_0002.mrc "alike/$n.mrc" && answer "alike/$n.mrc"; done >alike.jsonl
    run 0 "$cryolex" report -q -i i.h5 -s models -f 1 -o like alike.jsonl && run 0 python3 "$check" like/*.html || { cat ../err; return 1; }
    same pages 'index.html index_html.html x.html x_html.html x_html~2.html' "$(cd like && echo *.html)" &&
        same folders 'index_html x x_html x_html~2' "$(cd like && find . -mindepth 1 -type d | sed 's|^\./||' | LC_ALL=C sort | tr '\n' ' ' | sed 's/ $//')"
}

odd_lines() { # lines that are none are passed over, with their number
    { echo '{"query"'; echo; echo '[]'; cat answer.jsonl; echo '{"query":"a"}'; } >odd.jsonl
    run 0 "$cryolex" report -i i.h5 -f 0 -o odd odd.jsonl && grep -q 'odd.jsonl, line 1' ../err && grep -q 'odd.jsonl, line 3' ../err && grep -q 'odd.jsonl, line 5' ../err || { cat ../err; return 1; }
}

unreadable() { # a query that is gone, or no map: a page without its pictures
    echo no map >bad.mrc
    { answer gone.mrc; answer bad.mrc; } >gone.jsonl
    run 0 "$cryolex" report -i i.h5 -f 0 -o gone gone.jsonl && grep -q 'gone.mrc: No such file' ../err && grep -q 'bad.mrc' ../err && run 0 python3 "$check" gone/*.html && same images 2 "$(images gone/gone.html)"
}

of_sweep() { # what failed, by cause; a map of the embeddings
    mkdir -p sweep
    for k in 1 2 3; do answer "models/${k}abc.pdb" | sed "s/}\$/,\"id\":\"${k}abc\",\"map\":{\"resolution\":$k.5},\"notes\":[\"n\"]}/"; done >sweep/results.jsonl
    printf 'id\tpath\tstate\tcause\tattempts\tmessage\nx1\ta/x1.map\tfailed\tformat\t1\tx1.map: <i>no</i> map\nx2\tb\tskipped\tmethod\t0\ttomography\nx3\tc\tfailed\tformat\t2\tx3: no map\n' >sweep/failures.tsv
    "$cryolex" model new -q -o u.safetensors --table net.json --features profile,log_rg && "$cryolex" embed -q -m u.safetensors -o sweep/embeddings.h5 models || return 1
    run 0 "$cryolex" report -q -i i.h5 -f 0 -n 1 -o swept sweep && run 0 python3 "$check" swept/*.html || return 1
    grep -q 'x1, x3' swept/index.html && grep -q '&lt;i&gt;no&lt;/i&gt;' swept/index.html && grep -q 'space of embeddings' swept/index.html || return 1
    python3 - swept/index.html <<'PY'
import json, re, sys
rows = json.loads(re.search(r'id="data">(.*?)</script>', open(sys.argv[1]).read(), re.S).group(1))
assert all("x" in r and "y" in r for r in rows) and [r["resolution"] for r in rows] == [1.5, 2.5, 3.5] and rows[0]["family"] == "Globin", rows
assert len({r["x"] for r in rows}) == 3
PY
}
small_net

refused() { # PATTERN STATUS ARGUMENTS
    run "$2" "$cryolex" report "${@:3}" && grep -q "$1" ../err || { cat ../err; return 1; }
}

tap "the page of an answer" page
tap "thumbnails from the index alone" thumbnails_of_index
tap "the same page for any number of threads" threads
tap "results of search, several queries" search_results
tap "pages of the first only" pages_limit
tap "a model placed in the map" placed
tap "Mol* beside the page" molstar
tap "a model as the query" model_query
tap "hostile results" hostile
tap "queries named like pages" names_like_pages
tap "odd lines" odd_lines
tap "queries that cannot be read" unreadable
tap "the overview of a sweep" of_sweep
tap "no folder for the pages" refused 'give -o DIR' 2 answer.jsonl
tap "no results" refused 'no results' 3 -i i.h5 -o x models/1abc.pdb
tap "no such results" refused 'none.jsonl' 3 -i i.h5 -o x none.jsonl
tap "no Mol* where it was said to be" refused 'molstar.js' 3 -i i.h5 --molstar none -o x answer.jsonl
tap "a file in place of the folder" refused 'not a folder' 3 -i i.h5 -o i.h5 answer.jsonl
tap_done
