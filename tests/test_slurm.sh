#!/bin/bash
# scripts/slurm on a Slurm of this machine alone: an array of eight parts, one of which is interrupted and requeued, joined: the bytes of one run.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
top=$(cd "${srcdir:-.}" && pwd)
. "$top/tests/tap.sh"
cryolex=${CRYOLEX:?the program to test}
mkdir "$tap_tmp/w" && cd "$tap_tmp/w" || exit 99
err=$tap_tmp/err
"$top/tests/slurm_local" true 2>"$err" || {
    tap_skip "sweep: an array of eight" "$(head -n 1 "$err")"
    tap_done
}
. "$top/tests/sweep_world.sh"
export CRYOLEX=$tap_tmp/w/once CPUS=1
# The program, but part 3 is interrupted the first time.
cat >once <<END
#!/bin/sh
[ "\${SLURM_ARRAY_TASK_ID-}" != 3 ] || [ -e marker ] || { touch marker; exit 75; }
exec "$cryolex" "\$@"
END
chmod +x once

# Slurm lets what was requeued wait for two minutes. It is told to start after three seconds: within the second of the requeue
# slurmd takes the new start for the old one, whose credential is revoked, and the task is lost.
cat >session <<'END'
#!/bin/bash
jobs=$("$1/scripts/slurm/submit" -n 8 -o array maps) || exit 1
declare -A since
for _ in {1..200}; do
    sleep 0.5
    queue=$(timeout 10 squeue -a -h -r -t all -j "${jobs/ /,}" -o '%i %T') || continue
    while read -r id state; do
        if [ "$state" != PENDING ]; then
            unset "since[$id]"
        elif [ $((SECONDS - ${since[$id]:=$SECONDS})) -ge 3 ]; then
            timeout 10 scontrol update "JobId=$id" StartTime=now 2>/dev/null
            unset "since[$id]"
        fi
    done <<<"$queue"
    state=$(grep "^${jobs#* } " <<<"$queue")
    [ "${state#* }" != COMPLETED ] && [ "${state#* }" != FAILED ] || exit 0
done
echo "the jobs have not ended:"
squeue -t all
exit 1
END
chmod +x session

array() {
    run 0 "$cryolex" sweep -q -o ref maps && SLURM_CPUS=8 run 0 "$top/tests/slurm_local" ./session "$top" || return 1
    [ -e marker ] && same parts 8 "$(find array -name ledger.sqlite | wc -l)" && same_as array || { tail -n 3 array/*.log; return 1; }
}

tap "sweep: an array of eight" array
tap_done
