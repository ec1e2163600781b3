#!/bin/bash
# cryolex render: the picture of a map, its parts, sizes and colours, with a model; what is refused.
# shellcheck disable=SC2317 # functions are called through tap
. "${srcdir:-.}/tests/tap.sh"
cryolex=${CRYOLEX:?the program to test}
cd "$tap_tmp" || exit 99

# A helix of 60 CA atoms, and its density in a box that is no cube.
awk 'BEGIN {for (i = 0; i < 60; i++) printf "ATOM  %5d  CA  ALA A%4d    %8.3f%8.3f%8.3f  1.00 20.00           C\n", i + 1, i + 1, 9 * cos(i * 0.42), 9 * sin(i * 0.42), i * 0.7}' >a.pdb
"$cryolex" simulate -q --resolution 8 --apix 2 --pad 8 a.pdb a.mrc || exit 99

# png FILE: width, height and the mean of each channel, from the bytes; the checksums and the filters are undone by hand.
cat >png.py <<'PY'
import struct, sys, zlib
d = open(sys.argv[1], "rb").read()
assert d[:8] == b"\x89PNG\r\n\x1a\n"
at, idat = 8, b""
while at < len(d):
    n, kind = struct.unpack(">I4s", d[at:at + 8])
    body = d[at + 8:at + 8 + n]
    assert struct.unpack(">I", d[at + 8 + n:at + 12 + n])[0] == zlib.crc32(kind + body), kind
    if kind == b"IHDR": w, h, depth, colour = struct.unpack(">IIBB", body[:10])
    if kind == b"IDAT": idat += body
    at += 12 + n
assert depth == 8
b, raw, up, px = {0: 1, 2: 3, 6: 4}[colour], zlib.decompress(idat), None, []
assert len(raw) == h * (w * b + 1)
for y in range(h):
    f, row = raw[y * (w * b + 1)], bytearray(raw[y * (w * b + 1) + 1:(y + 1) * (w * b + 1)])
    for i in range(len(row)):
        l, o, c = (row[i - b] if i >= b else 0), (up[i] if up else 0), (up[i - b] if up and i >= b else 0)
        p = l + o - c
        paeth = min((abs(p - l), 0, l), (abs(p - o), 1, o), (abs(p - c), 2, c))[2]
        row[i] = (row[i] + (0, l, o, (l + o) // 2, paeth)[f]) & 255
    up = row
    px.append(bytes(row))
flat = b"".join(px)
print(w, h, *("%.1f" % (sum(flat[k::b]) / (w * h)) for k in range(b)))
if len(sys.argv) > 2: print(*flat[(int(sys.argv[3]) * w + int(sys.argv[2])) * b:][:b])
PY

sheet() { # three views of 96 pixels, six smaller pictures below; most of it is paper
    run 0 "$cryolex" render -s 96 a.mrc a.png || return 1
    grep -q 'a.mrc: contour .*, estimated; .* voxels of 2 ' err || { cat err; return 1; }
    [ -s out ] && return 1
    python3 png.py a.png >got || return 1
    read -r w h r g b <got
    [ "$w" -eq 336 ] && [ "$h" -gt 200 ] && awk "BEGIN {exit !($r > 120 && $r < 240 && $b > $r && $g > 120)}" || { cat got; return 1; }
}

threads() {
    for j in 1 2 5; do run 0 "$cryolex" render -q -j $j -s 80 --model a.pdb a.mrc j$j.png || return 1; done
    cmp j1.png j2.png && cmp j1.png j5.png
}

parts() { # fewer parts, less high; a size is kept; no title is less still
    for p in surface slices projections slices,projections; do
        run 0 "$cryolex" render -q -s 96 -p $p a.mrc p.png && python3 png.py p.png | cut -d' ' -f1,2 || return 1
    done >sizes
    same sizes "336 252 336 252 336 252 336 198 " "$(tr '\n' ' ' <sizes)" && run 0 "$cryolex" render -q -s 96 -p surface --bare a.mrc p.png &&
        same bare "336 160" "$(python3 png.py p.png | cut -d' ' -f1,2)"
}

colours() { # the middle of the first view is lit by the colour asked for; the corner is the paper
    run 0 "$cryolex" render -q -s 96 -p surface --bare --colour '#ff0000' -b dark a.mrc c.png && python3 png.py c.png 3 3 >got || return 1
    same paper "16 18 22" "$(sed -n 2p got)"
    read -r _ _ r g _ <got
    awk "BEGIN {exit !($r > $g + 20)}" || { cat got; return 1; }
    run 0 "$cryolex" render -q -s 96 -p surface --colour radial a.mrc r.png && run 0 "$cryolex" render -q -s 96 -p surface --color 00ff00 a.mrc g.png
}

contour() { # a higher level shows less; what is in the header of EMDB is taken
    for c in 0.1 0.3; do run 0 "$cryolex" render -q -s 96 -p surface --bare -c $c a.mrc c$c.png && python3 png.py c$c.png | cut -d' ' -f3 >c$c || return 1; done
    awk "BEGIN {exit !($(cat c0.3) > $(cat c0.1))}" || { cat c0.1 c0.3; return 1; }
    cp a.mrc emd_1234.map
    printf '<emd emdb_id="EMD-1234" version="3.0.0.0"><map><contour_list><contour primary="true"><level>0.25</level></contour></contour_list></map></emd>' >emd-1234.xml
    run 0 "$cryolex" render -s 96 emd_1234.map h.png && grep -q 'contour 0.25, of the EMDB header' err || { cat err; return 1; }
}

model() { # tubes show, and the surface lets them through
    run 0 "$cryolex" render -q -s 96 a.mrc plain.png && run 0 "$cryolex" render -q -s 96 -m a.pdb a.mrc tubes.png || return 1
    ! cmp -s plain.png tubes.png
}

refused() { # ARGUMENTS PATTERN STATUS
    run "$3" "$cryolex" render $1 && grep -q "$2" err || { cat err; return 1; }
}

tap "a sheet of surface, slices and projections" sheet
tap "the same bytes for any number of threads" threads
tap "parts and sizes" parts
tap "colours and background" colours
tap "contour: given, of the header" contour
tap "a model in its density" model
tap "a contour above the map" refused '-c 1e6 a.mrc x.png' 'a.mrc: nothing is above the contour level, 1e+06 (the greatest value is' 3
tap "another suffix" refused 'a.mrc x.jpg' 'does not end in .png' 2
tap "an unknown part" refused '-p sides a.mrc x.png' 'some of surface, slices, projections' 2
tap "a colour that is none" refused '--colour red a.mrc x.png' '#rrggbb or radial' 2
tap "no such model" refused '-m none.pdb a.mrc x.png' 'none.pdb' 3
tap "a folder that is not there" refused 'a.mrc none/x.png' 'none/x.png' 3
tap_done
