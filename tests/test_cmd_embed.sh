#!/bin/bash
# cryolex model new, model info, embed: goldens, what is the same whatever the order and threads, and what is refused.
# shellcheck disable=SC2317,SC2015,SC2016 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
. "${srcdir:-.}/tests/made_world.sh"
cryolex=${CRYOLEX:?the program to test}
mkdir "$tap_tmp/w" && cd "$tap_tmp/w" || exit 99
out=$tap_tmp/out err=$tap_tmp/err

mkdir models
for k in 1 2 3; do
    ca_atoms 60 "5 * $k * cos(i)" "9 * sin(i) + 0.1 * i" "1.5 * i / $k" >"models/m$k.pdb"
done
awk '{ printf "%s%8.3f%8.3f%8.3f%s\n", substr($0, 1, 30), -substr($0, 39, 8), substr($0, 31, 8), substr($0, 47, 8), substr($0, 55) }' models/m2.pdb >turned.pdb
echo broken >broken.pdb
printf 'id\tpath\na\tmodels/m1.pdb\nx\tbroken.pdb\nb\tmodels/m2.pdb\nc\tmodels/m3.pdb\n' >list.tsv
small_net
small=(--table net.json --features "profile,log_rg")

field() { awk -F '\t' -v f="$1" '$1 == f { print $2 }' "$out"; }

new_model() {
    run 0 "$cryolex" model new -q -o u.safetensors && run 0 "$cryolex" model new -q -o v.safetensors --seed 1 && cmp u.safetensors v.safetensors || return 1
    run 0 "$cryolex" model new -q -o v.safetensors --seed 2 && ! cmp -s u.safetensors v.safetensors
    run 0 "$cryolex" model new -q -o s.safetensors "${small[@]}"
}
default_info() {
    run 0 "$cryolex" model info u.safetensors && [ "$(grep -c . "$err")" -eq 1 ] || return 1
    same facts "$(printf '%s\n' 'field value' 'path u.safetensors' 'format cryolex model 1' 'tensors 55' 'parameters 2837512' \
        'multiply_adds 851805824' 'embedding 256' 'frames 4' 'cube_side 32' 'cube_version 1' 'cube_edge_rg 5.0' 'cube_shells 10' \
        'features log_rg,profile,zernike' 'provenance.command model new' 'provenance.seed 1' 'provenance.trained false')" \
        "$(tr '\t' ' ' <"$out" | grep -v -e '^hash ' -e '^provenance.program ')" || return 1
    [[ $(field hash) =~ ^[0-9a-f]{16}$ ]] && field provenance.program | grep -q '^cryolex '
}
json_info() {
    run 0 "$cryolex" model info --format json u.safetensors &&
        grep -q '"parameters":2837512,.*"features":\["log_rg","profile","zernike"\],"provenance":{.*"seed":1,' "$out" && [ "$(wc -l <"$out")" -eq 1 ]
}
layers() {
    run 0 "$cryolex" model info --layers u.safetensors && sed -n 2p "$out" | grep -q '^1.conv.stem.32x16x16x16.4000.16384000$' || return 1
    same sums "2837512 851805824" "$(awk -F '\t' 'NR > 1 { p += $5; m += $6 } END { printf "%d %d\n", p, m }' "$out")" || return 1
    tail -n 1 "$out" | grep -q 'l2norm.-.256.0.0$' && rows=$(wc -l <"$out") || return 1
    run 0 "$cryolex" model info --layers --format json u.safetensors && same rows "$((rows - 1))" "$(wc -l <"$out")"
}
table_again() { # a model made from the table of another has the same parameters and is the same file
    run 0 "$cryolex" model info -q --table u.safetensors && cp "$out" t.json && run 0 "$cryolex" model new -q --table t.json -o v.safetensors && cmp u.safetensors v.safetensors
}
model_refuses() {
    run 2 "$cryolex" model new -q --table net.json -o net.json && grep -q 'is an input' "$err" &&
        run 2 "$cryolex" model new -q --features log_rg,mass -o x && grep -q 'log_rg,mass' "$err" &&
        run 2 "$cryolex" model new -q --features '' -o x && run 2 "$cryolex" model new -q --features profile, -o x &&
        run 2 "$cryolex" model info --table --layers u.safetensors &&
        run 2 "$cryolex" model new -q --features log_rg,log_rg -o x && grep -q 'log_rg twice' "$err" &&
        run 2 "$cryolex" model new -q --table net.json --features log_rg,profile,zernike,log_rg -o x && grep -q 'log_rg twice' "$err" &&
        run 2 "$cryolex" model new -q --features log_rg -o x && run 2 "$cryolex" model new -q --features none -o x &&
        grep -q 'the default network takes log_rg,profile,zernike; another list needs --table; see' "$err" &&
        run 3 "$cryolex" model new -q --table net.json -o x && grep -q 'net.json: network: .*33 numbers (154' "$err" &&
        run 3 "$cryolex" model new -q --table list.tsv -o x && grep -q 'list.tsv: ' "$err" &&
        echo >empty.json && run 3 "$cryolex" model new -q --table empty.json -o x && grep -q 'empty.json: empty$' "$err" &&
        run 3 "$cryolex" model new -q -o no/x && run 3 "$cryolex" model info none && run 3 "$cryolex" model info list.tsv && [ ! -e x ]
}

# A network for another cube: what is embedded follows it.
other_side() {
    sed 's/32, 32, 32/24, 24, 24/' net.json >net24.json && run 0 "$cryolex" model new -q --table net24.json --features profile,log_rg -o s24.safetensors &&
        run 0 "$cryolex" model info s24.safetensors && [ "$(field cube_side)" = 24 ] &&
        run 0 "$cryolex" embed -q -m s24.safetensors models/m1.pdb && [ "$(wc -l <"$out")" -eq 2 ] && grep -qv nan "$out"
}

# One row an item that can be read, of length 1; the turned model is where its own is.
rows() {
    run 1 "$cryolex" embed -q -m s.safetensors list.tsv turned.pdb && grep -q 'left out: broken.pdb' "$err" || { cat "$err"; return 1; }
    cp "$out" all.tsv
    same header "id rg z0 z1 z2 z3 z4 z5" "$(head -n 1 all.tsv | tr '\t' ' ')" && same ids "a b c turned" "$(tail -n +2 all.tsv | cut -f 1 | xargs)" || return 1
    awk -F '\t' 'NR > 1 { s = 0; for (i = 3; i <= NF; i++) { s += $i * $i; v[$1, i] = $i } n++
            if (!(s > 0.99999 && s < 1.00001 && NF == 8 && $2 > 5 && $2 < 100)) bad = 1 }
        END { for (i = 3; i <= 8; i++) { same += v["b", i] * v["turned", i] } print n, same; exit bad || !(n == 4 && same > 0.99) }' all.tsv
}
same_rows() { # by itself, in another order, on one thread and on four
    run 0 "$cryolex" embed -q -j 1 -m s.safetensors turned.pdb models/m3.pdb && same "another order" "$(sed -n '5p;4p' all.tsv | sort)" "$(tail -n +2 "$out" | sed 's/^m3/c/' | sort)" || return 1
    run 1 "$cryolex" embed -q -j 4 -m s.safetensors list.tsv turned.pdb && cmp "$out" all.tsv || return 1
    run 1 env CRYOLEX_MODEL=s.safetensors "$cryolex" embed -q list.tsv turned.pdb && cmp "$out" all.tsv
}
many() { # more items than a batch holds
    { printf 'id\tpath\n'; for i in $(seq 150); do printf 'i%d\tmodels/m%d.pdb\n' "$i" $((i % 3 + 1)); done; } >many.tsv
    run 0 "$cryolex" embed -q -m s.safetensors many.tsv && same ids "$(tail -n +2 many.tsv | cut -f 1)" "$(tail -n +2 "$out" | cut -f 1)" &&
        same values "$(for i in $(seq 150); do sed -n "$((i % 3 + 2))p" all.tsv | cut -f 2-; done)" "$(tail -n +2 "$out" | cut -f 2-)"
}
json_rows() {
    run 1 "$cryolex" embed -q --format json -m s.safetensors list.tsv turned.pdb || return 1
    same json "$(tail -n +2 all.tsv | tr '\t' ' ')" "$(sed 's/.*"id":"\([^"]*\)","rg":\([^,]*\),"embedding":\[\(.*\)\]}$/\1 \2 \3/; s/,/ /g' "$out")"
}
npy() { # 128 bytes of header, then the rows
    run 1 "$cryolex" embed -q -m s.safetensors -o x.npy list.tsv && same table "row id 0 a 1 b 2 c" "$(cut -f 1,2 "$out" | xargs)" || return 1
    same magic "$(printf '\223NUMPY\1\0v\0' | od -A n -t x1)" "$(head -c 10 x.npy | od -A n -t x1)" || return 1
    grep -aq "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 6), } *\$" x.npy && same size $((128 + 3 * 6 * 4)) "$(wc -c <x.npy)" || return 1
    tail -c +129 x.npy | od -A n -v -w4 -t f4 | paste - <(sed -n 2,4p all.tsv | cut -f 3- | tr '\t' '\n') |
        awk '{ d = $1 - $2; if (!(NF == 2 && d < 1e-6 && d > -1e-6)) bad = 1 } END { exit bad || NR != 18 }'
}
h5() {
    run 1 "$cryolex" embed -q -m s.safetensors -o x.h5 list.tsv && grep -aq embeddings x.h5 && run 1 "$cryolex" embed -q --format json -m s.safetensors -o x.h5 list.tsv &&
        head -n 1 "$out" | grep -q '^{"row":0,"id":"a","rg":[0-9.]*}$' || return 1
    echo old >to.h5 && ln -s to.h5 link.h5 && run 1 "$cryolex" embed -q -m s.safetensors -o link.h5 list.tsv && [ -L link.h5 ] && cmp x.h5 to.h5 || return 1
    mkfifo pipe.h5 && run 2 "$cryolex" embed -q -m s.safetensors -o pipe.h5 list.tsv && grep -q 'pipe.h5: a pipe or a device' "$err" &&
        [ ! -s "$out" ] && [ -p pipe.h5 ]
}
one_frame() {
    run 0 "$cryolex" embed -q --one-frame -m s.safetensors models/m3.pdb && [ "$(tail -n 1 "$out" | cut -f 3-)" != "$(sed -n 4p all.tsv | cut -f 3-)" ]
}
embed_refuses() {
    run 2 "$cryolex" embed models && grep -q 'no model' "$err" && run 2 "$cryolex" embed -m s.safetensors -o x.txt models && grep -q 'npy' "$err" &&
        cp s.safetensors model.npy && run 2 "$cryolex" embed -m model.npy -o model.npy models && cmp s.safetensors model.npy &&
        cp models/m1.pdb in.h5 && run 2 "$cryolex" embed -m s.safetensors -o in.h5 in.h5 && cmp models/m1.pdb in.h5 &&
        run 3 "$cryolex" embed -m none models && run 3 "$cryolex" embed -m s.safetensors none && run 3 "$cryolex" embed -m list.tsv models &&
        run 3 "$cryolex" embed -m s.safetensors -o no/x.npy models && run 3 "$cryolex" embed -m s.safetensors -o new.npy broken.pdb && [ ! -e new.npy ]
}
says_twice() { run 0 "$cryolex" embed -q -m s.safetensors models models/m1.pdb && grep -q 'warning: 1 ids.* m1$' "$err"; }
says_untrained() { # once, unless quiet; not of a model that does not say so
    run 0 "$cryolex" embed -m s.safetensors models && same note "cryolex: s.safetensors: an untrained model: its parameters are random" "$(grep untrained "$err")" || return 1
    run 0 "$cryolex" embed -q -m s.safetensors models && ! grep untrained "$err" || return 1
    sed 's/trained\\": false/trained\\": true /' s.safetensors >t.safetensors && run 0 "$cryolex" embed -m t.safetensors models && ! grep untrained "$err"
}
closes() { run 0 "$cryolex" embed -m s.safetensors models && grep -q '^cryolex: embed: 3 items, 0 failed' "$err" && grep -q 'wall.*CPU.*peak' "$err"; }

tap "model new" new_model
tap "model info" default_info
tap "model info, JSON" json_info
tap "model info --layers" layers
tap "model info --table" table_again
tap "model: refused" model_refuses
tap "model: another side of the cube" other_side
tap "embed" rows
tap "embed: the same alone, in any order, on any threads" same_rows
tap "embed: more than a batch" many
tap "embed: JSON" json_rows
tap "embed: npy" npy
tap "embed: HDF5" h5
tap "embed: one frame" one_frame
tap "embed: refused" embed_refuses
tap "embed: an id twice" says_twice
tap "embed: an untrained model" says_untrained
tap "embed: closing lines" closes
tap_done
