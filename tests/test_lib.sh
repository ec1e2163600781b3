#!/bin/bash
# libcryolex as others use it: the names it exports, the header in C and C++, the examples in C and Python on an installed copy, and their results beside
# those of the command.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
src=$(cd "${srcdir:-.}" && pwd)
cryolex=${CRYOLEX:?the program to test}
build=$PWD
[ -e libcryolex.so ] || { echo "1..0 # SKIP configured without libcryolex"; exit 0; }
cc=${CC:-cc}
command -v "${cc%% *}" >/dev/null || { echo "1..0 # SKIP no C compiler"; exit 0; }
unset CRYOLEX_INDEX CRYOLEX_MODEL MAKEFLAGS MFLAGS MAKELEVEL DESTDIR
export CRYOLEX_SHARE=$tap_tmp/share
out=$tap_tmp/out err=$tap_tmp/err root=$tap_tmp/root

# The names in the map, and those in the header.
sed -n 's/^ *\(clx_[a-z_]*\);.*/\1/p' "$src/lib/cryolex.map" | sort >"$tap_tmp/map"
exports_the_map() {
    [ -s "$tap_tmp/map" ] || return 1
    same shared "$(cat "$tap_tmp/map")" "$(nm -D --defined-only libcryolex.so | awk '$2 != "A" { sub("@.*", "", $3); print $3 }' | sort)" || return 1
    nm -D --defined-only libcryolex.so | awk '$2 != "A" && $3 !~ /@@CRYOLEX_0$/ { print "no version: " $3; bad = 1 } END { exit bad }' || return 1
    same static "$(cat "$tap_tmp/map")" "$(nm -g --defined-only libcryolex.a | awk 'NF == 3 { print $3 }' | sort)"
}
header_is_the_map() { same header "$(cat "$tap_tmp/map")" "$(sed -n 's/^[a-z].*\(clx_[a-z_]*\)(.*/\1/p' "$src/lib/cryolex.h" | grep -v '^clx_tell_t$' | sort -u)"; }
soname() { readelf -d libcryolex.so | grep -q 'SONAME.*\[libcryolex\.so\.0\]'; }
no_mpi() { ! readelf -d libcryolex.so | grep 'NEEDED.*mpi'; }

# The header by itself, in old C and in C++.
header_alone() {
    printf '#include <cryolex.h>\nint main(void) { return clx_version()[0] == 0; }\n' >"$tap_tmp/h.c"
    $cc -std=c99 -pedantic-errors -Wall -Wextra -Werror -I"$src/lib" -c "$tap_tmp/h.c" -o "$tap_tmp/h.o" || return 1
    ${CXX:-c++} --version >/dev/null 2>&1 || return 0
    ${CXX:-c++} -std=c++11 -pedantic-errors -Wall -Wextra -Werror -x c++ -I"$src/lib" -c "$tap_tmp/h.c" -o "$tap_tmp/h.o"
}

# An installed copy, as make install leaves it.
installs() { make -s install DESTDIR="$root" >"$tap_tmp/install.log" 2>&1 || { tail -n 20 "$tap_tmp/install.log"; return 1; }; }
tap "the shared and the static library export the names of lib/cryolex.map" exports_the_map
tap "the header has the same names" header_is_the_map
tap "the soname" soname
tap "no MPI in the library" no_mpi
tap "the header compiles by itself, in C99 and C++11" header_alone
tap "make install" installs

mkdir "$CRYOLEX_SHARE"
"$src/scripts/demo-models" "$tap_tmp/models" >/dev/null || exit 99
"$cryolex" model new -q -o "$CRYOLEX_SHARE/default.safetensors" &&
    "$cryolex" index build -q -m "$CRYOLEX_SHARE/default.safetensors" -o "$CRYOLEX_SHARE/default.index.h5" "$tap_tmp/models/manifest.tsv" &&
    "$cryolex" simulate -q --resolution 8 --apix 2.5 "$tap_tmp/models/double-ring.pdb" "$tap_tmp/map.mrc" || exit 99

# What the examples should print of a file: the command's table in their form.
wanted() {
    "$cryolex" annotate -q --format tsv "$@" | awk -F '\t' -v OFS='\t' 'NR > 1 && $2 != "query" {
        print $2 == "entry" ? $2 : $5, $3 == "-" ? "" : $3, $6, $4 == "-" ? "" : $4 }'
}
pc() { PKG_CONFIG_PATH=$root$(dirname "$pcfile") PKG_CONFIG_SYSROOT_DIR=$root pkg-config "$@"; }
pcfile=$(cd "$root" 2>/dev/null && find . -name cryolex.pc | sed 's/^\.//')
libdir=$root$(dirname "$(dirname "$pcfile")")

c_example() { # $1: static or shared
    local flags
    flags=$(pc --cflags --libs cryolex) || return 1
    if [ "$1" = static ]; then flags="$(pc --cflags cryolex) $libdir/libcryolex.a $(sed -n 's/^Libs.private: //p' "$root$pcfile")"; fi
    # shellcheck disable=SC2086 # words
    $cc -Wall -Wextra -Werror "$src/doc/examples/annotate.c" -o "$tap_tmp/annotate-$1" $flags || return 1
    run 0 env LD_LIBRARY_PATH="$libdir" "$tap_tmp/annotate-$1" "$tap_tmp/map.mrc" && [ ! -s "$err" ] && grep -q '^entry	double-ring	' "$out" &&
        same "$1" "$(wanted "$tap_tmp/map.mrc")" "$(cat "$out")" || return 1
    run 3 env LD_LIBRARY_PATH="$libdir" "$tap_tmp/annotate-$1" "$tap_tmp/none.mrc" && grep -q '^annotate: .*none.mrc: ' "$err"
}
real() { same EMD-1080 "$(CRYOLEX_SHARE=$src/share wanted "$1")" "$(CRYOLEX_SHARE=$src/share LD_LIBRARY_PATH=$libdir "$tap_tmp/annotate-shared" "$1")"; }
short() { [ "$(wc -l <"$src/doc/examples/annotate.c")" -le 40 ]; }
python_example() {
    run 0 env CRYOLEX_LIBRARY="$libdir/libcryolex.so.0" "$python" "$src/doc/examples/annotate.py" "$tap_tmp/map.mrc" &&
        same python "$(wanted "$tap_tmp/map.mrc")" "$(cat "$out")" || return 1
    awk '/^cosine of the first hit/ { found = 1; sub(",", "", $6); exit !($6 - $9 < 2e-3 && $9 - $6 < 2e-3) } END { if (!found) exit 1 }' "$err"
}

tap "the C example is of 40 lines or less" short
tap "C example, by pkg-config, shared: results of the command" c_example shared
tap "C example, static: the same" c_example static
if [ -f "${CRYOLEX_DATA-}/maps/EMD-1080.mrc" ] && [ -f "$src/share/default.index.h5" ]; then
    tap "C example: EMD-1080 by the model and index that come along" real "$CRYOLEX_DATA/maps/EMD-1080.mrc"
else
    tap_skip "C example: EMD-1080" "no real data (CRYOLEX_DATA)"
fi
python=''
for p in python3 /usr/bin/python3; do
    if [ -z "$python" ] && "$p" -c 'import numpy' 2>/dev/null; then python=$p; fi
done
if [ -n "$python" ]; then tap "Python example with NumPy: results of the command" python_example; else tap_skip "Python example" "no NumPy (Debian: python3-numpy)"; fi

# ---- what is installed ----
files() {
    local want
    want=$({
        printf '%s\n' /bin/cryolex /include/cryolex.h /lib/libcryolex.a /lib/libcryolex.so /lib/libcryolex.so.0 /lib/libcryolex.so.0.1.0 /lib/pkgconfig/cryolex.pc \
            /share/bash-completion/completions/cryolex /share/doc/cryolex/NEWS /share/doc/cryolex/README.md /share/doc/cryolex/manual.md \
            /share/doc/cryolex/examples/annotate.c /share/doc/cryolex/examples/annotate.py
        "$cryolex" --man | sed 's|.*|/share/man/man1/&.1|'
        sed -n '/^dist_pkgdata_SCRIPTS\|^dist_pkgdata_DATA/s/.*= *//p' "$src/scripts/local.mk" | tr ' ' '\n' | sed 's|.*/|/share/cryolex/|'
        sed -n '/^dist_rivals_SCRIPTS\|^dist_rivals_DATA/s/.*= *//p' "$src/scripts/local.mk" | tr ' ' '\n' | sed 's|.*/|/share/cryolex/rivals/|'
        sed -n '/^dist_slurm_SCRIPTS/s/.*= *//p' "$src/scripts/local.mk" | tr ' ' '\n' | sed 's|.*/|/share/cryolex/slurm/|'
        for f in README MODEL-CARD.md default.safetensors default.index.h5; do [ ! -f "$src/share/$f" ] || echo "/share/cryolex/$f"; done
    } | sort)
    same "installed files" "$want" "$(cd "$root$prefix" && find . ! -type d | sed 's/^\.//' | sort)"
}
prefix=$(sed -n 's/^prefix=//p' "$root$pcfile")
finds_its_share() { # moved away from its prefix, and run where nothing is beside it
    [ -f "$src/share/default.index.h5" ] || { echo "no default index here"; return 0; }
    mv "$root$prefix" "$tap_tmp/moved" && cd / && run 0 env -u CRYOLEX_SHARE PATH="$tap_tmp/moved/bin:$PATH" cryolex search -k 1 "$tap_tmp/map.mrc" &&
        [ "$(wc -l <"$out")" -eq 2 ] || return 1
    cd "$build" && mv "$tap_tmp/moved" "$root$prefix"
}
uninstalls() {
    make -s uninstall DESTDIR="$root" >"$tap_tmp/install.log" 2>&1 || { tail "$tap_tmp/install.log"; return 1; }
    same left '' "$(find "$root" ! -type d)"
}
tap "make install: the list of files" files
tap "installed, and moved, the program finds its model and index" finds_its_share
tap "make uninstall leaves nothing" uninstalls
tap_done
