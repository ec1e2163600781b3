# tap.sh: TAP for shell tests; source it first, call tap_done last.
# shellcheck shell=sh

tap_n=0
tap_failed=0
tap_tmp=$(mktemp -d "${TMPDIR:-/tmp}/tap_XXXXXXXX") || exit 99
trap 'rm -rf "$tap_tmp"' EXIT
trap 'exit 99' HUP INT TERM

# tap NAME COMMAND...: one test, passed when the command succeeds. What it prints is shown when it fails.
tap() {
    tap_name=$1
    shift
    tap_n=$((tap_n + 1))
    if "$@" >"$tap_tmp/.tap" 2>&1; then
        echo "ok $tap_n - $tap_name"
    else
        echo "not ok $tap_n - $tap_name"
        tap_failed=$((tap_failed + 1))
        head -n 40 "$tap_tmp/.tap" | sed 's/^/# /'
    fi
}

# python_with MODULE: the python3 that has it, that of the PATH or the system's.
python_with() {
    for tap_python in python3 /usr/bin/python3; do
        "$tap_python" -c "import $1" 2>/dev/null && { echo "$tap_python"; return 0; }
    done
    return 1
}

# tap_skip NAME REASON
tap_skip() {
    tap_n=$((tap_n + 1))
    echo "ok $tap_n - $1 # SKIP $2"
}

tap_done() {
    echo "1..$tap_n"
    [ "$tap_failed" -eq 0 ]
    exit
}

# run STATUS COMMAND...: run it; output goes to $tap_tmp/out and $tap_tmp/err. Fails, and shows both, on another status.
run() {
    run_want=$1
    shift
    run_rc=0
    "$@" >"$tap_tmp/out" 2>"$tap_tmp/err" </dev/null || run_rc=$?
    [ "$run_rc" -eq "$run_want" ] && return 0
    echo "$*: status $run_rc (wanted $run_want)"
    head -n 20 "$tap_tmp/out" "$tap_tmp/err"
    return 1
}

# same WHAT A B: two texts are equal.
same() {
    [ "$2" = "$3" ] && return 0
    printf '%s: the first is\n%s\nthe second is\n%s\n' "$1" "$2" "$3"
    return 1
}
