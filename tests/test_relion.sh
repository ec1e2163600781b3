#!/bin/bash
# scripts/relion-external: the contract of RELION's External jobs, with a small index.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
src=$(cd "${srcdir:-.}" && pwd)
wrapper=$src/scripts/relion-external
export CRYOLEX=${CRYOLEX:?the program to test} CRYOLEX_SHARE=$tap_tmp/share
unset CRYOLEX_INDEX CRYOLEX_MODEL
out=$tap_tmp/out err=$tap_tmp/err
mkdir -p "$tap_tmp/project/Refine3D/job007" "$CRYOLEX_SHARE" && cd "$tap_tmp/project" || exit 99
"$src/scripts/demo-models" "$tap_tmp/models" >/dev/null || exit 99
"$CRYOLEX" model new -q -o "$CRYOLEX_SHARE/default.safetensors" &&
    "$CRYOLEX" index build -q -m "$CRYOLEX_SHARE/default.safetensors" -o "$CRYOLEX_SHARE/default.index.h5" "$tap_tmp/models/manifest.tsv" &&
    "$CRYOLEX" simulate -q --resolution 8 --apix 2.5 "$tap_tmp/models/double-ring.pdb" Refine3D/job007/run_class001.mrc || exit 99
cp Refine3D/job007/run_class001.mrc Refine3D/job007/run_half1_class001_unfil.mrc
cp Refine3D/job007/run_class001.mrc Refine3D/job007/run_half2_class001_unfil.mrc

ended() { same ended "$2" "$(cd "$1" && echo RELION_JOB_EXIT_*)"; }

# As RELION writes the command line.
succeeds() {
    run 0 "$wrapper" --o External/job008/ --in_3dref Refine3D/job007/run_class001.mrc --hits 3 --j 2 --pipeline_control External/job008/ && ended External/job008 RELION_JOB_EXIT_SUCCESS || return 1
    awk -F '\t' '$2 == "entry" && ++n == 1 { id = $3 } END { exit !(n == 3 && id == "double-ring") }' External/job008/cryolex.tsv || { cat External/job008/cryolex.tsv; return 1; }
    same nodes '# version 30001

data_output_nodes

loop_
_rlnPipeLineNodeName #1
_rlnPipeLineNodeTypeLabel #2
External/job008/cryolex.star ProcessData.star.cryolex' "$(cat External/job008/RELION_OUTPUT_NODES.star)" && [ ! -s "$out" ] || return 1
    same star "1 double-ring" "$(awk '$1 == 1 { print $1, $2 }' External/job008/cryolex.star)" &&
        same columns 3 "$(awk '$1 == 1 { print NF }' External/job008/cryolex.star)"
}
halves() {
    run 0 "$wrapper" --o External/job009/ --in_3dref Refine3D/job007/run_half1_class001_unfil.mrc --j 1 --pipeline_control External/job009/ &&
        grep -q 'run_half2_class001_unfil.mrc is the same map' "$err" || { cat "$err"; return 1; }
    rm Refine3D/job007/run_half2_class001_unfil.mrc
    run 1 "$wrapper" --o External/job009/ --in_3dref Refine3D/job007/run_half1_class001_unfil.mrc --j 1 && grep -q 'run_half2' "$err" &&
        ended External/job009 RELION_JOB_EXIT_FAILURE
}
fails() {
    run 1 "$wrapper" --o External/job010/ --in_3dref none.mrc --j 1 && ended External/job010 RELION_JOB_EXIT_FAILURE || return 1
    run 1 "$wrapper" --o External/job010/ --in_3dref "$tap_tmp/models/manifest.tsv" --j 1 && ended External/job010 RELION_JOB_EXIT_FAILURE &&
        [ ! -e External/job010/cryolex.tsv ] && [ ! -e External/job010/cryolex.tsv.new ] || return 1
    run 1 "$wrapper" --o External/job010/ --j 1 && grep -q in_3dref "$err" && run 1 "$wrapper" --j 1 && grep -q -- '--o DIR' "$err" || return 1
    run 1 "$wrapper" --o External/job010/ --in_3dref Refine3D/job007/run_class001.mrc --contour '1; touch x' && [ ! -e x ]
}
# A program that never ends is stopped by the file, and by a signal.
aborts() {
    mkdir -p External/job011
    printf '#!/bin/sh\nexec sleep 60\n' >"$tap_tmp/slow"
    chmod +x "$tap_tmp/slow"
    (sleep 0.5; touch External/job011/RELION_JOB_ABORT_NOW) &
    run 1 env CRYOLEX="$tap_tmp/slow" "$wrapper" --o External/job011/ --in_3dref Refine3D/job007/run_class001.mrc --j 1 && ended External/job011 RELION_JOB_EXIT_ABORTED || return 1
    CRYOLEX=$tap_tmp/slow "$wrapper" --o External/job012/ --in_3dref Refine3D/job007/run_class001.mrc --j 1 >/dev/null 2>&1 &
    sleep 0.5
    kill "$!" && ! wait "$!" && ended External/job012 RELION_JOB_EXIT_ABORTED
}
# RELION 3.1 itself, by its pipeliner: it writes the command line, runs it, and takes what came out of it into the project.
external() { # OPTIONS: a new job
    relion_pipeliner --addJob External --addJobOptions "fn_exe == $wrapper;in_3dref == Refine3D/job007/run_class001.mrc;$1" >"$out" 2>&1 || { cat "$out"; return 1; }
}
state() { awk -v job="External/$1/" '$1 == job && NF == 4 { print $4 }' default_pipeline.star; }
in_relion() {
    printf '\ndata_pipeline_general\n\n_rlnPipeLineJobCounter 1\n\n' >default_pipeline.star
    external 'param1_label == hits;param1_value == 3;param2_label == contour;nr_threads == 2' && [ -e External/job001/job.star ] &&
        run 0 timeout 100 relion_pipeliner --RunJobs External/job001/ --sec_wait_after 1 && ended External/job001 RELION_JOB_EXIT_SUCCESS || return 1
    same state 2 "$(state job001)" && same hits 3 "$(awk '$1 + 0 > 0' External/job001/cryolex.star | wc -l)" && [ ! -e External/job001/RELION_OUTPUT_NODES.star ] &&
        grep -q -- '--in_3dref Refine3D/job007/run_class001.mrc --hits 3 --contour  --j 2' External/job001/note.txt && ! grep -qi warning "$out" "$err" || return 1
    printf '#!/bin/sh\nexec sleep 60\n' >"$tap_tmp/slow" && chmod +x "$tap_tmp/slow" && external 'nr_threads == 1' || return 1
    (for _ in $(seq 100); do [ ! -e External/job002/cryolex.tsv.new ] || break; sleep 0.1; done; touch External/job002/RELION_JOB_ABORT_NOW) &
    CRYOLEX=$tap_tmp/slow run 0 timeout 100 relion_pipeliner --RunJobs External/job002/ --sec_wait_after 1 && ended External/job002 RELION_JOB_EXIT_ABORTED &&
        same aborted 4 "$(state job002)" || return 1
    external 'param1_label == hits;param1_value == none;nr_threads == 1' && run 0 timeout 100 relion_pipeliner --RunJobs External/job003/ --sec_wait_after 1 &&
        ended External/job003 RELION_JOB_EXIT_FAILURE && same failed 3 "$(state job003)" && grep -q hits External/job003/run.err
}

tap "a map: results, output nodes, success" succeeds
tap "half-maps are averaged; one alone is a failure" halves
tap "failures" fails
tap "aborted by RELION, and by a signal" aborts
if relion_pipeliner --version 2>/dev/null | grep -q '3\.1'; then tap "jobs of RELION 3.1: done, aborted, failed" in_relion; else tap_skip "jobs of RELION 3.1" "no relion_pipeliner (Debian: relion)"; fi
tap_done
