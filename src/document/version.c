/*
 * version.c
 *		Order of software versions, such as "3.11.7" and "12.4-ubuntu".
 *
 * A version is read as runs of numbers between words:
 *
 *		numbers word numbers word ... end
 *
 * Anything that is neither a digit nor a letter only separates.  Runs of
 * numbers are compared number by number as if each went on with zeros for
 * ever; words and the end by rank: those that announce a release come before
 * the end, those that follow it (distribution, build, patch letter) after it.
 * Comparing such sequences element by element is a total order in which
 * spellings of one version ("2.1" and "2.1.0") are equal.
 *
 * Nothing is converted or copied, so digits may be of any length.
 */
#include "document/version.h"

/* What a word means for the order, and the end of the text among them. */
typedef enum WordRank
{
	RANK_DEVELOPMENT,
	RANK_ALPHA,
	RANK_BETA,
	RANK_CANDIDATE,
	RANK_END,
	RANK_OTHER
} WordRank;

typedef struct Word
{
	WordRank rank;
	const char *text; /* of RANK_OTHER, compared */
	size_t length;
} Word;

static const struct
{
	const char *text;
	WordRank rank;
} announcing_words[] = {
	{"dev", RANK_DEVELOPMENT}, {"nightly", RANK_DEVELOPMENT}, {"snapshot", RANK_DEVELOPMENT},
	{"alpha", RANK_ALPHA},	   {"beta", RANK_BETA},			  {"rc", RANK_CANDIDATE},
	{"pre", RANK_CANDIDATE},   {"preview", RANK_CANDIDATE}};

/* The same as single letters, which mean it only before a digit: "3.9a1". */
static const struct
{
	char letter;
	WordRank rank;
} announcing_letters[] = {{'a', RANK_ALPHA}, {'b', RANK_BETA}, {'c', RANK_CANDIDATE}};

/* These two know ASCII only: the order must not depend on a locale. */
static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Bytes of other scripts count as letters. */
static inline bool
is_letter(char c)
{
	char l = ascii_lower(c);

	return (l >= 'a' && l <= 'z') || (unsigned char) c >= 0x80;
}

/* Returns the order of two texts, ignoring the case of ASCII letters. */
static int
compare_text(const char *a, size_t alen, const char *b, size_t blen)
{
	size_t shorter = Min(alen, blen);

	for (size_t i = 0; i < shorter; i++)
	{
		unsigned char ca = (unsigned char) ascii_lower(a[i]);
		unsigned char cb = (unsigned char) ascii_lower(b[i]);

		if (ca != cb)
			return ca < cb ? -1 : 1;
	}
	return (alen > blen) - (alen < blen);
}

/* Returns the text behind its separators. */
static const char *
skip_separators(const char *p)
{
	while (*p != '\0' && !is_digit(*p) && !is_letter(*p))
		p++;
	return p;
}

/* Returns the start of a version, without the "v" of "v1.2". */
static const char *
version_start(const char *version)
{
	const char *p = skip_separators(version != NULL ? version : "");

	return ascii_lower(*p) == 'v' && is_digit(p[1]) ? p + 1 : p;
}

/*
 * Takes the number at *p, if there is one, and sets where its digits start
 * behind leading zeros.  Returns how many digits that leaves: 0 for zero, and
 * for no number, which is what makes "2" equal to "2.0".
 */
static size_t
take_number(const char **p, const char **digits)
{
	size_t length;

	while (**p == '0')
		(*p)++;
	*digits = *p;
	while (is_digit(**p))
		(*p)++;
	length = (size_t) (*p - *digits);
	*p = skip_separators(*p);
	return length;
}

/* Compares the runs of numbers at *a and *b and takes them. */
static int
compare_numbers(const char **a, const char **b)
{
	while (is_digit(**a) || is_digit(**b))
	{
		const char *adigits;
		const char *bdigits;
		size_t alen = take_number(a, &adigits);
		size_t blen = take_number(b, &bdigits);
		int order;

		CHECK_FOR_INTERRUPTS();
		if (alen != blen)
			return alen < blen ? -1 : 1;
		order = memcmp(adigits, bdigits, alen);
		if (order != 0)
			return order < 0 ? -1 : 1;
	}
	return 0;
}

/* Takes the word at *p, or the end. */
static Word
take_word(const char **p)
{
	Word word = {RANK_OTHER, *p, 0};

	while (is_letter(**p))
		(*p)++;
	word.length = (size_t) (*p - word.text);

	if (word.length == 0)
		word.rank = RANK_END;
	else if (word.length == 1 && is_digit(**p))
	{
		for (size_t i = 0; i < lengthof(announcing_letters); i++)
			if (ascii_lower(*word.text) == announcing_letters[i].letter)
				word.rank = announcing_letters[i].rank;
	}
	else
	{
		for (size_t i = 0; i < lengthof(announcing_words); i++)
			if (compare_text(word.text, word.length, announcing_words[i].text,
							 strlen(announcing_words[i].text)) == 0)
				word.rank = announcing_words[i].rank;
	}
	*p = skip_separators(*p);
	return word;
}

/*
 * Returns -1, 0 or 1 as version a comes before, is the same as, or comes after
 * version b.  A total order over all texts; NULL and "" are version 0.
 */
int
version_compare(const char *a, const char *b)
{
	a = version_start(a);
	b = version_start(b);

	for (;;)
	{
		int order = compare_numbers(&a, &b);
		Word aword;
		Word bword;

		if (order != 0)
			return order;
		aword = take_word(&a);
		bword = take_word(&b);
		if (aword.rank != bword.rank)
			return aword.rank < bword.rank ? -1 : 1;
		if (aword.rank == RANK_END)
			return 0;
		if (aword.rank == RANK_OTHER)
			order = compare_text(aword.text, aword.length, bword.text, bword.length);
		if (order != 0)
			return order;
	}
}

/*
 * Returns whether a version begins with all the parts of another: 115.0.5790 with
 * 115.0.
 */
static bool
begins_with(const char *version, const char *start)
{
	version = version_start(version);
	start = version_start(start);
	while (*start != '\0')
	{
		if (is_digit(*start))
		{
			const char *a;
			const char *b;
			size_t alen;
			size_t blen;

			if (!is_digit(*version))
				return false;
			alen = take_number(&version, &a);
			blen = take_number(&start, &b);
			if (alen != blen || memcmp(a, b, alen) != 0)
				return false;
		}
		else
		{
			Word a = take_word(&version);
			Word b = take_word(&start);

			if (a.length == 0 || compare_text(a.text, a.length, b.text, b.length) != 0)
				return false;
		}
		CHECK_FOR_INTERRUPTS();
	}
	return true;
}

/*
 * Returns whether a version is at most another, which covers all versions that
 * begin with it.
 */
bool
version_within(const char *version, const char *most)
{
	return version_compare(version, most) <= 0 || begins_with(version, most);
}

/* Returns whether two texts are the same, whatever the case of ASCII letters. */
bool
same_text(const char *a, const char *b)
{
	return compare_text(a, strlen(a), b, strlen(b)) == 0;
}

/* Returns whether a version is a wildcard at p, a part of its own: the "x" of "3.x". */
static bool
is_wildcard(const char *version, const char *p)
{
	return ascii_lower(*p) == 'x' && p > version && p[-1] == '.' && (p[1] == '\0' || p[1] == '.');
}

/*
 * Returns the least version that a text asks for: the text, without the ">="
 * that it may begin with.  NULL if it says anything else than "at least": it has
 * an operator, a range, a list or a wildcard.
 */
const char *
version_least(const char *text)
{
	const char *least = text + strspn(text, " ");

	if (strncmp(least, ">=", 2) == 0)
	{
		least += 2;
		least += strspn(least, " ");
		if (*least == '\0')
			return NULL;
	}
	/* inside of a version these two are a packager's: "2.1~rc1" */
	if (*least == '~' || *least == '^')
		return NULL;
	for (const char *p = least; *p != '\0'; p++)
		if (strchr("<>=!*|,", *p) != NULL || is_wildcard(least, p) || strncmp(p, " - ", 3) == 0)
			return NULL;
	return least;
}
