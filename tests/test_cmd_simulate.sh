#!/bin/bash
# cryolex simulate: what is refused, and that an input is never lost.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
cryolex=${CRYOLEX:?the program to test}
cd "$tap_tmp" || exit 99

printf 'ATOM  %5d  CA  ALA A%4d    %8.3f%8.3f%8.3f  1.00 20.00           C\n' 1 1 1 2 3 2 2 9 5 2 3 3 4 12 8 >m.pdb
cp m.pdb model
ln -s m.pdb soft.pdb
ln m.pdb hard.pdb

refused() { # STATUS PATTERN ARGUMENT...
    want=$1 pattern=$2
    shift 2
    run "$want" "$cryolex" simulate "$@" || return 1
    grep -q "$pattern" err && cmp m.pdb model || { cat err; return 1; }
}
onto_itself() {
    refused 2 'm.pdb: the output is an input' m.pdb m.pdb && refused 2 'is an input' soft.pdb m.pdb &&
        refused 2 'is an input' m.pdb ./soft.pdb && refused 2 'is an input' m.pdb hard.pdb || return 1
    rc=0
    "$cryolex" simulate - m.pdb <m.pdb 2>err || rc=$?
    [ "$rc" -eq 2 ] && cmp m.pdb model
}
over_another() { : >old.mrc && run 0 "$cryolex" simulate -q m.pdb old.mrc && [ -s old.mrc ]; }
default_voxel() {
    run 0 "$cryolex" simulate -q -r 6 m.pdb a.mrc && run 0 "$cryolex" simulate -q -r 6 --apix 2 m.pdb b.mrc && cmp a.mrc b.mrc
}

sed 's/ 1.00 20.00/****** 20.00/' m.pdb >odd.pdb

tap "the model is not the output" onto_itself
tap "another file may be" over_another
tap "default voxel" default_voxel
tap "voxel of 0" refused 2 'apix' --apix 0 m.pdb x.mrc
tap "voxel below the least" refused 2 'apix' --apix 1e-4 m.pdb x.mrc
tap "messages name the model: grid" refused 3 '^cryolex: error: m.pdb: .*voxels' --apix 0.001 m.pdb x.mrc
tap "messages name the model: coarse" refused 0 'm.pdb: voxels of 5' -r 6 --apix 5 m.pdb x.mrc
tap "messages name the model: occupancy" refused 0 'odd.pdb: 3 atoms whose occupancy' odd.pdb x.mrc
tap "no file" refused 3 'nofile.pdb' nofile.pdb x.mrc
tap_done
