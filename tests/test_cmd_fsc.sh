#!/bin/bash
# cryolex fsc: the curve as TSV and JSON, the resolutions, the picture, masks; what is refused. --half-maps of the commands.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
cryolex=${CRYOLEX:?the program to test}
cd "$tap_tmp" || exit 99

# Two maps that agree at low frequencies: within the same corners, five atoms lie elsewhere.
model() { # X Y Z of the atoms that move
    printf 'ATOM  %5d  CA  ALA A%4d    %8.3f%8.3f%8.3f  1.00 20.00           C\n' 1 1 0 0 0 2 2 22 22 22 3 3 "${@:1:3}" 4 4 "${@:4:3}" 5 5 "${@:7:3}" \
        6 6 "${@:10:3}" 7 7 "${@:13:3}"
}
model 8 12 9 4 15 8 17 6 11 12 9 3 5 6 18 >a.pdb
model 10 13 7 2 14 10 16 9 12 9 8 4 7 7 17 >b.pdb
for i in a b; do "$cryolex" simulate -q --resolution 5 --apix 1.5 --pad 10 $i.pdb $i.mrc || exit 99; done
"$cryolex" simulate -q --resolution 20 --apix 1.5 --pad 10 a.pdb m.mrc # a mask of no particular merit: values 0 to some hundredth
"$cryolex" resample -q --box 20 a.mrc small.mrc
"$cryolex" resample -q --in-apix 1.52 --lowpass 4 a.mrc other.mrc # the same sides
gzip -k b.mrc
"$cryolex" resample -q --box 80 a.mrc large.mrc # 2 MB

# field NAME: of the first line of $tap_tmp/out, as JSON
field() { sed -n -E "1s/.*\"$1\":(\[[^]]*\]|[^,}]*).*/\1/p" out; }

curve() {
    run 0 "$cryolex" fsc a.mrc b.mrc || return 1
    awk -F'\t' 'NR == 1 {exit !($0 == "shell\tfrequency\tresolution\tunmasked")}' out || return 1
    awk -F'\t' 'NR == 1 {next} NF != 4 || $1 != NR - 2 {bad = 1}
        NR == 2 {bad += $2 != 0 || $3 != "-" || $4 != 1; next}
        {f = 1 / $3 - $2; bad += f * f > 1e-9 || $4 < -1 || $4 > 1; last = $4}
        NR == 3 {bad += $4 < 0.99} END {exit bad || NR < 10 || last > 0.5}' out || { cat out; return 1; }
    grep -q 'resolution, unmasked: .* angstrom at ' err
}

threads_and_gzip() {
    for j in 1 3; do run 0 "$cryolex" fsc -q -j $j a.mrc b.mrc.gz --auto-mask --randomise -o $j.png && cp out $j.tsv || return 1; done
    cmp 1.tsv 3.tsv && cmp 1.png 3.png
}

of_itself() { # 1 to the end, and a warning that these are no half-maps
    run 0 "$cryolex" fsc a.mrc a.mrc --format summary && grep -q 'the same, voxel by voxel' err || return 1
    awk -F'\t' 'NR > 1 && $4 != "nyquist" {bad = 1} END {exit bad || NR != 3}' out || { cat out; return 1; }
    run 0 "$cryolex" fsc -q a.mrc a.mrc && awk -F'\t' 'NR > 1 && $4 != "1.000000" {exit 1}' out
}

summary() { # what is told is what the curve says: linear between the shells
    run 0 "$cryolex" fsc -q a.mrc b.mrc && cp out t.tsv || return 1
    run 0 "$cryolex" fsc -q a.mrc b.mrc --threshold 0.9 --format summary || return 1
    want=$(awk -F'\t' 'NR > 2 && $4 < 0.9 {printf "%.2f", 1 / (f + (c - 0.9) / (c - $4) * ($2 - f)); exit} {f = $2; c = $4}' t.tsv)
    same resolution "$want" "$(awk -F'\t' 'NR == 2 {printf "%.2f", $3}' out)" && same crosses yes "$(awk -F'\t' 'NR == 2 {print $4}' out)"
}

json() {
    run 0 "$cryolex" fsc -q a.mrc b.mrc --auto-mask --randomize --format json || return 1
    [ "$(wc -l <out)" -eq 1 ] && same shells "$(field shells)" "$(field corrected | tr , '\n' | wc -l)" && grep -q '"curve":"corrected","threshold":0.143,"resolution":[0-9]' out
}

all_columns() {
    run 0 "$cryolex" fsc -q a.mrc b.mrc --auto-mask --randomise || return 1
    same header "$(printf 'shell\tfrequency\tresolution\tunmasked\tmasked\trandomised\tcorrected')" "$(head -1 out)"
    awk -F'\t' 'NR > 1 {t = $5; r = $6; d = $7 - (r > t ? 0 : (t - r) / (1 - r)); if ($7 != t && d * d > 1e-8) bad = 1; if ($7 != t) n++}
        END {exit bad || !n}' out || { cat out; return 1; }
}

svg() {
    run 0 "$cryolex" fsc -q a.mrc b.mrc --auto-mask --randomise -o c.svg || return 1
    for what in '^<svg ' 'Fourier shell correlation' '>0.143<' '>unmasked<' '>masked<' '>random phases<' '>corrected<' 'spatial frequency (1/' '^</svg>$'; do
        grep -q "$what" c.svg || { echo "no $what"; return 1; }
    done
    same curves 4 "$(grep -c 'stroke-width="2"' c.svg)" && [ "$(grep -c nan c.svg)" -eq 0 ]
}

# No corner of a curve lies on the number at a crossing.
clear() {
    "$cryolex" resample -q --box 80 b.mrc wide.mrc || return 1
    for t in 0.05 0.135 0.145 0.235 0.255 0.455 0.515; do
        run 0 "$cryolex" fsc -q large.mrc wide.mrc --auto-mask --randomise -t "$t" -o n.svg || return 1
        sed -n -E 's/^<text x="([0-9.]*)" y="([0-9.]*)" font-size="13" fill="#222222" text-anchor="start">[0-9.]* Å<.*/\1 \2/p' n.svg >at.txt
        grep 'stroke-width="2"' n.svg | sed 's/.*points="//; s/".*//' | tr ' ,' '\n ' |
            awk 'FNR == NR {x = $1; y = $2; n++; next} n && $1 > x && $1 < x + 46 && $2 > y - 10 && $2 < y + 1 {print "on the number:", $0; bad = 1} END {exit bad}' at.txt - || { echo "threshold $t"; return 1; }
        cat at.txt >>all.txt
    done
    [ "$(wc -l <all.txt)" -ge 4 ] # of the others the number is left of the crossing
}

png() { # signature, and the sides of 760 x 520 units, two pixels each
    run 0 "$cryolex" fsc -q a.mrc b.mrc -o C.PNG || return 1
    same head "89504e470d0a1a0a 000005f0 00000410 0802" "$(od -An -v -tx1 -N26 C.PNG | tr -d ' \n' | sed -E 's/^(.{16}).{16}(.{8})(.{8})(.{4})$/\1 \2 \3 \4/')"
}

refused() { # STATUS PATTERN ARGUMENT...
    want=$1 pattern=$2
    shift 2
    run "$want" "$cryolex" fsc "$@" || return 1
    grep -q -- "$pattern" err && [ ! -s out ] || { cat out err; return 1; }
}

stays() { # an output that is an input
    cp a.mrc own.svg && run 2 "$cryolex" fsc own.svg b.mrc -o own.svg && cmp a.mrc own.svg
}

# ---- --half-maps ----

# told FILE: the resolution in the note about half-maps
told() { sed -n -E 's/.*averaged with .*: resolution ([0-9.]+) angstrom at a Fourier.*/\1/p' "$1"; }

average() { # with itself the map; told as fsc tells; plane by plane and whole the same bytes
    run 0 "$cryolex" resample a.mrc one.mrc --box 30 && run 0 "$cryolex" resample --half-maps a.mrc a.mrc two.mrc --box 30 || return 1
    grep -q 'a.mrc is the same map, or a multiple of it' err && cmp one.mrc two.mrc || return 1
    run 0 "$cryolex" resample --half-maps a.mrc b.mrc avg.mrc && r=$(told err) || return 1
    run 0 "$cryolex" fsc -q a.mrc b.mrc --threshold 0.143 --format summary || return 1
    same resolution "$(awk -F'\t' 'NR == 2 {printf "%.2f", $3}' out)" "$r" || return 1
    run 0 "$cryolex" resample -j 3 --half-maps a.mrc b.mrc.gz gz.mrc && cmp avg.mrc gz.mrc
}

low_pass() { # at the resolution, unless another is asked for
    exact=$("$cryolex" fsc -q a.mrc b.mrc --threshold 0.143 --format summary | awk -F'\t' 'NR == 2 {print $3}')
    for l in 1.5 10; do run 0 "$cryolex" resample --half-maps a.mrc b.mrc l$l.mrc --lowpass $l || return 1; done
    run 0 "$cryolex" resample l1.5.mrc again.mrc --lowpass "$exact" || return 1 # 1.5 angstrom is past the corners: no filter
    run 0 "$cryolex" fsc -q avg.mrc again.mrc && awk -F'\t' 'NR > 1 && $2 < 1 / '"$exact"' && $4 < 0.99999 {exit 1}' out || { cat out; return 1; }
    cmp -s avg.mrc l1.5.mrc && return 1
    ! cmp -s avg.mrc l10.mrc
}

mean_of_both() {
    m() { "$cryolex" info -q --format json "$1" 2>/dev/null | sed -E 's/.*"statistics":\{[^}]*"mean":([-0-9.e]+).*/\1/'; }
    awk -v a="$(m a.mrc)" -v b="$(m b.mrc)" -v c="$(m l1.5.mrc)" 'BEGIN {d = (a + b) / 2 - c; exit !(a && b && d * d < 1e-12 * c * c)}'
}

searches() { # a map with itself is found as the map
    run 0 "$cryolex" index build -q -o i.h5 a.pdb b.pdb && run 0 "$cryolex" search -q -i i.h5 -d cube avg.mrc && cp out plain.tsv || return 1
    run 0 "$cryolex" search -i i.h5 -d cube --half-maps avg.mrc avg.mrc b.mrc a.mrc && [ -n "$(told err)" ] || return 1
    same hits "$(cat plain.tsv)" "$(grep -v '^b.mrc' out)" && same "of b" 2 "$(grep -c '^b.mrc' out)"
}

embeds() {
    run 0 "$cryolex" model new -q -o m.safetensors && run 0 "$cryolex" embed -q -m m.safetensors avg.mrc && cp out plain.tsv || return 1
    run 0 "$cryolex" embed -q -m m.safetensors --half-maps avg.mrc avg.mrc && cmp plain.tsv out || return 1
    run 1 "$cryolex" embed -m m.safetensors --half-maps avg.mrc avg.mrc a.mrc small.mrc && grep -q 'small.mrc: side x of 20 voxels (a.mrc has 30)' err
}

misuse() { # PATTERN ARGUMENT...
    pattern=$1
    shift
    run 2 "$cryolex" "$@" && grep -q -- "$pattern" err && [ ! -s out ] || { cat err; return 1; }
}

cp a.mrc nan.mrc
printf '\0\0\300\177' | dd of=nan.mrc bs=1 seek=2000 conv=notrunc 2>/dev/null
cp a.mrc flat.mrc
n=$(($(wc -c <a.mrc) - 1024))
{ head -c 1024 a.mrc; head -c $n /dev/zero; } >flat.mrc

tap "the curve" curve
tap "any threads, compressed: the same bytes" threads_and_gzip
tap "a map against itself" of_itself
tap "resolution by interpolation" summary
tap "JSON" json
tap "mask: four curves" all_columns
tap "a mask of one's own" run 0 "$cryolex" fsc -q a.mrc b.mrc --mask m.mrc
tap "SVG" svg
tap "PNG" png
tap "other sides" refused 3 "small.mrc: side x of 20 voxels (a.mrc has 30" a.mrc small.mrc
tap "other voxel size" refused 3 "a.mrc: voxel size x of 1.5 angstrom (other.mrc has 1.52)" other.mrc a.mrc
tap "mask of other sides" refused 3 "small.mrc: side x of 20 voxels (a.mrc has 30" a.mrc b.mrc --mask small.mrc
tap "NaN" refused 3 "nan.mrc: 1 of .* voxels NaN" a.mrc nan.mrc
tap "constant" refused 3 "flat.mrc: every voxel is 0" flat.mrc b.mrc
tap "mask of zeros" refused 3 "flat.mrc: nothing above 0" a.mrc b.mrc --mask flat.mrc
tap "mask and auto-mask" refused 2 "one of them" a.mrc b.mrc --mask m.mrc --auto-mask
tap "numbers at crossings are clear" clear
tap "a mask named auto" refused 2 "--auto-mask makes a mask" a.mrc b.mrc --mask auto
tap "randomise without a mask" refused 2 "--mask MASK" a.mrc b.mrc --randomise
tap "bad thresholds" refused 2 "--threshold 0.143,x" a.mrc b.mrc --threshold 0.143,x
tap "threshold past 1" refused 2 "--threshold 1.5" a.mrc b.mrc --threshold 1.5
tap "another picture" refused 2 "neither in .svg nor in .png" a.mrc b.mrc -o c.jpg
tap "picture in no folder" refused 3 "no/c.svg: cannot write" a.mrc b.mrc -o no/c.svg
tap "onto an input" stays
tap "no file" refused 3 "nofile.mrc" a.mrc nofile.mrc
tap "one map" refused 2 "1 operands" a.mrc
tap "--memory" refused 3 "large.mrc: the curves need .* see --memory" --memory 3M large.mrc large.mrc

tap "--half-maps: resample" average
tap "--half-maps: low-pass" low_pass
tap "--half-maps: the mean" mean_of_both
tap "--half-maps: search" searches
tap "--half-maps: embed" embeds
tap "--half-maps: an odd number, search" misuse "--half-maps: 3 files" search -i i.h5 --half-maps a.mrc b.mrc a.mrc
tap "--half-maps: an odd number, annotate" misuse "--half-maps: 1 files" annotate -i i.h5 --half-maps a.mrc
tap "--half-maps: an odd number, embed" misuse "--half-maps: 1 files" embed -m m.safetensors --half-maps a.mrc
tap "--half-maps: a folder" misuse "--half-maps .: a folder or a table" embed -m m.safetensors --half-maps . b.mrc
tap "--half-maps: resample without OUT" misuse "A, B and OUT" resample --half-maps a.mrc b.mrc
tap "resample of two maps without --half-maps" misuse "3 operands (IN and OUT)" resample a.mrc b.mrc x.mrc
tap "--half-maps: other sides" run 3 "$cryolex" resample --half-maps a.mrc small.mrc x.mrc
tap "--half-maps: the other is NaN" run 3 "$cryolex" resample --half-maps a.mrc nan.mrc x.mrc
tap "--half-maps: --memory" run 3 "$cryolex" resample --memory 3M --half-maps large.mrc large.mrc x.mrc
tap_done
