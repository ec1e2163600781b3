#!/bin/sh
# Where the time goes from a map's file to its annotation: tests/bench/describe on maps that tests/bench/boxes makes, of 64 to 400 voxels a side, noise
# everywhere or masked, packed by gzip -6.
# usage: describe.sh BUILD DATA FOLDER [REPEATS] > TABLE     BUILD: where both programs are; DATA: with structures/; FOLDER: for the maps, which are kept
set -eu
build=$1 data=$2 folder=$3 repeats=${4:-9}
mkdir -p "$folder"
while read -r side voxel; do
    for kind in noise masked; do
        map=$folder/$kind-$side.map
        [ -e "$map.gz" ] && continue
        "$build/tests/bench/boxes" "$data/structures/o2/3o21.cif.gz" "$side" "$voxel" $kind "$side" "$map"
        gzip -6 "$map"
    done
done <<END
64 3.2
128 1.6
256 0.83
400 0.6
END
exec "$build/tests/bench/describe" "$repeats" "$folder"/*-64.map.gz "$folder"/*-128.map.gz "$folder"/*-256.map.gz "$folder"/*-400.map.gz
