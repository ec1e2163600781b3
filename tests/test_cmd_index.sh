#!/bin/bash
# cryolex index build, merge: what is refused before the work begins, and how the file appears.
# shellcheck disable=SC2317,SC2015 # functions are called through tap; a && b || fail is meant
. "${srcdir:-.}/tests/tap.sh"
cryolex=${CRYOLEX:?the program to test}
mkdir "$tap_tmp/w" && cd "$tap_tmp/w" || exit 99

mkdir models
for k in 1 2; do
    awk -v k="$k" 'BEGIN { for (i = 1; i <= 60; i++)
        printf "ATOM  %5d  CA  ALA A%4d    %8.3f%8.3f%8.3f  1.00 20.00           C\n", i, i, 3 * k * cos(i), 9 * sin(i), 1.5 * i / k }' >"models/m$k.pdb"
done
echo broken >models/m3.pdb
printf 'id\tpath\n1\tmodels/m1.pdb\n2\tmodels/m2.pdb\n3\tmodels/m3.pdb\n' >list.tsv
ln -s models/m2.pdb link
cp -r . ../before

# refused STATUS PATTERN ARGUMENT...: one message, no entry is read, nothing changes.
refused() {
    want=$1 pattern=$2
    shift 2
    run "$want" "$cryolex" index build -q "$@" || return 1
    grep -q "$pattern" ../err && ! grep -q 'm3' ../err && diff -r . ../before || { cat ../err; return 1; }
}
onto_input() {
    refused 2 'm1.pdb: the output is an input' -o models/m1.pdb models/m1.pdb && refused 2 'is an input' -o ./models/m2.pdb models &&
        refused 2 'is an input' -o models/m1.pdb list.tsv && refused 2 'is an input' -o list.tsv list.tsv &&
        refused 2 'is an input' -o link models
}
builds() { # over an old index, beside one broken entry; nothing is left behind
    for _ in 1 2; do run 1 "$cryolex" index build -q -o ../x.h5 list.tsv || return 1; done
    run 0 "$cryolex" index info ../x.h5 && diff -r . ../before && [ -z "$(find .. -name '.cryolex*' -o -name '*.tmp.*')" ]
}
only_regular() { # a pipe would be replaced by a file
    mkfifo ../pipe.h5 && ln -s pipe.h5 ../to-pipe.h5 || return 1
    for to in ../pipe.h5 ../to-pipe.h5; do
        refused 2 "$to: a pipe or a device.*; see cryolex index build -h" -o "$to" list.tsv &&
            run 2 "$cryolex" index merge -q -o "$to" none.h5 && grep -q 'a pipe or a device' ../err || return 1
    done
    refused 2 'HDF5 cannot go to standard output' -o - list.tsv && run 2 "$cryolex" index merge -q -o - none.h5 && [ ! -e ./- ] &&
        [ -p ../pipe.h5 ] && [ -L ../to-pipe.h5 ]
}
nowhere() {
    ln -s none/x.h5 ../nowhere.h5 && refused 3 'nowhere.h5: cannot write through this link' -o ../nowhere.h5 list.tsv && [ -L ../nowhere.h5 ] &&
        run 3 "$cryolex" index merge -q -o ../nowhere.h5 none.h5 && grep -q 'through this link' ../err
}
through_link() { # the link stays, the file that it leads to is replaced
    mkdir ../there && echo old >../there/x.h5 && ln -s there/x.h5 ../link.h5 && run 1 "$cryolex" index build -q -o ../link.h5 list.tsv &&
        [ -L ../link.h5 ] && run 0 "$cryolex" index info ../there/x.h5 && [ "$(ls ../there)" = x.h5 ] || return 1
    run 0 "$cryolex" index merge -q -o ../link.h5 ../x.h5 && [ -L ../link.h5 ] && cmp ../x.h5 ../there/x.h5
}
planted() { # a link under the name of the temporary file is not followed: exec keeps the process id
    echo precious >../victim
    # shellcheck disable=SC2016
    run 1 sh -c 'ln -s victim "../y.h5.tmp.$$" && exec "$@"' - "$cryolex" index build -q -o ../y.h5 list.tsv &&
        same victim precious "$(cat ../victim)" && cmp ../x.h5 ../y.h5 && [ ! -L ../y.h5 ] && rm ../y.h5.tmp.*
}
no_room() { # the old file stays, nothing is left beside it
    cp ../x.h5 ../z.h5 && run 3 sh -c 'ulimit -f 4; exec "$@"' - "$cryolex" index build -q -o ../z.h5 list.tsv && grep -q 'z.h5: cannot write' ../err &&
        cmp ../x.h5 ../z.h5 && [ -z "$(find .. -name '*.tmp.*')" ]
}

tap "an input is not the output" onto_input
tap "no such folder" refused 3 'no/x.h5: cannot write.*No such file' -o no/x.h5 list.tsv
tap "a file for a folder" refused 3 'list.tsv/x.h5: cannot write' -o list.tsv/x.h5 models
tap "a folder for a file" refused 3 'models: cannot write.*directory' -o models list.tsv
if [ "$(id -u)" -ne 0 ]; then
    mkdir ../locked && chmod a-w ../locked
    tap "a folder that is not writable" refused 3 'cannot write.*denied' -o ../locked/x.h5 list.tsv
else
    tap_skip "a folder that is not writable" "root may write everywhere"
fi
tap "no regular file" only_regular
tap "a link that leads nowhere" nowhere
tap "an index" builds
tap "an index through a link" through_link
tap "a link in the place of the temporary file" planted
tap "no room" no_room
tap_done
