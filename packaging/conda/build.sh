#!/bin/sh
# Run by conda-build in a copy of the source.
set -eu
autoreconf -fi
mkdir build-conda
cd build-conda
../configure --prefix="$PREFIX" --without-mpi --without-cmocka --enable-library
make -j "${CPU_COUNT:-1}"
make install
