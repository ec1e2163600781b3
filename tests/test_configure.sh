#!/bin/bash
# configure: whatever is missing is an error that names the Debian package and what it is needed for.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
configure=$(cd "${srcdir:-.}" && pwd)/configure
real=$(command -v pkg-config) || { echo "1..0 # SKIP no pkg-config"; exit 0; }
cd "$tap_tmp" || exit 99

# A pkg-config that does not know the modules in $HIDE.
cat >pkg-config <<END
#!/bin/sh
for word; do
    for hidden in \$HIDE; do [ "\${word%% *}" != "\$hidden" ] || exit 1; done
done
exec $real "\$@"
END
chmod +x pkg-config

# refuses ARGUMENT...: configure ends with an error; what it says is in log.
refuses() {
    ! PKG_CONFIG=$tap_tmp/pkg-config "$configure" -q "$@" >log 2>&1 </dev/null && [ ! -e Makefile ] && grep -q '^configure: error: ' log || { tail -n 20 log; return 1; }
}

# named PART PACKAGE: the log names both.
named() {
    grep -Eq "^  $1.*: [a-zA-Z]" log && grep -Eq "^  Debian: apt-get install.* $2( |\$)" log || { tail -n 20 log; return 1; }
}

parts='fftw3f libfftw3-dev
hdf5-serial libhdf5-dev
openblas libopenblas-dev
gsl libgsl-dev
libtiff-4 libtiff-dev
zlib zlib1g-dev
libdeflate libdeflate-dev
libxml-2.0 libxml2-dev
jansson libjansson-dev
sqlite3 libsqlite3-dev
liblzma liblzma-dev
libutf8proc libutf8proc-dev
libzstd libzstd-dev
cmocka libcmocka-dev
mpi libopenmpi-dev
libmicrohttpd libmicrohttpd-dev
bzip2 libbz2-dev
gemmi/model.hpp gemmi-dev
tao/pegtl.hpp tao-pegtl-dev
OpenMP libomp-dev'

HIDE="hdf5 ompi-c mpich $(cut -d ' ' -f 1 <<<"$parts")" tap "all missing" refuses --with-cmocka --with-mpi --with-microhttpd ac_cv_header_bzlib_h=no \
    ac_cv_header_gemmi_model_hpp=no ac_cv_header_tao_pegtl_hpp=no ac_cv_prog_c_openmp=unsupported
while read -r part package; do
    tap "$part is missed, in $package" named "$part" "$package"
done <<<"$parts"
tap_done
