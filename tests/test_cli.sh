#!/bin/bash
# The command line as such: help, man pages and completion from one table; exit status; what goes to which stream.
# shellcheck disable=SC2317,SC2015,SC2016 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
cryolex=${CRYOLEX:?the program to test}
export CRYOLEX_SHARE=$tap_tmp/none # no model and no index come with the program
out=$tap_tmp/out err=$tap_tmp/err

mapfile -t commands < <("$cryolex" -h | sed -n -E 's/^  ([a-z-]+( [a-z]+)?)  .*/\1/p')

# cmd COMMAND ARGUMENT...: run the command, whose name may be two words; status in rc.
cmd() {
    local words
    read -ra words <<<"$1"
    shift
    rc=0
    "$cryolex" "${words[@]}" "$@" >"$out" 2>"$err" </dev/null || rc=$?
}

version() {
    run 0 "$cryolex" --version && [ ! -s "$err" ] || return 1
    head -n 1 "$out" | grep -Eq '^cryolex [0-9]+\.[0-9]+' || return 1
    for part in fftw3f hdf5 openblas gsl libtiff zlib libdeflate libxml jansson sqlite3 gemmi; do
        grep -q "^  $part.* [0-9].*: ." "$out" || { echo "no $part"; cat "$out"; return 1; }
    done
}

overview() {
    run 0 "$cryolex" -h && [ ! -s "$err" ] && cp "$out" "$out.h" && ! grep -E '.{81}' "$out" && run 0 "$cryolex" --help && cmp "$out" "$out.h"
}

# misuse ARGUMENT...: status 2, nothing on stdout, one line on stderr that points at -h.
misuse() {
    run 2 "$cryolex" "$@" || return 1
    [ ! -s "$out" ] || { echo "stdout:"; cat "$out"; return 1; }
    [ "$(wc -l <"$err")" -eq 1 ] || { echo "not one line:"; cat "$err"; return 1; }
    grep -Eq '^cryolex: .*; see cryolex( .*)? -h$' "$err" || { cat "$err"; return 1; }
}

# A command's own finding of misuse is told like that of the option table, and no closing line follows.
misuse_within() {
    misuse search x.mrc && grep -q 'see cryolex search -h' "$err" && misuse index build x.pdb && grep -q 'see cryolex index build -h' "$err" &&
        misuse index merge x.h5 && misuse resample a.mrc b.mrc && grep -q 'see cryolex resample -h' "$err" &&
        misuse search --shape-only -d size -i x.h5 x.mrc
}

# A first word alone is misuse that names the second ones; with -h or --help they are listed, as in the overview.
group_alone() {
    local second
    second=$(printf '%s\n' "${commands[@]}" | sed -n "s/^$1 //p" | paste -s -d , | sed 's/,/, /g')
    misuse "$1" && same message "cryolex: $1: one of $second is wanted; see cryolex $1 -h" "$(cat "$err")" && misuse "$1" no-such-command &&
        same message "cryolex: $1: one of $second is wanted; see cryolex $1 -h" "$(cat "$err")"
}
group_help() {
    run 0 "$cryolex" -h && grep "^  $1 " "$out" >"$tap_tmp/want" || return 1
    for h in -h --help; do
        run 0 "$cryolex" "$1" "$h" && [ ! -s "$err" ] && ! grep -E '.{81}' "$out" &&
            same commands "$(cat "$tap_tmp/want")" "$(grep "^  $1 " "$out")" || return 1
    done
    stdout_full "$cryolex" "$1" -h && misuse no-such-command -h
}

help_with_argument() { misuse info --help=1 && grep -q -- '--help=1: takes no argument' "$err"; }

stdout_full() { run 3 sh -c '"$@" >/dev/full' - "$@" && grep -q 'standard output' "$err"; }
stdout_closed() { run 3 sh -c '"$@" >&-' - "$@" && grep -q 'standard output' "$err"; }

pages() {
    local want
    want=$(echo cryolex; for c in "${commands[@]}"; do echo "cryolex-${c// /-}"; done)
    run 0 "$cryolex" --man && same "pages" "$want" "$(cat "$out")"
}

lint() {
    run 0 "$cryolex" --man "$1" && mandoc -Tlint -W warning "$out"
}

help_of() {
    cmd "$1" -h
    [ "$rc" -eq 0 ] && [ ! -s "$err" ] && grep -q "^usage: cryolex $1 \[options\]\( [A-Z-].*\)\?\$" "$out" &&
        grep -q "^cryolex $1: [A-Z].*[^.]\$" "$out" || { cat "$out" "$err"; return 1; }
    awk 'length > 80 && !/^(usage|example): / && !/^      / && !/^  -/ { print "long line: " $0; bad = 1 } END { exit bad }' "$out"
}

# The options of a command, as three places have them: -x and --xxx, sorted.
from_help() { cmd "$1" -h; grep -E '^  (-[A-Za-z0-9], |    )--' "$out" | grep -Eo -- '^ *(-.,)? +--[a-z0-9-]+' | tr -d , | tr -s ' ' '\n' | grep . | sort -u; }
from_man() {
    "$cryolex" --man "cryolex-${1// /-}" | sed -n '/^\.SH OPTIONS/,/^\.SH EXIT/p' | grep -E '^\\fB\\-' |
        sed 's/\\f[BIR]//g; s/\\-/-/g' | grep -Eo -- '^(-., )?--[a-z0-9-]+' | tr -d , | tr -s ' ' '\n' | grep . | sort -u
}
from_completion() {
    local words
    read -ra words <<<"$1"
    complete_at cryolex "${words[@]}" - | sort -u
}
options() {
    local h
    h=$(from_help "$1")
    [ "$(wc -w <<<"$h")" -ge 7 ] || { echo "only: $h"; return 1; } # -h, -j, -q and --memory are everywhere
    same "help and man page" "$h" "$(from_man "$1")" && same "help and completion" "$h" "$(from_completion "$1")"
}

# complete_at WORD...: what bash would offer for the last word.
complete_at() {
    (
        eval "$("$cryolex" --completion)"
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
        _cryolex
        printf '%s\n' "${COMPREPLY[@]}"
    )
}

completes_commands() {
    local first
    first=$(printf '%s\n' "${commands[@]%% *}" | awk '!seen[$0]++')
    same "first words" "$first" "$(complete_at cryolex '' | grep -v -- '^--')" || return 1
    same "prefix" "$(grep '^s' <<<"$first")" "$(complete_at cryolex s)" || return 1
    for g in $(printf '%s\n' "${commands[@]}" | sed -n 's/ .*//p' | sort -u); do
        same "group $g" "$(printf '%s\n' "${commands[@]}" | sed -n "s/^$g //p")" "$(complete_at cryolex "$g" '')" || return 1
    done
}

# Each option with a list of choices offers just these; a number offers nothing.
completes_choices() {
    local words name choices
    read -ra words <<<"$1"
    cmd "$1" -h
    while read -r name choices; do
        same "$name" "$(tr '|' '\n' <<<"$choices")" "$(complete_at cryolex "${words[@]}" "$name" '')" || return 1
        same "$name=" "$(tr '|' '\n' <<<"$choices")" "$(complete_at cryolex "${words[@]}" "$name" = '')" || return 1
    done < <(grep -Eo -- '--[a-z0-9-]+ [a-z0-9-]+(\|[a-z0-9-]+)+' "$out")
    same "--threads" '' "$(complete_at cryolex "${words[@]}" --threads '')"
}

completes_files() {
    local words
    read -ra words <<<"$1"
    : >"$tap_tmp/some.map"
    same file "$tap_tmp/some.map" "$(complete_at cryolex "${words[@]}" "$tap_tmp/so")"
}

tap "--version lists the parts" version
tap "-h is --help" overview
tap "no command is misuse" misuse
tap "an unknown command is misuse" misuse no-such-command
tap "an unknown option is misuse" misuse --no-such-option
tap "misuse that a command finds" misuse_within
tap "an argument of --help" help_with_argument
tap "an unknown man page" run 2 "$cryolex" --man no-such-page
tap "full device: status 3" stdout_full "$cryolex" -h
tap "closed stdout: status 3" stdout_closed "$cryolex" -h
tap "the man pages are the commands" pages
tap "completion: commands" completes_commands
if command -v shellcheck >/dev/null; then
    "$cryolex" --completion >"$tap_tmp/completion"
    tap "completion: shellcheck" shellcheck -s bash "$tap_tmp/completion"
else
    tap_skip "completion: shellcheck" "no shellcheck"
fi
if command -v mandoc >/dev/null; then tap "man page: lint" lint cryolex; else tap_skip "man page: lint" "no mandoc"; fi

# The list of commands is read from -h: were its layout another, all that follows would be skipped.
tap "the commands of -h are those of the man pages" [ "${#commands[@]}" -eq "$(("$("$cryolex" --man | wc -l)" - 1))" ]
tap "there are commands" [ "${#commands[@]}" -ge 8 ]
for c in "${commands[@]}"; do
    read -ra words <<<"$c"
    page=cryolex-${c// /-}
    tap "$c: -h" help_of "$c"
    tap "$c: options in -h, man page and completion" options "$c"
    if command -v mandoc >/dev/null; then tap "$c: man page lint" lint "$page"; else tap_skip "$c: man page lint" "no mandoc"; fi
    tap "$c: completion of choices" completes_choices "$c"
    tap "$c: completion of files" completes_files "$c"
    tap "$c: an unknown option is misuse" misuse "${words[@]}" --no-such-option
    tap "$c: a number out of range is misuse" misuse "${words[@]}" --threads=-1
    tap "$c: no operand is misuse" misuse "${words[@]}"
    tap "$c: full device, status 3" stdout_full "$cryolex" "${words[@]}" -h
done
for g in $(printf '%s\n' "${commands[@]}" | sed -n 's/ .*//p' | sort -u); do
    tap "$g alone is misuse" group_alone "$g"
    tap "$g: -h" group_help "$g"
done
tap_done
