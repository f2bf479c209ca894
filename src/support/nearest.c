/*
 * nearest.c
 *		The known name that an unknown one was probably meant to be.
 *
 * The measure is the optimal string alignment distance: how many letters have
 * to be added, left out, replaced or swapped with their neighbour.  The case of
 * letters does not count.
 */
#include "support/nearest.h"

/* Names that are longer are no misspelt keys. */
#define LONGEST 64

static inline char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char) (c - 'A' + 'a') : c;
}

/* Returns the distance of two names that are not longer than LONGEST. */
static int
alignment_distance(const char *a, int alen, const char *b, int blen)
{
	/* rows of the matrix: two before, one before, this one */
	int rows[3][LONGEST + 1];
	int *before = rows[0];
	int *last = rows[1];
	int *row = rows[2];

	for (int j = 0; j <= blen; j++)
		last[j] = j;
	for (int i = 1; i <= alen; i++)
	{
		int *oldest = before;

		row[0] = i;
		for (int j = 1; j <= blen; j++)
		{
			bool same = lower(a[i - 1]) == lower(b[j - 1]);

			row[j] = Min(Min(last[j] + 1, row[j - 1] + 1), last[j - 1] + !same);
			if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
				lower(a[i - 2]) == lower(b[j - 1]))
				row[j] = Min(row[j], before[j - 2] + 1);
		}
		before = last;
		last = row;
		row = oldest;
	}
	return last[blen];
}

/*
 * Takes a candidate if it is nearer than those before it, and near enough: at
 * most a third of the letters differ.
 */
void
nearest_consider(NearestName *nearest, const char *candidate)
{
	size_t given = strlen(nearest->given);
	size_t length = strlen(candidate);
	int distance;

	if (given == 0 || given > LONGEST || length > LONGEST)
		return;
	distance = alignment_distance(nearest->given, (int) given, candidate, (int) length);
	if (distance * 3 > (int) Max(given, length) ||
		(nearest->name != NULL && distance >= nearest->distance))
		return;
	nearest->name = candidate;
	nearest->distance = distance;
}
