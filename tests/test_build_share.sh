#!/bin/bash
# scripts/build-share, with a program that does nothing but write down what it was asked and make the output.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
share=$(cd "${srcdir:-.}/scripts" && pwd)/build-share
out=$tap_tmp/out err=$tap_tmp/err log=$tap_tmp/log data=$tap_tmp/data
cd "$tap_tmp" || exit 99

mkdir -p "$data/structures" "$data/annot" "$data/maps"
printf 'pdb_id\tchain_domain\tfile\n1abc\t-\tab/1abc.pdb.gz\n2abc\t-\tab/2abc.cif.gz\n' >"$data/structures/structures.tsv"
: >"$data/maps/maps.tsv"
cat >stub <<'END'
#!/bin/sh
echo "$*" >>"$LOG"
what=$1
while [ $# -gt 0 ]; do
    [ "$1" != -o ] || { [ "$what" = train ] && [ -n "${FAIL:-}" ] || head -c "${BYTES:-10}" /dev/zero >"$2"; }
    shift
done
[ "$what" != "${STATUS_OF:-}" ] || exit "$STATUS"
END
chmod +x stub
export CRYOLEX=$tap_tmp/stub CRYOLEX_DATA=$data LOG=$log
find "$data" -exec touch -d '2020-01-01' {} +

asked() { cut -d ' ' -f 1 "$log" | tr '\n' ' '; }

dry() {
    run 0 "$share" --dry-run --steps 7 --minutes 3 --scoring cube=3 && [ ! -e share ] && [ ! -e share.work ] && [ ! -e "$log" ] &&
        grep -q 'train --seed 1 --steps 7 --minutes 3 ' "$out" && grep -q 'scoring cube=3' "$out" && grep -q 'sha256sum' "$out"
}
all() {
    run 0 "$share" --train "--batch 96 --rate 2e-3" && same commands "$(asked)" "dataset train model index index dataset model index search " &&
        grep -q '^train .* --batch 96 --rate 2e-3 -d' "$log" && [ -f share/default.safetensors ] && [ -f share/default.index.h5 ] || { cat "$err"; return 1; }
}
again() {
    : >"$log"
    run 0 "$share" && same commands "$(asked)" "dataset model index search " || return 1
    : >"$log"
    touch -d '+1 hour' "$data/maps/maps.tsv" # the dataset is made from it, and all else from that
    run 0 "$share" && asked | grep -q '^dataset train model index' || return 1
    touch -d '2020-01-01' "$data/maps/maps.tsv"
}
resumes() {
    rm -f share.work/model.safetensors "$log"
    FAIL=y run 1 "$share" && grep -q resume "$err" && ! grep -q '^index build' "$log" || return 1
    run 0 "$share" --resume && grep -q '^train .*--resume' "$log"
}
some_fail() {
    rm -rf share.work share "$log"
    STATUS_OF=index STATUS=1 run 1 "$share" # index calibrate is no batch
    grep -q '^index build' "$log" && grep -q '^index calibrate' "$log" && ! grep -q '^index info' "$log" || return 1
    rm -rf share.work share
    STATUS_OF=dataset STATUS=3 run 3 "$share" && [ ! -e share/default.safetensors ]
}
large() {
    rm -rf share.work share
    BYTES=14000000 run 1 "$share" && grep -q 'too large' "$err"
}
rehearsal() {
    rm -rf share.work share
    run 0 "$share" --every 2 && same list "$(tail -n 1 share.work/structures.tsv)" "2abc	$data/structures/ab/2abc.cif.gz"
}
misuse() {
    run 2 "$share" --nothing 3 && run 2 "$share" --steps && run 2 "$share" --steps 0 && run 2 "$share" --seed x &&
        run 3 "$share" --data /nonexistent && run 0 "$share" -h && grep -q -- --every "$out"
}

tap "a dry run prints, and makes nothing" dry
tap "all of it, in order" all
tap "what is new is kept, what is stale is made again" again
tap "a training run that stopped" resumes
tap "status 1 of a batch is no end, status 3 is" some_fail
tap "25 MiB at most" large
tap "a rehearsal on every second structure" rehearsal
tap "misuse" misuse
tap_done
