/*
 * tap.h
 *		The little that a unit test needs to speak TAP: ok() per check, and
 *		done_testing() as the exit code of main.
 *
 * Properties are checked over many generated cases: they use ok() once for
 * all of them, and diag() to show the first case that fails.
 */
#ifndef HWSCHED_TAP_H
#define HWSCHED_TAP_H

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

static int tap_run;
static int tap_failed;
static uint64_t tap_seed = UINT64_C(0x9E3779B97F4A7C15);

/* Prints a line that explains a failure. */
static inline void __attribute__((format(printf, 1, 2))) diag(const char *format, ...)
{
	va_list args;

	printf("# ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
}

/* Prints the result of one check and returns it. */
static inline bool __attribute__((format(printf, 2, 3))) ok(bool passed, const char *format, ...)
{
	va_list args;

	tap_run++;
	if (!passed)
		tap_failed++;
	printf("%sok %d - ", passed ? "" : "not ", tap_run);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	return passed;
}

/* Checks that two doubles are the same value, to the last bit. */
static inline bool
is_exactly(double got, double expected, const char *name)
{
	if (ok(got == expected, "%s", name))
		return true;
	diag("got %.17g, expected %.17g", got, expected);
	return false;
}

/* Checks that two doubles differ by no more than a tolerance. */
static inline bool
is_near(double got, double expected, double tolerance, const char *name)
{
	if (ok(fabs(got - expected) <= tolerance, "%s", name))
		return true;
	diag("got %.17g, expected %.17g within %g", got, expected, tolerance);
	return false;
}

/* Checks that two whole numbers are the same. */
static inline bool
is_int(long got, long expected, const char *name)
{
	if (ok(got == expected, "%s", name))
		return true;
	diag("got %ld, expected %ld", got, expected);
	return false;
}

/* Returns a random number; the same ones in every run (xorshift64*). */
static inline uint64_t
random_bits(void)
{
	tap_seed ^= tap_seed >> 12;
	tap_seed ^= tap_seed << 25;
	tap_seed ^= tap_seed >> 27;
	return tap_seed * UINT64_C(0x2545F4914F6CDD1D);
}

/* Returns a random double in [0, 1). */
static inline double
random_unit(void)
{
	return (double) (random_bits() >> 11) / 9007199254740992.0;
}

/* Returns a random double in [least, most). */
static inline double
random_between(double least, double most)
{
	return least + (most - least) * random_unit();
}

/* Returns a random whole number 0 .. n - 1. */
static inline int
random_below(int n)
{
	return (int) (random_bits() % (uint64_t) n);
}

/* Prints the plan and returns the exit code of the test program. */
static inline int
done_testing(void)
{
	printf("1..%d\n", tap_run);
	if (tap_failed > 0)
		diag("%d of %d checks failed", tap_failed, tap_run);
	return tap_failed > 0 ? 1 : 0;
}

#endif /* HWSCHED_TAP_H */
