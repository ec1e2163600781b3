# made_world.sh: what tests of commands make, all in the present folder.
# shellcheck shell=bash

# ca_atoms N X Y Z: a model of N CA atoms; the places are expressions in i, from 1 to N.
ca_atoms() {
    awk "BEGIN { for (i = 1; i <= $1; i++)
        printf \"ATOM  %5d  CA  ALA A%4d    %8.3f%8.3f%8.3f  1.00 20.00           C\\n\", i, i, $2, $3, $4 }"
}

# The table of a small network, net.json.
small_net() {
    cat >net.json <<'END'
{"inputs": {"cube": [1, 32, 32, 32], "features": [33]}, "layers": [
{"op": "conv", "name": "c", "from": "cube", "out": 8, "side": 3, "stride": 2}, {"op": "relu"},
{"op": "conv", "name": "c2", "out": 8, "side": 3, "stride": 2}, {"op": "pool", "kind": "mean", "as": "p"},
{"op": "linear", "name": "f0", "from": "features", "out": 8}, {"op": "concat", "with": "p"},
{"op": "linear", "name": "f", "out": 6}, {"op": "l2norm"}]}
END
}

# Terms and their names, in annot/: four functions and two processes, an EC number, a Pfam family.
some_terms() {
    {
        printf 'go_id\tname\tnamespace\tparents\tobsolete\n'
        printf 'GO:0003674\tmolecular_function\tmolecular_function\t\t0\nGO:0003824\tcatalytic activity\tmolecular_function\tisa=GO:0003674\t0\n'
        printf 'GO:0016787\thydrolase activity\tmolecular_function\tisa=GO:0003824\t0\nGO:0005488\tbinding\tmolecular_function\tisa=GO:0003674\t0\n'
        printf 'GO:0008150\tbiological_process\tbiological_process\t\t0\nGO:0006457\tprotein folding\tbiological_process\tisa=GO:0008150\t0\n'
    } >annot/go_terms.tsv
    printf 'ec\tname\n3.2.1.17\tlysozyme\n' >annot/ec_names.tsv
    printf 'pfam\tdescription\nPF00042\tGlobin\n' >annot/pfam_names.tsv
}
