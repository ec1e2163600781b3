#!/bin/bash
# cryolex sweep: what it writes, that it is what annotate finds, causes of failure, resumption after kills and signals, and equal bytes however the work is spread.
# shellcheck disable=SC2317,SC2015,SC2016 # functions are called through tap; a && b || fail is meant
top=$(cd "${srcdir:-.}" && pwd)
. "$top/tests/tap.sh"
cryolex=${CRYOLEX:?the program to test}
mkdir "$tap_tmp/w" && cd "$tap_tmp/w" || exit 99
out=$tap_tmp/out err=$tap_tmp/err
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1

. "$top/tests/sweep_world.sh"
writes() {
    run 0 "$cryolex" sweep -o ref maps || return 1
    same jsonl 4 "$(wc -l <ref/results.jsonl)" && same tsv 5 "$(wc -l <ref/results.tsv)" && same failures 1 "$(wc -l <ref/failures.tsv)" && same times 5 "$(wc -l <ref/times.tsv)" || return 1
    same order "$(for f in maps/*; do basename "$f" .map.gz; done)" "$(field ref/results.tsv id)" && same hit 2bbb "$(awk -F '\t' '$1 == "emd_1026" { print $15 }' ref/results.tsv)" || return 1
    grep -q '"id":"emd_1026","map":{"kind":"map","bytes":[0-9]*,"size":\[[0-9,]*\],"voxel":\[.*"contour_estimated":true' ref/results.jsonl || { head -n 1 ref/results.jsonl; return 1; }
    run 0 "$cryolex" annotate -q --format json maps/*.gz || return 1
    sed 's/,"id":"emd_[^{]*,"map":.*/}/' ref/results.jsonl | cmp - "$out"
}
embeds() { # as cryolex embed writes it
    "$cryolex" model info -q share/default.safetensors | grep '^frames' >frames
    run 0 "$cryolex" sweep -q -o ref maps && run 0 "$cryolex" embed -q -o z.h5 -m share/default.safetensors maps && python3 - <<'END' || return 1
try:
    import h5py
except ImportError:
    raise SystemExit(0)
a, b = h5py.File("ref/embeddings.h5"), h5py.File("z.h5")
assert list(a["ids"]) == list(b["ids"]) and a.attrs["model"] == b.attrs["model"] and (a["rg"][:] == b["rg"][:]).all()
assert abs(a["embeddings"][:] - b["embeddings"][:]).max() < 1e-5
END
}
does_nothing_twice() {
    sqlite=$(sha256sum <ref/ledger.sqlite)
    run 0 "$cryolex" sweep -o ref maps && grep -q '4 of 4 items have a result; 0 are to be done' "$err" && same attempts 1 "$(attempts ref)" && cp -r ref again &&
        touch -d '2001-01-01' maps/emd_1026.map.gz && run 0 "$cryolex" sweep -o again maps && grep -q '3 of 4 items have a result' "$err" && same_as again
}
another_run() {
    run 2 "$cryolex" sweep -q -k 3 -o ref maps && grep -q 'options hits 10,.*(now hits 3,' "$err" && run 3 "$cryolex" sweep -q -m other.safetensors -o ref maps && grep -q 'an index of model' "$err" || { cat "$err"; return 1; }
    cp -r ref forced && run 0 "$cryolex" sweep -q -k 3 --force -o forced maps && grep -q ',"entries":\[{"id":"[^]]*\],' forced/results.jsonl && same attempts 2 "$(attempts forced)" || return 1
    run 0 "$cryolex" sweep -q --force -o forced maps && same_as forced
}
on_threads() { # and from a manifest on standard input
    run 0 "$cryolex" sweep -q -j 1 -o one maps && same_as one && run 0 "$cryolex" sweep -q -j 5 -o five maps && same_as five || return 1
    { printf 'id\tpath\n'; for f in maps/*; do printf '%s\t%s\n' "$(basename "$f" .map.gz)" "$f"; done; } >list.tsv
    "$cryolex" sweep -q -o piped - <list.tsv && same_as piped
}
in_shards() {
    for i in 3 1 2; do run 0 "$cryolex" sweep -q --shard $i/3 -o parts maps || return 1; done
    same shards 3 "$(find parts -name results.jsonl | wc -l)" && run 0 "$cryolex" sweep -q --merge -o parts && same_as parts || return 1
    for i in 10 12 14; do
        run 0 env SLURM_ARRAY_TASK_ID=$i SLURM_ARRAY_TASK_MIN=10 SLURM_ARRAY_TASK_STEP=2 SLURM_ARRAY_TASK_COUNT=3 "$cryolex" sweep -q -o array maps || return 1
    done
    run 0 "$cryolex" sweep -q --merge -o array && same_as array && rm -r array/shard-2-of-3 && run 75 "$cryolex" sweep --merge -o array && grep -q '1 parts are not there yet' "$err" || return 1
    run 2 "$cryolex" sweep -q --shard 4/3 -o x maps && run 2 "$cryolex" sweep -q --shard 2 -o x maps && run 3 "$cryolex" sweep -q --merge -o maps && [ ! -e x ]
}
at_work() { # a part is: the others can be joined later
    cp -r parts worked && mkfifo go || return 1
    python3 - <<'END' &
import sqlite3
c = sqlite3.connect("worked/shard-2-of-3/ledger.sqlite", isolation_level=None)
c.execute("PRAGMA locking_mode = EXCLUSIVE")
c.execute("BEGIN EXCLUSIVE")
open("locked", "w").close()
open("go").read()
END
    pid=$!
    for _ in {1..100}; do [ -e locked ] && break; sleep 0.05; done
    [ -e locked ] || { kill $pid 2>/dev/null; echo "no lock"; return 1; }
    run 75 "$cryolex" sweep -q --merge -o worked
    rc=$?
    timeout 60 bash -c 'echo >go' || kill $pid
    wait $pid
    [ $rc -eq 0 ] && grep -q 'worked/shard-2-of-3/ledger.sqlite: another sweep is at work there: the results can be joined when it has ended' "$err" && run 0 "$cryolex" sweep -q --merge -o worked && same_as worked || { cat "$err"; return 1; }
}
parts_or_whole() { # one number of parts in a folder
    cp -r ref whole && cp -r parts mixed || return 1
    run 2 "$cryolex" sweep -q --shard 1/3 -o whole maps && grep -q 'whole holds a sweep that is not in parts (now 3)' "$err" && run 2 "$cryolex" sweep -q -o parts maps && grep -q 'parts holds a sweep in 3 parts: give --shard I/3' "$err" &&
        run 2 "$cryolex" sweep -q --shard 1/4 -o parts maps && grep -q 'parts holds a sweep in 3 parts (now 4)' "$err" || { cat "$err"; return 1; }
    [ ! -e parts/shard-1-of-4 ] && [ ! -e parts/ledger.sqlite ] && cp -r parts named && cp -r parts/shard-1-of-3 named/shard-01-of-3 && cp -r parts/shard-1-of-3 named/shard-9-of-3 && run 0 "$cryolex" sweep -q --merge -o named && same_as named || { cat "$err"; return 1; }
    cp ref/ledger.sqlite mixed && run 3 "$cryolex" sweep -q --merge -o mixed && grep -q 'mixed: a sweep of its own and one in 3 parts' "$err"
}
some_fail() { # each with its cause, and the rest goes on
    cp -r maps bad && cut=$(($(wc -c <bad/emd_1019.map.gz) / 2)) && truncate -s $cut bad/emd_1019.map.gz && echo 'no map' >bad/emd_2000.map && head -c 700 /dev/zero >bad/emd_2001.map || return 1
    python3 - <<'END' || return 1
import gzip, struct
h = bytearray(gzip.open("bad/emd_1026.map.gz").read())
n = (len(h) - 1024) // 4
h[1024:] = struct.pack("<f", float("nan")) * n
open("bad/emd_2002.map", "wb").write(h)
END
    run 1 "$cryolex" sweep -o failing bad && same rows 4 "$(wc -l <failing/results.tsv)" || return 1
    same causes "emd_1019 io
emd_2000 unsupported
emd_2001 io
emd_2002 range" "$(awk -F '\t' 'NR > 1 { print $1, $4 }' failing/failures.tsv)" && grep -q 'failed, io: 2, such as bad/emd_1019.map.gz: ' "$err" || { cat failing/failures.tsv "$err"; return 1; }
    cp maps/emd_1019.map.gz bad/ && run 1 "$cryolex" sweep -o failing bad && grep -q '6 of 7 items have a result' "$err" && same rows 5 "$(wc -l <failing/results.tsv)" || return 1
    run 1 "$cryolex" sweep -q -o failing bad && same attempts 1 "$(awk -F '\t' '$1 == "emd_2000" { print $5 }' failing/failures.tsv)" &&
        run 1 "$cryolex" sweep -q --retry-failed -o failing bad && same attempts 2 "$(awk -F '\t' '$1 == "emd_2000" { print $5 }' failing/failures.tsv)" || return 1
    rm bad/emd_200* && run 0 "$cryolex" sweep -q -o failing bad && sed 's/bad/maps/' failing/results.tsv | cmp - ref/results.tsv && printf 'id\tpath\nx\tnone.map\n' >none.tsv &&
        run 3 "$cryolex" sweep -q -o all_fail none.tsv && same cause "x none.map failed io 1 none.map: No such file or directory" "$(tail -n 1 all_fail/failures.tsv | tr '\t' ' ')"
}
filters() {
    cp -r maps seen && printf '<emd emdb_id="EMD-1026" version="3.0"><structure_determination_list><structure_determination><method>tomography</method></structure_determination></structure_determination_list></emd>' >seen/emd-1026.xml || return 1
    run 0 "$cryolex" sweep -q --skip-method helical,TOMOGRAPHY -o skipped seen && same skipped "emd_1026 skipped method" "$(awk -F '\t' 'NR > 1 { print $1, $3, $4 }' skipped/failures.tsv)" || return 1
    run 0 "$cryolex" sweep -q --method singleParticle -o skipped seen && same skipped "emd_1026 skipped method" "$(awk -F '\t' 'NR > 1 { print $1, $3, $4 }' skipped/failures.tsv)" && same attempts "1 2" "$(attempts skipped)" || return 1
    run 0 "$cryolex" sweep -q --method tomography -o skipped seen && same rows 5 "$(wc -l <skipped/results.tsv)" || return 1
    run 0 "$cryolex" sweep -q --max-box 4 -o small seen && same rows 5 "$(grep -c 'box' small/failures.tsv | awk '{ print $1 + 1 }')"
}
header_changes() { # the map is done again, and no other
    cp -r maps headed && run 0 "$cryolex" sweep -q -o titled headed && printf '<emd emdb_id="EMD-1026" version="3.0"><crossreferences/><admin><title>first</title></admin></emd>' >headed/emd-1026.xml &&
        run 0 "$cryolex" sweep -o titled headed && grep -q '3 of 4 items have a result' "$err" && grep -q '"title":"first"' titled/results.jsonl || { cat "$err"; return 1; }
    sed -i s/first/other/ headed/emd-1026.xml && run 0 "$cryolex" sweep -o titled headed && grep -q '3 of 4 items have a result' "$err" && grep -q '"title":"other"' titled/results.jsonl || { cat "$err"; return 1; }
    run 0 "$cryolex" sweep -o titled headed && grep -q '4 of 4 items have a result' "$err" && rm headed/emd-1026.xml && run 0 "$cryolex" sweep -o titled headed && grep -q '3 of 4 items have a result' "$err"
}
bounded() { # what does not fit fails, or is read onto a coarser grid
    run 3 "$cryolex" sweep -q --memory 1M -o tight maps && grep -q -- '--memory' "$err"
}
is_interrupted() { # SIGTERM: what is in hand is finished
    rm -rf term
    "$cryolex" sweep -q -j 1 -o term maps 2>/dev/null &
    pid=$!
    for _ in 1 2 3 4 5 6 7 8 9 10; do [ -s term/ledger.sqlite ] && break; sleep 0.05; done
    kill -TERM $pid
    wait $pid
    rc=$?
    [ $rc -eq 75 ] || [ $rc -eq 0 ] || { echo "status $rc"; return 1; }
    run 0 "$cryolex" sweep -q -j 1 -o term maps && same_as term && same attempts 1 "$(attempts term)"
}
is_killed() { # at any moment: nothing is lost, nothing is done twice
    rm -rf killed
    for t in 0.1 0.3 0.6; do
        "$cryolex" sweep -q -o killed maps 2>/dev/null &
        pid=$!
        sleep $t
        kill -KILL $pid
        wait $pid 2>/dev/null
    done
    run 0 "$cryolex" sweep -q -o killed maps && same_as killed && same attempts 1 "$(attempts killed)"
}
worker_dies() { # the process that does the items: those in hand are done again
    rm -rf orphan
    "$cryolex" sweep -j 1 -o orphan maps 2>died.err &
    pid=$!
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do [ -s orphan/ledger.sqlite ] && break; sleep 0.05; done
    child=$(ps -o pid= --ppid $pid | head -n 1)
    [ -z "$child" ] || kill -KILL $child
    wait $pid
    same status 0 $? && same_as orphan && same attempts 1 "$(attempts orphan)"
}
disk_is_full() { # a limit on the size of files: a clear end, and then the rest
    rm -rf full
    (ulimit -f 72 && run 3 "$cryolex" sweep -q -o full maps && grep -q 'ledger.sqlite: .*File too large' "$err") || { cat "$err"; return 1; }
    run 0 "$cryolex" sweep -q -o full maps && same_as full
}
one_at_a_time() {
    rm -rf both
    run 2 "$cryolex" sweep -q maps && run 2 "$cryolex" sweep -q -o both && run 2 "$cryolex" sweep -q --merge -o both maps && run 3 "$cryolex" sweep -q -o share/default.safetensors maps
}
on_ranks() {
    mkdir bad2 && cp maps/emd_1026.map.gz bad2 && echo x >bad2/emd_1.map || return 1
    for n in 1 2 4; do
        run 0 mpirun --oversubscribe -n $n "$cryolex" sweep -q -j 1 -o ranks$n maps && same_as ranks$n && same attempts 1 "$(attempts ranks$n)" || { cat "$err"; return 1; }
    done
    run 1 mpirun --oversubscribe -n 2 "$cryolex" sweep -q -j 1 -o rankfail bad2 || return 1
    run 2 mpirun --oversubscribe -n 2 "$cryolex" sweep -q --shard 1/4 -o parts maps && grep -q 'parts holds a sweep in 3 parts (now 4)' "$err" && [ ! -e parts/shard-1-of-4 ] || { cat "$err"; return 1; }
}

many_maps() { mkdir many && for f in maps/*; do for k in 1 2 3 4 5 6 7 8; do cp "$f" "many/emd_$k${f#maps/emd_1}"; done; done; }
job_of_ranks() { # scripts/slurm/mpi: interrupted, it asks for the queue; then it goes on; its status is that of rank 0
    mkdir -p bin && printf '#!/bin/sh\necho "$@" >asked\n' >bin/scontrol && chmod +x bin/scontrol && many_maps && run 0 "$cryolex" sweep -q -o ref_many many || return 1
    job=(env "PATH=$PWD/bin:$PATH" CRYOLEX="$cryolex" OMPI_MCA_rmaps_base_oversubscribe=1 SLURM_JOB_ID=77 SLURM_NTASKS=2 SLURM_CPUS_PER_TASK=1 "$top/scripts/slurm/mpi" -q -o job)
    "${job[@]}" many >"$out" 2>"$err" &
    pid=$!
    for _ in {1..200}; do [ -s job/ledger.sqlite ] && break; sleep 0.05; done
    kill -USR1 $pid
    wait $pid
    same requeued "requeue 77" "$(cat asked)" && rm asked && run 0 "${job[@]}" many && same_as job ref_many && run 3 "${job[@]}" none && [ ! -e asked ]
}

tap "sweep: results, as of annotate" writes
tap "sweep: embeddings, as of embed" embeds
tap "sweep: nothing twice" does_nothing_twice
tap "sweep: another model or option" another_run
tap "sweep: threads, standard input" on_threads
tap "sweep: parts and arrays" in_shards
tap "sweep: a part is at work" at_work
tap "sweep: in parts or whole" parts_or_whole
tap "sweep: some fail" some_fail
tap "sweep: filters" filters
tap "sweep: a header changes" header_changes
tap "sweep: memory" bounded
tap "sweep: SIGTERM" is_interrupted
tap "sweep: kill -9" is_killed
tap "sweep: a worker dies" worker_dies
tap "sweep: a full disk" disk_is_full
tap "sweep: misuse" one_at_a_time
if "$cryolex" --version | grep -q ' mpi missing' || ! command -v mpirun >/dev/null 2>&1; then
    tap_skip "sweep: 1, 2 and 4 ranks" "no MPI"
    tap_skip "sweep: a job of ranks" "no MPI"
else
    tap "sweep: 1, 2 and 4 ranks" on_ranks
    tap "sweep: a job of ranks" job_of_ranks
fi
tap_done
