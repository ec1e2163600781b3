#!/bin/sh
# summary.sh TRS...: add up Automake's result files and close with "N passed, N failed[, N skipped]".
# A test program without a result file did not run, and counts as failed. An ERROR (a crash, a missing plan, an exit
# status) counts where the program shows no failed test beside it. Status 1 when anything failed.
passed=0 failed=0 skipped=0
for trs in "$@"; do
    if [ ! -s "$trs" ]; then
        echo "summary: ${trs%.trs}: no result"
        failed=$((failed + 1))
        continue
    fi
    fails=0 errors=0
    while read -r key result _; do
        case "$key $result" in
            ':test-result: PASS' | ':test-result: XFAIL') passed=$((passed + 1)) ;;
            ':test-result: SKIP') skipped=$((skipped + 1)) ;;
            ':test-result: ERROR') errors=$((errors + 1)) ;;
            ':test-result: '*) fails=$((fails + 1)) ;;
        esac
    done <"$trs"
    [ "$fails" -gt 0 ] || fails=$errors
    failed=$((failed + fails))
done
if [ "$skipped" -gt 0 ]; then
    echo "$passed passed, $failed failed, $skipped skipped"
else
    echo "$passed passed, $failed failed"
fi
[ "$failed" -eq 0 ]
