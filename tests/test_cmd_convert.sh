#!/bin/bash
# cryolex convert: formats, types, there and back, what is refused.
# shellcheck disable=SC2317 # functions are called through tap
. "${srcdir:-.}/tests/tap.sh"
cryolex=${CRYOLEX:?the program to test}
cd "$tap_tmp" || exit 99

printf 'ATOM  %5d  CA  ALA A%4d    %8.3f%8.3f%8.3f  1.00 20.00           C\n' 1 1 0 0 0 2 2 12 5 7 3 3 6 14 9 >a.pdb
"$cryolex" simulate -q --resolution 6 --apix 1.7 --pad 5 a.pdb a.mrc || exit 99
{ cp a.mrc big.mrc && printf '\0\0\226C' | dd of=big.mrc bs=1 seek=1024 conv=notrunc status=none; } || exit 99 # its first voxel is 300

# field NAME FILE: of what info says, as JSON
field() { "$cryolex" info -q --format json "$2" | grep -o "\"$1\":\(\[[^]]*\]\|[^,}]*\)" | head -n 1; }

there_and_back() { # OUT: and the values are the same again
    run 0 "$cryolex" convert -q a.mrc "$1" && run 0 "$cryolex" convert -q "$1" again.mrc || return 1
    run 0 "$cryolex" fsc -q --format summary a.mrc again.mrc || return 1
    cmp a.mrc again.mrc
}

is_format() { # FORMAT FILE
    [ "$(field format "$2")" = "\"format\":\"$1\"" ]
}

by_name() {
    for f in HDF5:b.hdf HDF5:b.h5 TIFF:b.tif MRC:b.map MRC:b.mrc.gz; do
        run 0 "$cryolex" convert -q a.mrc "${f#*:}" && is_format "${f%%:*}" "${f#*:}" && run 0 "$cryolex" validate -q "${f#*:}" || return 1
    done
}

by_option() {
    run 0 "$cryolex" convert -q --to tiff a.mrc c.dat && is_format TIFF c.dat
}

through_pipes() {
    # shellcheck disable=SC2002
    cat a.mrc | "$cryolex" convert -q - - | "$cryolex" convert -q --to tiff - - >p.tif && "$cryolex" convert -q p.tif p.mrc && cmp a.mrc p.mrc
}

types() {
    run 0 "$cryolex" convert --type int16 --scale a.mrc d.mrc && grep -q 'values are scaled: value = (stored' err && [ "$(field values d.mrc)" = '"values":"int16"' ] || return 1
    run 0 "$cryolex" convert -q --type uint8 --scale a.mrc d.hdf || return 1
    # EMAN2's way back: the values are those of the map
    run 0 "$cryolex" convert -q d.hdf d2.mrc && run 0 "$cryolex" fsc -q --format summary a.mrc d2.mrc
}

big() {
    run 0 "$cryolex" convert -q --byte-order big a.mrc e.mrc && ! cmp -s a.mrc e.mrc && run 0 "$cryolex" convert -q e.mrc e2.mrc && cmp a.mrc e2.mrc
}

refused() { # STATUS WORDS ARGUMENT...
    run "$1" "$cryolex" convert "${@:3}" && grep -q -- "$2" err || { cat err; return 1; }
}

onto_itself() {
    cp a.mrc f.mrc && refused 2 "" f.mrc f.mrc && cmp a.mrc f.mrc
}

tap "HDF5 and back" there_and_back b.hdf
tap "TIFF and back" there_and_back b.tif
tap "MRC, gzip and back" there_and_back b.mrc.gz
tap "by name, and valid" by_name
tap "by --to" by_option
tap "through pipes" through_pipes
tap "types" types
tap "byte order" big
tap "a name of nothing" refused 2 "its name tells no format" a.mrc b.xyz
tap "a type that the format has not" refused 2 "TIFF cannot hold int8" --type int8 a.mrc b2.tif
tap "out of range" refused 3 "does not fit" --type int8 big.mrc b3.mrc
tap "onto its input" onto_itself
tap "no file" refused 3 "nofile.mrc" nofile.mrc b4.mrc
tap "no folder" refused 3 "no/b.mrc" a.mrc no/b.mrc
tap "HDF5 to a pipe" refused 2 "needs a regular file" --to hdf5 a.mrc -
tap_done
