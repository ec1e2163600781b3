#!/bin/bash
# cryolex serve: with an untrained model and an index of three models that the test makes; tests/serve_cases.py asks and abuses it.
. "${srcdir:-.}/tests/tap.sh"
cryolex=${CRYOLEX:?the program to test}
command -v python3 >/dev/null || { echo "1..0 # SKIP no python3"; exit 0; }
"$cryolex" --version | grep -q '^  libmicrohttpd [0-9]' || { echo "1..0 # SKIP built without libmicrohttpd"; exit 0; }
cases=$(cd "${srcdir:-.}/tests" && pwd)/serve_cases.py
cd "$tap_tmp" || exit 99
unset CRYOLEX_INDEX CRYOLEX_MODEL
export CRYOLEX_SHARE=$tap_tmp/share
mkdir share models
for k in 1 2 3; do
    awk -v k="$k" 'BEGIN { for (i = 1; i <= 80; i++)
        printf "ATOM  %5d  CA  ALA A%4d    %8.3f%8.3f%8.3f  1.00 20.00           C\n", i, i, 5 * k * cos(i), 9 * sin(i) + 0.1 * i, 1.5 * i / k }' >"models/${k}abc.pdb"
done
cat >net.json <<'END'
{"inputs": {"cube": [1, 32, 32, 32], "features": [33]}, "layers": [
{"op": "conv", "name": "c", "from": "cube", "out": 8, "side": 3, "stride": 2}, {"op": "relu"}, {"op": "pool", "kind": "mean", "as": "p"},
{"op": "linear", "name": "f0", "from": "features", "out": 8}, {"op": "concat", "with": "p"}, {"op": "linear", "name": "f", "out": 6}, {"op": "l2norm"}]}
END
"$cryolex" model new -q --table net.json --features profile,log_rg -o share/default.safetensors &&
    "$cryolex" index build -q -m share/default.safetensors -o share/default.index.h5 models &&
    "$cryolex" simulate -q -r 8 models/2abc.pdb query.mrc || exit 99
python3 "$cases"
