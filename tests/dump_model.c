/* dump_model FILE ASSEMBLY: atoms, sum of atomic numbers and centroid of what pdb_read() makes of a file. For tests/parity/gemmi_models.py. */
#include <stdio.h>

#include "pdb/pdb.h"

int main(int argc, char **argv)
{
    err_t err = {0};
    model_t *m = argc == 3 ? pdb_read(argv[1], argv[2], NULL, &err) : NULL;
    double c[3] = {0};
    long z = 0;
    if (!m) {
        fprintf(stderr, "dump_model: %s\n", err.msg);
        return 1;
    }
    for (size_t i = 0; i < m->n; i++) {
        z += m->atom[i].element;
        c[0] += (double)m->atom[i].x;
        c[1] += (double)m->atom[i].y;
        c[2] += (double)m->atom[i].z;
    }
    printf("%zu %ld %.6f %.6f %.6f\n", m->n, z, c[0] / (double)m->n, c[1] / (double)m->n, c[2] / (double)m->n);
    model_free(m);
    return 0;
}
