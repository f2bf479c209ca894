/*
 * matrix.h
 *		Symmetric matrices of a few rows.  Pure.
 *
 * They are kept as their lower triangle, row by row.
 */
#ifndef HWSCHED_SUPPORT_MATRIX_H
#define HWSCHED_SUPPORT_MATRIX_H

#include "support/standalone.h"

/* Elements of the lower triangle of n rows; also where row n begins. */
#define TRIANGLE(n) ((n) * ((n) + 1) / 2)
#define AT(a, i, j) ((a)[(i) >= (j) ? TRIANGLE(i) + (j) : TRIANGLE(j) + (i)])

/* The most rows that matrix_invert takes. */
#define MATRIX_ROWS 32

extern double matrix_factorize(int n, double *a);
extern void matrix_forward(int n, const double *factor, double *x);
extern void matrix_solve(int n, const double *factor, double *x);
extern void matrix_invert(int n, const double *factor, double *inverse);
extern double matrix_quadratic(int n, const double *a, const double *x);

#endif /* HWSCHED_SUPPORT_MATRIX_H */
