/* The files of a base that change between one look and the next; the rest is in test_topk.c and test_cmd_nearest.sh. */
#include "tests/test.h"

#include <unistd.h>

#include "pipeline/nearest.h"

static char path[64];

/* A .npy of n rows of d numbers. */
static void write_rows(size_t n, size_t d)
{
    char head[118];
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fwrite("\x93NUMPY\x01\x00\x76\x00", 1, 10, f);
    int used = snprintf(head, sizeof head, "{'descr': '<f4', 'fortran_order': False, 'shape': (%zu, %zu), }", n, d);
    fprintf(f, "%s%*s\n", head, (int)sizeof head - 1 - used, "");
    for (size_t i = 0; i < n * d; i++) {
        float x = (float)i;
        fwrite(&x, sizeof x, 1, f);
    }
    assert_int_equal(fclose(f), 0);
}

static void changed(void **state)
{
    static const size_t size[][2] = {{4, 3}, {6, 3}, {5, 4}};
    static const float q[3] = {1, 0, 0};
    char *name = path;
    nearfile_t file;
    matrix_t m;
    near_t hit[2];
    size_t n;
    err_t e = {0};
    (void)state;
    strcpy(path, "/tmp/nearest_XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    write_rows(5, 3);
    assert_int_equal(nearest_files(&name, 1, 3, &file, &e), 0);
    assert_int_equal(nearest_run(&file, 1, q, 1, 3, 2, &comm_self, hit, &n, &e), 0);
    assert_int_equal(hit[0].row, 4);
    assert_int_equal(nearest_names(&file, 3, &m, &e), 0);
    matrix_close(&m);
    for (int i = 0; i < 3; i++) {
        write_rows(size[i][0], size[i][1]);
        e = (err_t){0};
        assert_int_equal(nearest_names(&file, 3, &m, &e), -1);
        assert_int_equal(e.code, ERR_FORMAT);
        assert_non_null(strstr(e.msg, "(there were 5 of 3)"));
        assert_int_equal(nearest_run(&file, 1, q, 1, 3, 2, &comm_self, hit, &n, &(err_t){0}), -1);
    }
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(changed)};
    return cmocka_run_group_tests_name("nearest", tests, NULL, NULL);
}
