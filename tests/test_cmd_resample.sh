#!/bin/bash
# cryolex resample: by sections and whole, any threads, the same bytes; sides, voxel and origin; what is refused.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
cryolex=${CRYOLEX:?the program to test}
cd "$tap_tmp" || exit 99

printf 'ATOM  %5d  CA  ALA A%4d    %8.3f%8.3f%8.3f  1.00 20.00           C\n' 1 1 1 2 3 2 2 9 5 2 3 3 4 12 8 >m.pdb
"$cryolex" simulate -q --resolution 6 --apix 1.5 --pad 12 m.pdb m.mrc
gzip -k m.mrc

# field NAME FILE: a number, or numbers, of cryolex info
field() { "$cryolex" info -q --format json "$2" 2>/dev/null | tr -d ' \n' | sed -n -E "s/.*\"$1\":(\[[^]]*\]|[^,}]*).*/\1/p"; }

same_bytes() {
    run 0 "$cryolex" resample -q -j 1 --apix 3 m.mrc a.mrc || return 1
    run 0 "$cryolex" resample -q -j 3 --apix 3 m.mrc b.mrc && cmp a.mrc b.mrc || return 1
    run 0 "$cryolex" resample -q --apix 3 m.mrc.gz c.mrc && cmp a.mrc c.mrc || return 1
    "$cryolex" resample -q --apix 3 - - <m.mrc >d.mrc && cmp a.mrc d.mrc
}

field_of_view() { # n x voxel and the origin stay
    for what in origin size voxel; do
        [[ $(field $what m.mrc) == \[*,*,*\] && $(field $what a.mrc) == \[*,*,*\] ]] || { echo "no $what"; return 1; }
    done
    same origin "$(field origin m.mrc)" "$(field origin a.mrc)" || return 1
    paste -d, <(field size m.mrc | tr -d '[]' | tr , '\n') <(field voxel m.mrc | tr -d '[]' | tr , '\n') \
        <(field size a.mrc | tr -d '[]' | tr , '\n') <(field voxel a.mrc | tr -d '[]' | tr , '\n') >sides
    awk -F, 'NF < 4 || $3 % 2 || ($1*$2 - $3*$4)^2 > 1e-6 {bad = 1} END {exit bad || NR != 3}' sides || { cat sides; return 1; }
}

box_is_cube() {
    run 0 "$cryolex" resample -q --box 10 m.mrc e.mrc && same size "[10,10,10]" "$(field size e.mrc)"
}

onto_itself() { # by another name, too; the file stays
    cp m.mrc own.mrc && ln own.mrc hard.mrc && ln -s own.mrc soft.mrc || return 1
    for out in own.mrc hard.mrc soft.mrc; do
        run 2 "$cryolex" resample --box 10 own.mrc "$out" && cmp m.mrc own.mrc || return 1
    done
}

there_and_back() { # padding, then cropping to the old box, is nothing at all
    n=$(field size m.mrc | tr -d '[]' | cut -d, -f1)
    run 0 "$cryolex" resample -q --box "$n" m.mrc f.mrc && run 0 "$cryolex" resample -q --box $((n + 9)) f.mrc g.mrc &&
        run 0 "$cryolex" resample -q --box "$n" g.mrc h.mrc && cmp f.mrc h.mrc
}

refused() { # STATUS PATTERN ARGUMENT...
    want=$1 pattern=$2
    shift 2
    rm -f x.mrc
    run "$want" "$cryolex" resample "$@" || return 1
    grep -q "$pattern" "$tap_tmp/err" && [ ! -e x.mrc ] || { cat "$tap_tmp/err"; return 1; }
}

no_room() { # the old file stays, and nothing is left beside it
    rm -rf full && mkdir full && echo old >full/o.mrc && echo old >full/o.mrc.gz || return 1
    for o in full/o.mrc full/o.mrc.gz; do
        run 3 bash -c 'ulimit -f 4; exec "$@"' - "$cryolex" resample -q --box 40 m.mrc $o && grep -q "$o: cannot write" "$tap_tmp/err" || return 1
    done
    same names "$(printf 'o.mrc\no.mrc.gz')" "$(ls full)" && same content "$(printf 'old\nold')" "$(cat full/*)"
}

pipe_stays() {
    rm -f p && mkfifo p && { cat p >from_p & } && run 0 "$cryolex" resample -q --box 10 m.mrc p && wait && [ -p p ] && cmp e.mrc from_p
}

link_stays() {
    echo old >target.mrc && ln -s target.mrc link.mrc && run 0 "$cryolex" resample -q --box 10 m.mrc link.mrc && [ -L link.mrc ] && cmp e.mrc target.mrc
}

cp m.mrc nan.mrc
printf '\0\0\300\177' | dd of=nan.mrc bs=1 seek=2000 conv=notrunc 2>/dev/null
head -c 3000 m.mrc >cut.mrc
"$cryolex" resample -q --box 60 m.mrc big.mrc

tap "sections, whole, pipe, threads: the same bytes" same_bytes
tap "onto its own input: refused" onto_itself
tap "field of view and origin stay" field_of_view
tap "box" box_is_cube
tap "no room: status 3, nothing changes" no_room
tap "onto a pipe" pipe_stays
tap "onto a link" link_stays
tap "onto a directory" refused 3 "a directory" --box 10 m.mrc .
tap "onto no name" refused 3 "name of the output is empty" --box 10 m.mrc ""
tap "pad and crop" there_and_back
tap "mode 12" run 0 "$cryolex" resample -q --lowpass 8 --mode 12 m.mrc i.mrc
tap "nothing to do" refused 2 "nothing to do" m.mrc x.mrc
tap "voxel of 0" refused 2 "apix" --apix 0 m.mrc x.mrc
tap "NaN" refused 3 "NaN" --apix 3 nan.mrc x.mrc
tap "NaN, filter" refused 3 "NaN" --bfactor 10 nan.mrc x.mrc
tap "cut short" refused 3 "cut short" --apix 3 cut.mrc x.mrc
tap "no file" refused 3 "nofile.mrc" --apix 3 nofile.mrc x.mrc
tap "--memory: the box" refused 3 "m.mrc: the new map needs .* see --memory" --memory 64M --box 600 m.mrc x.mrc
tap "--memory: by sections" refused 3 "m.mrc: the new map needs .* see --memory" --memory 2M --apix 0.3 m.mrc x.mrc
tap "--memory: whole" refused 3 "m.mrc.gz: the new map needs .* see --memory" --memory 2M --apix 0.3 m.mrc.gz x.mrc
tap "--memory: filter" refused 3 "big.mrc: .* see --memory" --memory 1M --lowpass 8 big.mrc x.mrc
tap "the message names the file" refused 3 "error: m.mrc: " --apix 0.001 m.mrc x.mrc
tap "side past the limit" refused 3 "at most" --apix 0.001 m.mrc x.mrc
tap_done
