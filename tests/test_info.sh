#!/bin/bash
# cryolex info and validate on a map of 2 x 2 x 2 voxels made here, 0 to 7, voxel 1.5 A.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
cryolex=${CRYOLEX:?the program to test}
out=$tap_tmp/out err=$tap_tmp/err
cd "$tap_tmp" || exit 99

# words N...: little-endian 32-bit integers.
words() {
    for w in "$@"; do
        # shellcheck disable=SC2059 # the format is the data
        printf "$(printf '\\%03o\\%03o\\%03o\\%03o' $((w & 255)) $((w >> 8 & 255)) $((w >> 16 & 255)) $((w >> 24 & 255)))"
    done
}
zeros() { head -c "$1" /dev/zero; }
# float32: 3, 90, 0, 7, 3.5, 2.291288
three=0x40400000 ninety=0x42b40000 seven=0x40e00000 mean=0x40600000 rms=0x4012a477

# map LABEL: the file, to stdout.
map() {
    words 2 2 2 2 0 0 0 2 2 2 $three $three $three $ninety $ninety $ninety 1 2 3 0 $seven $mean 1 0
    zeros 12 # 96-107
    words 20140
    zeros 96 # 112-207
    printf 'MAP DD\0\0'
    words $rms 1
    printf '%s' "$1" | head -c 80
    zeros $((800 - ${#1}))
    words 0 0x3f800000 0x40000000 0x40400000 0x40800000 0x40a00000 0x40c00000 $seven
}
LC_ALL=C
map 'made by hand' >good.mrc
gzip -k good.mrc
map $'caf\xe9 \x1b[31m "x"' >odd.mrc
{ map 'a'; printf xx; } >long.mrc
head -c 1000 good.mrc >short.mrc
words 3 | dd of=odd.mrc bs=1 seek=212 conv=notrunc 2>/dev/null # no machine stamp

golden() {
    run 0 "$cryolex" info good.mrc || return 1
    cat >want <<'EOF'
good.mrc
  kind      volume, mode 2 (float32), little-endian, compression none
  size      2 x 2 x 2 voxels (x, y, z)
  voxel     1.5 x 1.5 x 1.5 A
  box       3 x 3 x 3 A
  origin    0, 0, 0 A (ORIGIN 0, 0, 0; NSTART 0, 0, 0)
  axes      columns x, rows y, sections z
  cell      3, 3, 3 A; 90, 90, 90 degrees; 2 x 2 x 2 intervals; space group 1
  values    0 to 7, mean 3.5, sd 2.29129
  header    0 to 7, mean 3.5, rms 2.29129
  label 1   made by hand
EOF
    diff want "$out"
}
compressed() {
    run 0 "$cryolex" info good.mrc.gz && sed 's/good.mrc.gz/good.mrc/; s/gzip/none/' "$out" >got && diff want got
}
json() {
    run 0 "$cryolex" info --format json good.mrc odd.mrc && [ "$(wc -l <"$out")" -eq 2 ] || return 1
    head -n 1 "$out" | grep -q '"file":"good.mrc","format":"MRC","layout":null,"kind":"volume","values":"float32".*"size":\[2,2,2\].*"voxel":\[1.5,1.5,1.5\].*"mode":2.*"labels":\["made by hand"\],"notes":\[\]}$' || { cat "$out"; return 1; }
    tail -n 1 "$out" | grep -q '"labels":\["caf? *\[31m \\"x\\""\],"notes":\["machine stamp 03 00' || { cat "$out"; return 1; }
    ! tail -n 1 "$out" | grep -q "$(printf '[\351\033]')"
}
apix() {
    run 0 "$cryolex" info --apix 2 good.mrc && grep -q 'voxel     2 x 2 x 2 A' "$out" && grep -q 'box       4 x 4 x 4 A' "$out"
}
some_fail() {
    run 1 "$cryolex" info -q short.mrc nothing.mrc good.mrc && diff want "$out" && grep -q 'values    0 to 7' "$out" && [ "$(wc -l <"$err")" -eq 2 ] &&
        grep -q 'error: short.mrc: 1000 bytes' "$err" && grep -q 'error: nothing.mrc: No such file' "$err"
}
none_read() { run 3 "$cryolex" info -q short.mrc nothing.mrc && [ ! -s "$out" ] && [ "$(wc -l <"$err")" -eq 2 ]; }
skewed() { # the numbers are those of the grid that is told
    run 0 "$cryolex" info -q skew.mrc || return 1
    grep -q "size      3 x 2 x 2 voxels" "$out" && grep -q "voxel     1.5 x 1.29904 x 1.5 A" "$out" && grep -q "box       4.5 x 2.59808 x 3 A" "$out" &&
        grep -q "origin    -1.5, 0, 0 A" "$out" || { cat "$out"; return 1; }
    run 0 "$cryolex" info -q --format json skew.mrc && grep -q '"size":\[3,2,2\].*"voxel":\[1.5,1.299.*\],"origin":\[-1.5,0.0,0.0\]' "$out" || { cat "$out"; return 1; }
}
limit() { run 1 "$cryolex" info -q --memory 1M good.mrc big.mrc && grep -q 'need 4000000 bytes' "$err"; }
pipe() { run 0 sh -c 'cat good.mrc | "$1" info -' - "$cryolex" && grep -q 'values    0 to 7' "$out"; }
conforms() { run 0 "$cryolex" validate -q good.mrc good.mrc.gz && same header "$(printf 'file\tdeparture')" "$(cat "$out")" && [ ! -s "$err" ]; }
departs() {
    run 1 "$cryolex" validate -q good.mrc odd.mrc long.mrc short.mrc || return 1
    printf '%s\t%s\n' file departure odd.mrc 'MACHST: 03 00 00 00 (44 44 00 00, 44 41 00 00 or 11 11 00 00)' \
        long.mrc 'file: 1058 bytes, longer than the 1056 that the header accounts for' short.mrc 'file: 1000 bytes, shorter than the header (1024)' >want
    diff want "$out" || return 1
    cp odd.mrc $'a\tb\nc.mrc' && run 1 "$cryolex" validate -q $'a\tb\nc.mrc' && [ "$(wc -l <"$out")" -eq 2 ] && grep -q "^a b c.mrc$(printf '\t')MACHST" "$out"
}
one_missing() { run 1 "$cryolex" validate -q nothing.mrc good.mrc && [ "$(wc -l <"$out")" -eq 1 ]; }

cp good.mrc skew.mrc
words 0x42f00000 | dd of=skew.mrc bs=1 seek=60 conv=notrunc 2>/dev/null # gamma 120
{ words 100 100 100; tail -c +13 good.mrc; zeros 3999968; } >big.mrc
tap "info: golden" golden
tap "info: gzip" compressed
tap "info: JSON, odd bytes in a label" json
tap "info: --apix" apix
tap "info: some files fail, status 1" some_fail
tap "info: no file can be read, status 3" none_read
tap "info: a cell that is not orthogonal" skewed
tap "info: --memory" limit
tap "info: standard input" pipe
tap "validate: a good file" conforms
tap "validate: departures" departs
tap "validate: one of two is missing, status 1" one_missing
tap "validate: a missing file, status 3" run 3 "$cryolex" validate -q nothing.mrc
tap_done
