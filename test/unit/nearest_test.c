/*
 * nearest_test.c
 *		Which known name an unknown one was probably meant to be.
 */
#include "support/nearest.h"
#include "tap.h"

static const char *const known[] = {"minimum_memory", "host_memory", "retries", "priority",
									"timeout",		  "labels",		 "quorum",	"deadline"};

static void
meant(const char *given, const char *expected)
{
	NearestName nearest = {given, NULL, 0};

	for (size_t i = 0; i < lengthof(known); i++)
		nearest_consider(&nearest, known[i]);
	if (!ok(expected == NULL ? nearest.name == NULL :
							   nearest.name != NULL && strcmp(nearest.name, expected) == 0,
			"\"%s\" is %s", given, expected ? expected : "none of them"))
		diag("got %s", nearest.name ? nearest.name : "none");
}

int
main(void)
{
	char length[200];

	meant("minimun_memory", "minimum_memory");
	meant("minimumMemory", "minimum_memory");
	meant("minimum-memory", "minimum_memory");
	meant("MINIMUM_MEMORY", "minimum_memory");
	meant("retires", "retries"); /* two letters swapped are one step */
	meant("retrys", "retries");
	meant("lables", "labels");
	meant("time_out", "timeout");
	meant("prio", NULL);
	meant("delay", NULL);
	meant("", NULL);
	memset(length, 'x', sizeof(length) - 1);
	length[sizeof(length) - 1] = '\0';
	meant(length, NULL);
	return done_testing();
}
