/*
 * matrix.c
 *		Symmetric matrices of a few rows: Cholesky and what follows from it.
 *
 * A matrix has at most some thirty rows, and they are solved for every run that
 * completes: LAPACK's calls would cost more than the arithmetic.
 */
#include "support/matrix.h"

/* A pivot is never less, of its diagonal element: rounding must not make a variance negative. */
#define LEAST_PIVOT 1e-12

/*
 * Replaces a positive definite matrix by its Cholesky factor and returns the
 * logarithm of its determinant.
 */
double
matrix_factorize(int n, double *a)
{
	double log_determinant = 0;

	for (int i = 0; i < n; i++)
	{
		double *row = a + TRIANGLE(i);
		double diagonal = row[i];

		for (int j = 0; j <= i; j++)
		{
			const double *other = a + TRIANGLE(j);
			double sum = row[j];

			for (int k = 0; k < j; k++)
				sum -= row[k] * other[k];
			row[j] = i == j ? sqrt(Max(sum, LEAST_PIVOT * diagonal)) : sum / other[j];
		}
		log_determinant += 2 * log(row[i]);
	}
	return log_determinant;
}

/* Replaces x by L^-1 x. */
void
matrix_forward(int n, const double *factor, double *x)
{
	for (int i = 0; i < n; i++)
	{
		const double *row = factor + TRIANGLE(i);

		for (int k = 0; k < i; k++)
			x[i] -= row[k] * x[k];
		x[i] /= row[i];
	}
}

/* Replaces x by A^-1 x, for the factor of A. */
void
matrix_solve(int n, const double *factor, double *x)
{
	matrix_forward(n, factor, x);
	for (int i = n - 1; i >= 0; i--)
	{
		for (int k = i + 1; k < n; k++)
			x[i] -= factor[TRIANGLE(k) + i] * x[k];
		x[i] /= factor[TRIANGLE(i) + i];
	}
}

/* Sets inverse to A^-1, for the factor of A. */
void
matrix_invert(int n, const double *factor, double *inverse)
{
	Assert(n <= MATRIX_ROWS);
	for (int i = 0; i < n; i++)
	{
		double x[MATRIX_ROWS] = {0};

		x[i] = 1;
		matrix_solve(n, factor, x);
		memcpy(inverse + TRIANGLE(i), x, sizeof(double) * (i + 1));
	}
}

/* Returns x' A x. */
double
matrix_quadratic(int n, const double *a, const double *x)
{
	double sum = 0;

	for (int i = 0; i < n; i++)
	{
		double row = 0;

		for (int j = 0; j < i; j++)
			row += 2 * a[TRIANGLE(i) + j] * x[j];
		sum += x[i] * (row + a[TRIANGLE(i) + i] * x[i]);
	}
	return sum;
}
