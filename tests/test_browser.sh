#!/bin/bash
# The pages of cryolex report in a browser (tests/browser/pages.py); skipped where Debian's chromium, chromium-driver and python3-selenium are not installed.
. "${srcdir:-.}/tests/tap.sh"
cryolex=${CRYOLEX:?the program to test}
drive=$(cd "${srcdir:-.}/tests/browser" && pwd)/pages.py
python=
for p in python3 /usr/bin/python3; do "$p" -c 'import selenium' 2>/dev/null && python=$p && break; done
if [ -z "$python" ] || ! command -v chromium >/dev/null || [ ! -x /usr/bin/chromedriver ]; then
    tap_skip "pages in a browser" "no chromium, chromium-driver and python3-selenium here"
    tap_done
fi
mkdir "$tap_tmp/w" && cd "$tap_tmp/w" || exit 99
mkdir models
for k in 1 2 3; do
    awk -v k="$k" 'BEGIN { for (i = 1; i <= 150; i++)
        printf "ATOM  %5d  CA  ALA A%4d    %8.3f%8.3f%8.3f  1.00 20.00           C\n", i, i, (7 + 3 * k) * cos(i * 0.5), 9 * sin(i * 0.5) + 0.1 * k * i, 0.35 * i / k + (i % 7 == 0) * 3 }' >"models/${k}abc.pdb"
done
"$cryolex" index build -q -o i.h5 models || exit 99
for k in 1 2 3; do "$cryolex" simulate -q --resolution 9 --apix 3 --pad 12 models/${k}abc.pdb m$k.mrc || exit 99; done
"$cryolex" search -q -i i.h5 --format json m?.mrc |
    awk '{ sub(/"score":/, sprintf("\"confidence\":%.3f,\"score\":", 1 / NR)); print }' >found.jsonl && "$cryolex" report -q -i i.h5 -s models -f 1 -o pages found.jsonl || exit 99
HOME=$PWD "$python" "$drive" pages
