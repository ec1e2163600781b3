#!/bin/bash
# Packages: what cannot be built here is parsed at least; versions and lists of names agree.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
src=$(cd "${srcdir:-.}" && pwd)
cryolex=${CRYOLEX:?the program to test}
version=$("$cryolex" --version | awk 'NR == 1 { print $2 }')

versions() {
    same header "$version" "$(sed -n 's/^#define CLX_VERSION "\([^"]*\)".*/\1/p' "$src/lib/cryolex.h")" &&
        same conda "$version" "$(sed -n 's/^  version: "\(.*\)"$/\1/p' "$src/packaging/conda/meta.yaml")" &&
        same debian "$version" "$(sed -n '1s/.*(\(.*\)).*/\1/p' "$src/debian/changelog")" &&
        same module "$version" "$(sed -n 's|^set prefix /opt/cryolex/||p' "$src/packaging/modulefiles/cryolex")" &&
        same citation "$version" "$(sed -n 's/^version: //p' "$src/CITATION.cff")"
}
symbols() {
    same symbols "$(sed -n 's/^ *\(clx_[a-z_]*\);.*/\1/p' "$src/lib/cryolex.map" | sort)" "$(sed -n 's/^ \(clx_[a-z_]*\)@.*/\1/p' "$src/debian/libcryolex0.symbols" | sort)"
}
# Whatever bootstrap installs to build with, the source package asks for, but for what every Debian build has, and MPI.
build_depends() {
    local p
    for p in $(sed -n "/^build_packages='/,/'\$/p" "$src/bootstrap" | tr -d "'" | sed 's/^build_packages=//'); do
        case $p in autoconf | automake | make | gcc | g++) continue ;; esac
        sed -n '/^Build-Depends:/,/^$/p' "$src/debian/control" | grep -qw -- "$p" || { echo "debian/control: no $p"; return 1; }
    done
}
scripts() {
    sed -n '/^%post/,/^%environment/{/^%/d;p}' "$src/packaging/apptainer/cryolex.def" >"$tap_tmp/post"
    sed -n '/^%runscript/,/^%test/{/^%/d;p}' "$src/packaging/apptainer/cryolex.def" >"$tap_tmp/run"
    [ -s "$tap_tmp/post" ] && [ -s "$tap_tmp/run" ] && shellcheck -s sh "$tap_tmp/post" "$tap_tmp/run" "$src/packaging/conda/build.sh" "$src/scripts/relion-external"
}
recipe() {
    sed 's/{{[^}]*}}/x/; s/#.*//' "$src/packaging/conda/meta.yaml" >"$tap_tmp/meta.yaml"
    "$python" -c 'import sys, yaml; m = yaml.safe_load(open(sys.argv[1])); assert m["package"]["name"] == "cryolex" and m["requirements"]["host"]' "$tap_tmp/meta.yaml"
}
module() {
    cat >"$tap_tmp/m.tcl" <<'END'
foreach c {module-whatis conflict prepend-path append-path setenv} { proc $c {args} "puts \"$c \$args\"" }
source [lindex $argv 0]
END
    CRYOLEX_PREFIX=/x run 0 tclsh "$tap_tmp/m.tcl" "$src/packaging/modulefiles/cryolex" && grep -q 'PATH /x/bin' "$tap_tmp/out" && grep -q 'CRYOLEX_SHARE /x/share/cryolex' "$tap_tmp/out"
}
# Environment Modules or Lmod themselves: $1 is what they have a shell read. What was set before is so again after an unload; man finds its own pages, too.
loads() {
    mkdir -p "$tap_tmp/modules/cryolex" && cp "$src/packaging/modulefiles/cryolex" "$tap_tmp/modules/cryolex/$version" || return 1
    run 0 env -u MANPATH -u CRYOLEX_SHARE MODULEPATH="$tap_tmp/modules" CRYOLEX_PREFIX=/x bash -c '. "$1" && module load cryolex && echo "$PATH $CRYOLEX_SHARE $MANPATH" &&
        module unload cryolex && echo "${MANPATH-unset} ${CRYOLEX_SHARE-unset}"' bash "$1" || return 1
    grep -q '^/x/bin:.* /x/share/cryolex /x/share/man::*$' "$tap_tmp/out" || { cat "$tap_tmp/out"; return 1; }
    same unloaded "unset unset" "$(tail -n 1 "$tap_tmp/out")"
}
changelog() { dpkg-parsechangelog -l "$src/debian/changelog" >/dev/null; }

tap "one version everywhere" versions
tap "the symbols of the Debian package are those of the library" symbols
tap "the Debian package is built with what bootstrap installs" build_depends
if command -v shellcheck >/dev/null; then tap "scripts in packages" scripts; else tap_skip "scripts in packages" "no shellcheck"; fi
python=''
for p in python3 /usr/bin/python3; do
    if [ -z "$python" ] && "$p" -c 'import yaml' 2>/dev/null; then python=$p; fi
done
if [ -n "$python" ]; then tap "the conda recipe is YAML" recipe; else tap_skip "the conda recipe" "no python3-yaml"; fi
if command -v tclsh >/dev/null; then tap "the module file" module; else tap_skip "the module file" "no tclsh"; fi
for init in /usr/share/modules/init/bash /usr/share/lmod/lmod/init/bash; do
    if [ -f "$init" ]; then tap "the module file in use: $init" loads "$init"; else tap_skip "the module file in use" "no $init (Debian: environment-modules, lmod)"; fi
done
if command -v dpkg-parsechangelog >/dev/null; then tap "debian/changelog" changelog; else tap_skip "debian/changelog" "no dpkg-dev"; fi
tap_done
