#!/bin/sh
# scripts/fetch-text-model against a server and a pip of our own on this machine.
command -v python3 >/dev/null || { echo "1..0 # SKIP no python3"; exit 0; }
exec python3 "${srcdir:-.}/tests/fetch_text_cases.py" "${srcdir:-.}/scripts"
