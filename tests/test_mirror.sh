#!/bin/sh
# scripts/mirror-emdb and scripts/mirror-pdb against servers of our own on this machine.
command -v python3 >/dev/null || { echo "1..0 # SKIP no python3"; exit 0; }
exec python3 "${srcdir:-.}/tests/mirror_cases.py" "${srcdir:-.}/scripts"
