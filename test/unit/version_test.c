/*
 * version_test.c
 *		The order of versions: known pairs, and that it is a total order.
 */
#include "document/version.h"
#include "tap.h"

#define ROUNDS 200000

/* Checks one pair, both ways round. */
static void
pair(const char *a, int expected, const char *b)
{
	int there = version_compare(a, b);
	int back = version_compare(b, a);

	if (!ok(there == expected && back == -expected, "\"%s\" %c \"%s\"", a,
			expected < 0 ? '<' :
			expected > 0 ? '>' :
						   '=',
			b))
		diag("got %d, and %d the other way round", there, back);
}

static void
test_pairs(void)
{
	pair("3.11.7", 1, "3.9");
	pair("3.9", -1, "3.10");
	pair("2.1", 0, "2.1.0");
	pair("2", 0, "2.0.0.0");
	pair("2.0.1", 1, "2");
	pair("2.01", 0, "2.1");
	pair("v2.1", 0, "2.1");
	pair("V2.1", 0, "v2.1.0");
	pair("", 0, "0");
	pair("", -1, "0.0.1");

	/* numbers longer than any integer type */
	pair("1.99999999999999999999999999999999", -1, "1.100000000000000000000000000000000");
	pair("20240131123456789012345678901234567890", 1, "20240131123456789012345678901234567889");
	pair("00000000000000000000000000000000000001", 0, "1");

	/* before a release */
	pair("2.0rc1", -1, "2.0");
	pair("2.0rc1", 1, "1.9.9");
	pair("2.0rc1", -1, "2.0rc2");
	pair("2.0rc9", -1, "2.0rc10");
	pair("2.0.0-rc.1", 0, "2.0rc1");
	pair("2.0a1", -1, "2.0b1");
	pair("2.0b3", -1, "2.0rc1");
	pair("2.0.dev5", -1, "2.0a1");
	pair("2.0-beta", 0, "2.0b0");
	pair("2.0-SNAPSHOT", -1, "2.0");
	pair("2.0-alpha", -1, "2.0-BETA");
	pair("2.0a1", 0, "2.0-alpha.1");

	/* after it: builds, patches */
	pair("12.4-ubuntu", 1, "12.4");
	pair("12.4-ubuntu", -1, "12.4.1");
	pair("12.4-ubuntu", -1, "12.5");
	pair("12.4.0-ubuntu", 0, "12.4-Ubuntu");
	pair("12.4-ubuntu2", 1, "12.4-ubuntu1");
	pair("2.1.0+cu118", 1, "2.1.0");
	pair("2.1.0+cu121", 1, "2.1.0+cu118");
	pair("1.0.2k", 1, "1.0.2a");
	pair("1.0.2a", 1, "1.0.2");
	pair("535.104.05", -1, "535.129.03");
	pair("3.0.post1", 1, "3.0");

	/* nonsense is ordered, too */
	pair("...", 0, "");
	pair("latest", 0, "LATEST");
	pair("\xc3\xa9", 1, "");
	ok(version_compare(NULL, NULL) == 0 && version_compare(NULL, "1") == -1 &&
		   version_compare("1", NULL) == 1,
	   "no version is version 0");
}

/* Returns a random text from pieces that versions are made of. */
static const char *
random_version(char *buffer, size_t size)
{
	static const char *const pieces[] = {
		"0",   "1", "2", "10", "00",  ".", ".",		 ".", "-",	"+",
		"rc",  "a", "b", "c",  "dev", "v", "ubuntu", "k", "RC", "99999999999999999999",
		"\xc3"};
	int count = random_below(7);

	buffer[0] = '\0';
	for (int i = 0; i < count; i++)
		strncat(buffer, pieces[random_below(lengthof(pieces))], size - strlen(buffer) - 1);
	return buffer;
}

static void
test_total_order(void)
{
	bool reflexive = true;
	bool antisymmetric = true;
	bool transitive = true;

	for (int i = 0; i < ROUNDS; i++)
	{
		char buffer[3][160];
		const char *a = random_version(buffer[0], sizeof(buffer[0]));
		const char *b = random_version(buffer[1], sizeof(buffer[1]));
		const char *c = random_version(buffer[2], sizeof(buffer[2]));
		int ab = version_compare(a, b);
		int bc = version_compare(b, c);
		int ac = version_compare(a, c);

		reflexive = reflexive && version_compare(a, a) == 0;
		antisymmetric = antisymmetric && ab == -version_compare(b, a) && ab >= -1 && ab <= 1;
		if ((ab <= 0 && bc <= 0 && (ac > 0 || (ac == 0 && (ab != 0 || bc != 0)))) ||
			(ab >= 0 && bc >= 0 && ac < 0))
		{
			if (transitive)
				diag("\"%s\" %d \"%s\" %d \"%s\", but %d", a, ab, b, bc, c, ac);
			transitive = false;
		}
	}
	ok(reflexive, "each version equals itself");
	ok(antisymmetric, "the order is the same both ways round");
	ok(transitive, "the order is transitive");
}

static void
test_within(void)
{
	ok(version_within("115.0.5790", "115") && version_within("115", "115") &&
		   version_within("114.9", "115") && version_within("v115.3", "115"),
	   "a bound with fewer parts covers all that begin with it");
	ok(!version_within("116", "115") && !version_within("1150", "115") &&
		   !version_within("115.0.5790", "115.0.1") && !version_within("115.1", "115.0"),
	   "and nothing else");
	ok(version_within("3.9-rc1", "3.9") && version_within("3.9-ubuntu2", "3.9-ubuntu"),
	   "words are parts, too");
}

static void
test_least(void)
{
	static const char *const operators[] = {
		"<3",	"<= 3.1", ">3.1",  "==3.11",	 "=3",	  "!=3.9", "~=3.1",
		"~3.1", "^3.1",	  "3.*",   "3.x",		 "3.X.1", "*",	   ">=",
		">= ",	">=3,<4", "3 | 4", "3.9 - 3.11", " <3",	  ">=<3",  "3.1,3.2"};
	static const char *const versions[][2] = {{"3.11", "3.11"},
											  {">=3.11", "3.11"},
											  {" >= 3.11", "3.11"},
											  {"", ""},
											  {"v1.2", "v1.2"},
											  {"2.1~rc1", "2.1~rc1"},
											  {"1:2.0-3", "1:2.0-3"},
											  {"12.4-ubuntu", "12.4-ubuntu"},
											  {"1.0^git5", "1.0^git5"},
											  {"1.xp", "1.xp"},
											  {"x64", "x64"}};
	bool refused = true;
	bool taken = true;

	for (size_t i = 0; i < lengthof(operators); i++)
		if (version_least(operators[i]) != NULL)
		{
			diag("\"%s\" is taken for \"%s\"", operators[i], version_least(operators[i]));
			refused = false;
		}
	for (size_t i = 0; i < lengthof(versions); i++)
	{
		const char *least = version_least(versions[i][0]);

		if (least == NULL || strcmp(least, versions[i][1]) != 0)
		{
			diag("\"%s\" is read as \"%s\"", versions[i][0], least == NULL ? "(null)" : least);
			taken = false;
		}
	}
	ok(refused, "operators, ranges and wildcards are not taken for a least version");
	ok(taken, "a version means at least, as >= does");
}

int
main(void)
{
	test_pairs();
	test_total_order();
	test_within();
	test_least();
	return done_testing();
}
