"""Texts for tests/parity/text.py and tests/bench/text.py. Python 3 standard library only.

captions(data, n)  captions by template, from the annotation tables of the data folder: name, organism, EC, and of each GO
                   namespace up to 6 terms that are no other's ancestor. Nothing of them is kept in this repository.
titles(data, n)    titles of EMDB entries, the ones that are not ASCII first
own()              lines written for this test: what tokenizers get wrong
"""
import csv
import gzip
import os
import random
import unicodedata

NAMESPACE = {"molecular_function": "Function", "biological_process": "Process", "cellular_component": "Location"}


def table(data, name):
    with gzip.open(os.path.join(data, name), "rt", encoding="utf-8", newline="") as f:
        return list(csv.DictReader(f, delimiter="\t", quoting=csv.QUOTE_NONE))


def ontology(data):
    """GO: id -> (name, namespace), and id -> its ancestors."""
    rows = [r for r in table(data, "annot/go_terms.tsv.gz") if r["obsolete"] != "1"]
    name = {r["go_id"]: (r["name"], r["namespace"]) for r in rows}
    parent = {r["go_id"]: [p.partition("=")[2] for p in r["parents"].split(";") if p] for r in rows}
    above = {}

    def ancestors(term):
        if term not in above:
            above[term] = set()
            for p in parent.get(term, ()):
                above[term] |= {p} | ancestors(p)
        return above[term]

    return name, ancestors


def captions(data, n, seed=1):
    name, ancestors = ontology(data)
    facts = {r["pdb_id"]: r for r in table(data, "annot/pdb_names.tsv.gz") if r["molecule_names"]}
    ec_name = {r["ec"]: r["name"] for r in table(data, "annot/ec_names.tsv.gz")}
    ec = {r["pdb_id"]: r["ec"] for r in table(data, "annot/pdb_ec.tsv.gz") if "-" not in r["ec"]}
    terms = {r["pdb_id"]: r["go_ids"].split(";") for r in table(data, "annot/pdb_go_entry.tsv.gz")}
    out = []
    for i in random.Random(seed).sample(sorted(facts.keys() & terms.keys()), n):
        r = facts[i]
        text = r["molecule_names"].replace(" | ", ", ").capitalize()
        text += f" of {r['organism'].capitalize()}." if r["organism"] else "."
        if i in ec:
            text += f" Enzyme: {ec_name.get(ec[i], 'unnamed')} (EC {ec[i]})."
        kept = [t for t in terms[i] if t in name]
        kept = [t for t in kept if not any(t in ancestors(u) for u in kept)]
        for space, word in NAMESPACE.items():
            names = [name[t][0] for t in kept if name[t][1] == space][:6]
            if names:
                text += f" {word}: {', '.join(names)}."
        out.append(" ".join(text.split()))
    return out


def titles(data, n, seed=2):
    every = sorted({t for r in table(data, "maps/emdb_pdb.tsv.gz") if (t := r["title"].strip()) not in ("", "-")})
    odd = [t for t in every if not t.isascii()]
    plain = [t for t in every if t.isascii()]
    return (odd + random.Random(seed).sample(plain, min(len(plain), n)))[:n]


WRITTEN = """\
the
A
ribosome
70S ribosome from Escherichia coli in complex with tRNA and mRNA at 2.9 Å
β-galactosidase, αβ-tubulin and γ-secretase
ΑΒΓΔΕΖΗΘΙΚΛΜΝΞΟΠΡΣΤΥΦΧΨΩ αβγδεζηθικλμνξοπρστυφχψω ς
ό ύ ώ ΐ ΰ Ά Έ Ή: accented Greek
σ54 holoenzyme, Δ9-desaturase, ω-3, µ-opioid (micro sign) and μ-opioid (Greek letter)
5′-phosphate and 3″-OH, not 5'-phosphate and 3"-OH
CO₂, H₂O, Ca²⁺, Mg²⁺, x³, 10⁻⁹ M, a₁b₂
½ ¼ ¾ ⅓ № ™ ® © ° ± × ÷ ≤ ≥ ≈ ∞ → ↔ ⇌
10–20 kDa — em dash, en dash, ‐ hyphen, ‑ non‑breaking, − minus
“curly quotes”, ‘single’, «guillemets», „low“, 'plain', "plain"
… ellipsis … and ... dots
naïve façade déjà vu, Ångström, Übermensch, señor, garçon, smörgåsbord
Škoda, Żółć, Łódź, Đorđe, Ærø, Œuvre, Straße, ẞ, Þórr, Ðe
İstanbul ıslak I i İ ı
ﬁne ﬂow ﬀ ﬃ ﬄ ligatures
Ｆｕｌｌ ｗｉｄｔｈ １２３ ＡＢＣ
Ǆ ǅ ǆ Ǉ Ǌ titlecase digraphs
ﷺ and ﷽ Arabic ligatures
中文蛋白质结构
核糖体是蛋白质合成的分子机器。
リボソームの構造 クライオ電子顕微鏡 ﾊﾝｶｸ
단백질의 구조와 기능
漢字kanji混ぜたtext中
㐀㐁 𠀀𠀁 𪜀 豈更 extension characters
蛋白質ABC複合體12個
Кристаллическая структура белка, ёжик, Йод, їжак
הריבוזום הוא מכונה מולקולרית שָׁלוֹם
الريبوسوم آلة جزيئية بِسْمِ
संरचना प्रोटीन क्षत्रिय
โครงสร้างของโปรตีน
Cấu trúc của protein ribôxôm ở vi khuẩn
ღ ქართული Հայերեն አማርኛ ᏣᎳᎩ ᐃᓄᒃᑎᑐᑦ
🧬 DNA 🔬 microscope 🦠 virus
👩‍🔬 scientist 👨‍👩‍👧 family 🇩🇪 flag 👍🏽 skin tone
😀😃😄 in a row without blanks
☃ ☀️ ♥️ ✔ ✗ ★ keycap 1️⃣
🫀🫁🪲🫠🫡🩷🪿 newer emoji
𝛼𝛽𝛾 𝑨 𝒃 𝕽 𝟙𝟚 mathematical letters
Ⅳ ⅳ Ⅻ roman numerals ① ② ⓐ ㊣ ㎏ ㏒
ª º ¹ ² ³ feminine, masculine, superscripts
¡hola! ¿qué? § ¶ † ‡ • ‰ ′ ″ ‴ ⁂
$5 €6 £7 ¥8 ₿9 ¢ ¤ ^ ` ~ | < > = + _
a_b-c/d\\e.f,g;h:i!j?k(l)m[n]o{p}q
don't can't it's 'tis rock'n'roll
U.S.A. e.g. i.e. Dr. Mr. a.m.
https://www.example.org/path?query=1&x=%20#top
name.surname@example.org
1,234,567.89 1e-10 -5 +5 3.14159 0x1F 10^6
EMD-1080 PDB 1OEL 6VXX_A P0DTC2 EC 1.1.1.1 GO:0005515
CamelCase snake_case kebab-case SCREAMING_CASE
N-acetyl-D-glucosamine-(1→4)-N-acetylmuramoyl-L-alanyl-D-isoglutamine
2-[(2-{[1-(2-amino-1,3-thiazol-4-yl)-2-{[2-methyl-4-oxo-1-sulfoazetidin-3-yl]amino}-2-oxoethylidene]amino}oxy)]
MKTAYIAKQRQISFVKSHFSRQLEERLGLIEVQAPILSRVGDGTQDNLSGAEKAVQVKVKALPDAQFEVV
(((((((((( )))))))))) [[[[ ]]]] {{{{ }}}}
!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!
??????????
----------------------------------------
. . . . . . . .
,
'
"
\\
#
##
##ing ##s
[UNK]
[CLS] a marker at the start
in the middle [SEP] of a line
[MASK]
[PAD] [PAD]
<s> and </s> and <pad> and <mask>
<unk>
[cls] [sep] [mask] in lower case
a[MASK]b[SEP]c
[unused0] [unused99]
antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis
supercalifragilisticexpialidocious
qqqqqzzzzxxxxjjjj
zzyzx
the the the the the the the the
The THE tHe
A membrane protein that transports potassium ions
What binds ATP and unfolds other proteins?
virus capsid with icosahedral symmetry
molecular chaperone, double ring of seven subunits
enzyme that copies RNA into DNA"""


def own():
    lines = WRITTEN.replace("\\\\", "\\").split("\n")
    lines += ["", "", " ", "     ", "\t", " \t \u00a0 \u3000 ", "\u200b", "\u200b\u200d\ufeff", "\x01\x02\x03", "\x7f", "\u00ad"]
    lines += [
        "tab\tbetween\twords", "  blanks before and after   ", "no\u00a0break\u202fspace\u2009thin\u3000ideographic",
        "zero\u200bwidth\u200cjoin\u200der\u2060word\ufeffbom", "soft\u00adhyphen", "bell\x07escape\x1b[31mred\x1b[0m",
        "line\u2028separator\u2029paragraph", "next\x85line vertical\x0btab form\x0cfeed", "file\x1cgroup\x1drecord\x1eunit\x1fseparators",
        "\ufffdreplacement \ufffd character\ufffd", "private \ue000\uf8ff use \U000f0000", "noncharacter \ufdd0 \uffff \U0010ffff",
        "unassigned \u0378 \u05ff \U0001f9ff\U0001fae8 \U000e0080", "left\u200eright\u200fmarks \u202abidi\u202c \u2066iso\u2069",
        "e\u0301 combining, \u00e9 composed", "a\u0300\u0301\u0302\u0303\u0304 many marks", "\u0301 a mark alone", "\u0301\u0302",
        "\u1e9b\u0323 \u212b \u2126 \u212a", "\uac00\u1100\u1161\u11a8 jamo", "\u0e33 \u0eb3 \u0f77", "\u0344 \u0340 \u0341 \u0374 \u037e \u0387",
        "q\u0307\u0323 Q\u0307\u0323", "x\u20d7 vector, a\u20dd circle", "\u093f \u0a3c \u0901 Mc and Mn marks",
        "\U0001d15e\U0001d165 musical", "tag \U000e0041\U000e0042 letters", "variation \ufe0f\ufe0e selector", "a\u034fb grapheme joiner",
    ]
    for n in (99, 100, 101, 200):  # a word of more than 100 characters is [UNK]
        lines += ["a" * n, f"before {'b' * n} after", "é" * n]
    for n in (250, 253, 254, 255, 256, 300, 381, 382, 383, 384, 400, 509, 510, 511, 512, 513, 600):  # limits 256, 384, 512
        lines.append("a " * (n - 1) + "b")
    lines += ["protein " * 3000, "é中" * 600, "x" * 20000, "unfathomably " * 300, "! " * 700, "a" * 100 + " " + "b" * 101]
    lines += [f"{unicodedata.lookup('GREEK SMALL LETTER ALPHA')}{i}{chr(0x2080 + i)}{chr(0x2032)}" for i in range(5)]
    return lines


def all_lines(data, n=500):
    """n texts: the own ones, then titles and captions, half and half."""
    lines = own()
    half = (n - len(lines)) // 2
    return lines + titles(data, half) + captions(data, n - len(lines) - half)
