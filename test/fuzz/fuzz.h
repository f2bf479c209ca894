/*
 * fuzz.h
 *		What the fuzz targets share: values taken from the input's bytes, in the
 *		place of the random numbers of the unit tests, and checks.
 */
#ifndef HWSCHED_FUZZ_H
#define HWSCHED_FUZZ_H

#include "support/standalone.h"

/* takes the place of the unit tests' tap.h, for their worlds to be made of the input */
#define HWSCHED_TAP_H

extern int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t *fuzz_data;
static size_t fuzz_left;
static uint32_t fuzz_made;

/* Ends the run unless a property holds. */
#define CHECK(condition, ...) \
	do \
	{ \
		if (!(condition)) \
			finding(__VA_ARGS__); \
	} while (0)

static inline void
fuzz_begin(const uint8_t *data, size_t size)
{
	fuzz_data = data;
	fuzz_left = size;
	fuzz_made = 0;
	shim_reset();
}

/*
 * Takes a byte.  Once there are no more it makes some up, always the same:
 * the worlds of the unit tests draw until something fits.
 */
static inline uint8_t
take_byte(void)
{
	if (fuzz_left == 0)
		return (uint8_t) (((fuzz_made++ + 1) * 0x9E3779B1u) >> 24);
	fuzz_left--;
	return *fuzz_data++;
}

static inline uint64_t
random_bits(void)
{
	uint64_t bits = 0;

	for (int i = 0; i < 8; i++)
		bits = bits << 8 | take_byte();
	return bits;
}

static inline int
random_below(int n)
{
	return (int) (n <= 256 ? take_byte() % n : random_bits() % (uint64_t) n);
}

static inline double
random_unit(void)
{
	return (take_byte() << 8 | take_byte()) / 65536.0;
}

static inline double
random_between(double least, double most)
{
	return least + (most - least) * random_unit();
}

/* Takes a text, zero bytes between texts; it lasts until the next input. */
static inline char *
take_text(void)
{
	const uint8_t *end = memchr(fuzz_data, 0, fuzz_left);
	size_t length = end == NULL ? fuzz_left : (size_t) (end - fuzz_data);
	char *text = palloc(length + 1);

	memcpy(text, fuzz_data, length);
	text[length] = '\0';
	fuzz_data += length;
	fuzz_left -= length;
	(void) take_byte();
	return text;
}

#endif /* HWSCHED_FUZZ_H */
