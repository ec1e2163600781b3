/* plane: principal components by the eigenvectors of the covariance (see plane.h). */
#include "pipeline/plane.h"

#include <gsl/gsl_eigen.h>
#include <gsl/gsl_matrix.h>
#include <gsl/gsl_vector.h>
#include <math.h>

#include "base/mem.h"

static double value(float x) { return isfinite(x) ? (double)x : 0; }

/* Each element is one sum in the order of the vectors, whoever adds it. */
static void covariance(const float *z, size_t n, size_t d, const double *mean, double *c)
{
#pragma omp parallel for schedule(dynamic)
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j <= i; j++) c[i * d + j] = 0;
        for (size_t k = 0; k < n; k++) {
            const float *row = z + k * d;
            double x = value(row[i]) - mean[i];
            for (size_t j = 0; j <= i; j++) c[i * d + j] += x * (value(row[j]) - mean[j]);
        }
    }
    for (size_t i = 0; i < d; i++)
        for (size_t j = 0; j < i; j++) c[j * d + i] = c[i * d + j];
}

static void project(const float *z, size_t n, size_t d, const double *mean, const gsl_vector *v, double *at)
{
    size_t top = 0;
    for (size_t i = 0; i < d; i++)
        if (fabs(gsl_vector_get(v, i)) > fabs(gsl_vector_get(v, top)) + 1e-12) top = i;
    double sign = gsl_vector_get(v, top) < 0 ? -1 : 1;
    for (size_t k = 0; k < n; k++) {
        double sum = 0;
        for (size_t i = 0; i < d; i++) sum += (value(z[k * d + i]) - mean[i]) * gsl_vector_get(v, i);
        at[2 * k] = sign * sum;
    }
}

int plane_of(const float *z, size_t n, size_t d, double *at, double share[2], err_t *err)
{
    if (!d || d > PLANE_MOST) return err_set(err, ERR_RANGE, "vectors of %zu numbers (1 to %d)", d, PLANE_MOST);
    double *mean = mem_zero(d, sizeof *mean, err), *c = mean ? mem_new(d * d, sizeof *c, err) : NULL, all = 0;
    gsl_vector *value_of = c ? gsl_vector_alloc(d) : NULL;
    gsl_matrix *vector_of = c ? gsl_matrix_alloc(d, d) : NULL;
    gsl_eigen_symmv_workspace *w = c ? gsl_eigen_symmv_alloc(d) : NULL;
    int rc = value_of && vector_of && w ? 0 : c ? err_set(err, ERR_NOMEM, "memory: principal components") : -1;
    if (!rc) {
        for (size_t k = 0; k < n; k++)
            for (size_t i = 0; i < d; i++) mean[i] += value(z[k * d + i]) / (double)n;
        covariance(z, n, d, mean, c);
        for (size_t i = 0; i < d; i++) all += c[i * d + i];
        gsl_matrix_view m = gsl_matrix_view_array(c, d, d);
        gsl_eigen_symmv(&m.matrix, value_of, vector_of, w);
        gsl_eigen_symmv_sort(value_of, vector_of, GSL_EIGEN_SORT_VAL_DESC);
        for (size_t k = 0; k < 2; k++) {
            double part = k < d && all > 0 ? gsl_vector_get(value_of, k) / all : 0;
            share[k] = part > 1e-12 ? part : 0;
            for (size_t i = 0; i < n; i++) at[2 * i + k] = 0;
            if (!(share[k] > 0)) continue;
            gsl_vector_view column = gsl_matrix_column(vector_of, k);
            project(z, n, d, mean, &column.vector, at + k);
        }
    }
    if (w) gsl_eigen_symmv_free(w);
    if (vector_of) gsl_matrix_free(vector_of);
    if (value_of) gsl_vector_free(value_of);
    mem_free(mean);
    mem_free(c);
    return rc;
}
