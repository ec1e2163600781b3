#!/bin/sh
# run.sh PROGRAM: run a cmocka program. cmocka 1.1.5 reports a skipped test as "not ok N # SKIP", which counts as a
# failure; in TAP it is "ok N # SKIP".
exec 4>&1
status=$({
    {
        "$@" 3>&- 4>&-
        echo $? >&3
    } | sed 's/^not ok \([0-9]* # SKIP\)/ok \1/' >&4 4>&-
} 3>&1)
exit "$status"
