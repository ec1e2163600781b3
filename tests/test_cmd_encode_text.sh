#!/bin/bash
# cryolex encode-text on the tiny models of tests/parity: what is printed and written, which model is taken, what is refused.
# shellcheck disable=SC2317,SC2015,SC2016 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
cryolex=${CRYOLEX:?the program to test}
command -v python3 >/dev/null || { echo "1..0 # SKIP no python3"; exit 0; }
parity=$(cd "${srcdir:-.}/tests/parity" && pwd)
out=$tap_tmp/out err=$tap_tmp/err
unset CRYOLEX_TEXT_MODEL
export XDG_CACHE_HOME=$tap_tmp/cache HOME=$tap_tmp/home PYTHONIOENCODING=utf-8
cd "$tap_tmp" || exit 99
cp -r "$parity/text_bert" tiny && cp -r "$parity/text_mpnet" mpnet && chmod -R u+w tiny mpnet || exit 99

enc() { "$cryolex" encode-text "$@"; }

# The recorded texts, their vectors and token ids by sentence-transformers (tests/parity/text_tiny.py).
recorded() {
    python3 - "$parity/$1.json" "$2" <<'EOF'
import json, sys
rows = json.load(open(sys.argv[1], encoding="utf-8"))["texts"]
with open(sys.argv[2] + ".list", "w", encoding="utf-8", newline="") as f:
    f.writelines(r["text"] + "\n" for r in rows)
with open(sys.argv[2] + ".want", "w") as f:
    f.writelines(" ".join(map(str, r["vector"])) + "\n" for r in rows)
with open(sys.argv[2] + ".ids", "w") as f:
    f.writelines(" ".join(map(str, r["ids"])) + "\n" for r in rows)
EOF
}
recorded text_bert tiny && recorded text_mpnet mpnet || exit 99
mapfile -t texts <tiny.list

# as_wanted WANT GOT [WITHIN]: lines of 16 numbers, equal within 5e-4.
as_wanted() {
    same lines "$(wc -l <"$1")" "$(wc -l <"$2")" && paste -d ' ' "$1" "$2" | awk -v tol="${3:-5e-4}" 'NF != 32 {bad = 1}
        {for (i = 1; i <= 16; i++) if (!(($i - $(i + 16))^2 < tol^2)) bad = 1} END {exit bad || NR < 20}' || { head -n 3 "$2"; return 1; }
}

tsv() {
    run 0 "$cryolex" encode-text -m tiny "${texts[@]}" && same header "$(printf 'text'; printf '\tz%d' {0..15})" "$(head -n 1 "$out")" || return 1
    same texts "$(tr '\t' ' ' <tiny.list)" "$(sed 1d "$out" | cut -f 1)" && sed 1d "$out" | cut -f 2- | tr '\t' ' ' >got && as_wanted tiny.want got || return 1
    grep -q 'warning: 4 of 26 texts are longer than 32 tokens and were cut' "$err" && grep -q 'encode-text: .* s wall' "$err" &&
        grep -q '26 texts, 16 numbers each, by tiny' "$err" || { cat "$err"; return 1; }
}

exactly() {
    for m in tiny mpnet; do
        run 0 "$cryolex" encode-text -q --float -m ./$m -l $m.list && sed 1d "$out" | cut -f 2- | tr '\t' ' ' >got && as_wanted $m.want got 2e-6 || return 1
    done
    cp got exact && run 0 "$cryolex" encode-text -q -m ./mpnet -l mpnet.list && sed 1d "$out" | cut -f 2- | tr '\t' ' ' >got && ! cmp -s exact got
}

json() {
    run 0 "$cryolex" encode-text -q -m mpnet/ --format json -l mpnet.list || return 1
    python3 - "$out" >got <<'EOF' && as_wanted mpnet.want got
import json, sys
for line, text in zip(open(sys.argv[1], encoding="utf-8"), open("mpnet.list", encoding="utf-8", newline="\n")):
    x = json.loads(line)
    assert list(x) == ["text", "embedding"] and x["text"] == text[:-1], x
    print(*x["embedding"])
EOF
}

# An empty line is a text; the end of the last line is none; \r\n and a byte order mark are no text.
lists() {
    run 0 "$cryolex" encode-text -q -m tiny "${texts[@]}" && cp "$out" all || return 1
    printf '\357\273\277' >bom && sed 's/$/\r/' tiny.list >>bom
    head -c -1 tiny.list >noend
    for f in tiny.list bom noend; do
        run 0 "$cryolex" encode-text -q -m tiny -l $f && diff all "$out" || return 1
    done
    enc -q -m tiny --list - <tiny.list | diff all - || return 1
    printf '\n\n' | enc -q -m tiny -l - | sed 1d | cut -f 1 >got && same "two empty texts" "$(printf '|\n|')" "$(sed 's/^/|/' got)"
}

files() {
    run 0 "$cryolex" encode-text -m tiny -l tiny.list -o z.npy && [ ! -s "$out" ] && grep -q 'z.npy: 26 texts' "$err" || return 1
    run 0 "$cryolex" encode-text -m tiny -l tiny.list -o z.safetensors && [ ! -s "$out" ] || return 1
    python3 - >got <<'EOF' && as_wanted tiny.want got
import ast, json, struct
b = open("z.npy", "rb").read()
n, = struct.unpack("<H", b[8:10])
head = ast.literal_eval(b[10:10 + n].decode())
assert b[:8] == b"\x93NUMPY\1\0" and head == {"descr": "<f4", "fortran_order": False, "shape": (26, 16)}, head
z = struct.unpack("<416f", b[10 + n:])
for i in range(0, 416, 16):
    print(*z[i:i + 16])
s = open("z.safetensors", "rb").read()
n, = struct.unpack("<Q", s[:8])
head = json.loads(s[8:8 + n])
meta = head.pop("__metadata__")
assert head == {"embeddings": {"dtype": "F32", "shape": [26, 16], "data_offsets": [0, 1664]}}, head
assert s[8 + n:] == b[-1664:]
assert meta.keys() == {"program", "text_encoder", "text_encoder_hash"} and meta["text_encoder"] == "tiny" and len(meta["text_encoder_hash"]) == 16, meta
EOF
}

tokens() {
    for m in tiny mpnet; do
        run 0 "$cryolex" encode-text -q -m ./$m --tokens -l $m.list && same header "$(printf 'text\ttokens\tids\tpieces')" "$(head -n 1 "$out")" &&
            same ids "$(cat $m.ids)" "$(sed 1d "$out" | cut -f 3)" && same numbers "$(awk '{print NF}' $m.ids)" "$(sed 1d "$out" | cut -f 2)" || return 1
    done
    run 0 "$cryolex" encode-text -q -m tiny --tokens 'Ribosomes β東?' &&
        same pieces '[CLS] ribosome ##s β 東 [UNK] [SEP]' "$(sed 1d "$out" | cut -f 4)" || return 1
    run 0 "$cryolex" encode-text -q -m tiny --tokens --format json 'the 東' && cat "$out" &&
        grep -q '^{"text":"the 東","tokens":4,"ids":\[2,5,[0-9]*,3\],"pieces":\["\[CLS\]","the","東","\[SEP\]"\]}$' "$out"
}

many() { # more than a batch; a text's vector does not depend on the others, nor on the threads
    for i in $(seq 2500); do echo "$((i % 7)) protein ${texts[$((i % 6))]}"; done >long
    run 0 "$cryolex" encode-text -q -j 1 -m tiny -l long -o one.npy && run 0 "$cryolex" encode-text -q -j 3 -m tiny -l long -o three.npy && cmp one.npy three.npy || return 1
    run 0 "$cryolex" encode-text -q -m tiny -l long && [ "$(wc -l <"$out")" -eq 2501 ] && cp "$out" all || return 1
    same texts "$(cat long)" "$(sed 1d all | cut -f 1)" || return 1
    for n in 1 1024 1025 2500; do
        run 0 "$cryolex" encode-text -q -m tiny "$(sed -n ${n}p long)" && same "row $n" "$(sed -n $((n + 1))p all)" "$(sed -n 2p "$out")" || return 1
    done
    sed 1d all | cut -f 2- >rows && python3 - <<'EOF'
import struct
z = struct.unpack("<40000f", open("one.npy", "rb").read()[-160000:])
for i, line in enumerate(open("rows")):
    assert all(abs(a - float(b)) <= 1e-6 for a, b in zip(z[16 * i:16 * i + 16], line.split())), i
EOF
}

odd_text() {
    run 0 "$cryolex" encode-text -q -m tiny $'tab\tand\nline' && same rows 2 "$(wc -l <"$out")" && grep -q "^tab and line$(printf '\t')" "$out" &&
        run 0 "$cryolex" encode-text -q -m tiny --format json $'tab\tand\nline "q"' && grep -q '^{"text":"tab\\tand\\nline \\"q\\"","embedding":\[' "$out"
}

names() {
    mkdir -p cache/cryolex/text home/.cache/cryolex/text && cp -r tiny cache/cryolex/text/minilm && cp -r tiny home/.cache/cryolex/text/mpnet || return 1
    run 0 "$cryolex" encode-text -m minilm a && grep -q 'by minilm' "$err" && run 0 "$cryolex" encode-text a && grep -q 'by minilm' "$err" || return 1
    run 3 "$cryolex" encode-text -m mpnet a && grep -q "no sentence encoder mpnet in $tap_tmp/cache/cryolex/text/mpnet; fetch-text-model mpnet" "$err" || return 1
    for unset in XDG_CACHE_HOME= XDG_CACHE_HOME=relative; do
        run 0 env $unset "$cryolex" encode-text -m mpnet a && grep -q 'by mpnet' "$err" || return 1
    done
    run 0 env CRYOLEX_TEXT_MODEL=tiny "$cryolex" encode-text a && grep -q 'by tiny' "$err" &&
        run 0 env CRYOLEX_TEXT_MODEL=tiny "$cryolex" encode-text -m minilm a && grep -q 'by minilm' "$err" &&
        run 3 env CRYOLEX_TEXT_MODEL=mpnet "$cryolex" encode-text a && grep -q 'fetch-text-model mpnet' "$err" &&
        run 3 env -u HOME -u XDG_CACHE_HOME "$cryolex" encode-text a && grep -q 'neither XDG_CACHE_HOME nor HOME' "$err"
}

# refused STATUS PATTERN ARGUMENT...: nothing on standard output, no file
refused() {
    want=$1 pattern=$2
    shift 2
    rm -f x.npy
    run "$want" "$cryolex" encode-text "$@" && grep -q -- "$pattern" "$err" && [ ! -s "$out" ] && [ ! -e x.npy ] || { cat "$out" "$err"; return 1; }
}

onto_itself() {
    cp tiny.list own.npy && refused 2 "own.npy: the output is an input" -m tiny -l own.npy -o own.npy && cmp tiny.list own.npy
}

onto_the_model() {
    refused 2 "tiny/model.safetensors: the output is an input" -m tiny -o tiny/model.safetensors a &&
        cmp "$parity/text_bert/model.safetensors" tiny/model.safetensors
}

cp -r tiny broken && head -c 2000 tiny/model.safetensors >broken/model.safetensors
printf 'good\n\ncaf\351\n' >latin1
printf 'good\nno\0good\n' >nul
: >empty
tap "TSV, against recorded vectors" tsv
tap "JSON" json
tap "--float: upstream's numbers" exactly
tap "lists" lists
tap ".npy and .safetensors" files
tap "--tokens" tokens
tap "many texts, any threads" many
tap "tabs and ends of line within a text" odd_text
tap "models by name" names
tap "no text" refused 2 "texts, or --list FILE, are wanted" -m tiny
tap "texts and a list" refused 2 "not both" -m tiny -l tiny.list a
tap "output of no known kind" refused 2 "x.csv: the name of the output ends neither" -m tiny -o x.csv a
tap "--tokens with --output" refused 2 "--tokens goes to standard output" -m tiny --tokens -o x.npy a
tap "output onto the list" onto_itself
tap "output onto the encoder's weights" onto_the_model
tap "output into no folder, told before the work" refused 3 "nowhere/x.npy" -m nofolder -o nowhere/x.npy a
tap "not UTF-8: the line is told" refused 3 "latin1: line 3, byte 4: not UTF-8" -m tiny -l latin1 -o x.npy
tap "not UTF-8, operand" refused 3 "text 2, byte 1: not UTF-8" -m tiny a $'\377'
tap "NUL" refused 3 "nul: line 2, byte 3: NUL" -m tiny -l nul
tap "empty list" refused 3 "empty: empty, no text" -m tiny -l empty
tap "no list" refused 3 "nofile" -m tiny -l nofile
mkdir bare
tap "an empty folder" refused 3 "bare/modules.json: No such file or directory (not a sentence-transformers folder?)" -m bare a
tap "no such folder" refused 3 "nofolder: no such folder" -m nofolder a
tap "a file is no folder" refused 3 "tiny.list: no such folder" -m tiny.list a
tap "damaged model" refused 3 "broken/model.safetensors" -m broken a
tap "--memory" refused 3 "see --memory" --memory 1M -m tiny -l <(yes | head -n 40000) -o x.npy
tap_done
