/*
 * label_test.c
 *		What labels and versions meet which conditions.
 */
#include "document/label.h"
#include "tap.h"

#define TEXT(t) \
	{ \
		t, NAN \
	}
#define NUMBER(t, n) \
	{ \
		t, n \
	}
#define VALUES(...) \
	{ \
		sizeof((LabelValue[]){__VA_ARGS__}) / sizeof(LabelValue), (LabelValue[]) \
		{ \
			__VA_ARGS__ \
		} \
	}

static const LabelValues absent = {0, NULL};

static void
check(const LabelValues *values, Condition condition, bool expected, const char *what)
{
	ok(label_meets(values, &condition) == expected, "%s", what);
}

static void
test_labels(void)
{
	LabelValues eu = VALUES(TEXT("eu"));
	LabelValues many = VALUES(TEXT("a"), TEXT("b"));
	LabelValues two = VALUES(NUMBER("2.5", 2.5));
	LabelValues version = VALUES(TEXT("115.0.5790"));

#define CONDITION(...) ((Condition){.name = "x", .exists = -1, __VA_ARGS__})
	check(&eu, CONDITION(.any = VALUES(TEXT("eu"))), true, "a value");
	check(&eu, CONDITION(.any = VALUES(TEXT("EU"))), false, "case counts");
	check(&eu, CONDITION(.any = VALUES(TEXT("us"), TEXT("eu"))), true, "any of a list");
	check(&many, CONDITION(.any = VALUES(TEXT("b"))), true, "any of the label's own");
	check(&absent, CONDITION(.any = VALUES(TEXT("eu"))), false, "no label has no value");
	check(&eu, CONDITION(.none = VALUES(TEXT("us"))), true, "not that");
	check(&many, CONDITION(.none = VALUES(TEXT("b"))), false, "one of them is");
	check(&absent, CONDITION(.none = VALUES(TEXT("us"))), true, "no label is not that either");
	check(&absent, CONDITION(.none = VALUES(TEXT("us")), .least = TEXT("a")), false,
		  "but it is within no bounds");
	check(&two, CONDITION(.least = NUMBER("2.25", 2.25)), true, "numbers compare as numbers");
	check(&two, CONDITION(.least = NUMBER("2.5", 2.5), .most = NUMBER("2.5", 2.5)), true,
		  "bounds are inclusive");
	check(&two, CONDITION(.most = NUMBER("2.25", 2.25)), false, "beyond the bound");
	check(&version, CONDITION(.most = TEXT("115")), true, "a bound covers what begins with it");
	check(&version, CONDITION(.least = TEXT("115")), true, "from below, too");
	check(&version, CONDITION(.least = TEXT("116")), false, "too old");
	check(&version, CONDITION(.any = VALUES(TEXT("115"))), false, "a value is no prefix");
	check(&eu, ((Condition){.name = "x", .exists = 1}), true, "it exists");
	check(&absent, ((Condition){.name = "x", .exists = 1}), false, "it does not");
	check(&eu, ((Condition){.name = "x", .exists = 0}), false, "it exists and must not");
	check(&absent, ((Condition){.name = "x", .exists = 0}), true, "it does not, and must not");
}

static bool
suffices(Condition condition)
{
	NamedText have[] = {{"CUDA", "11.8"}, {"cuda", "12.4-ubuntu"}, {"python", "3.11.7"}};

	return software_suffices(&(NamedTexts){3, have}, &(Conditions){1, &condition});
}

static void
test_software(void)
{
#define OF(n, ...) ((Condition){.name = n, .exists = -1, __VA_ARGS__})
	ok(software_suffices(&(NamedTexts){0, NULL}, &(Conditions){0, NULL}), "nothing is asked");
	ok(suffices(OF("Cuda", .least = TEXT("12.1"))), "by the second of two installed");
	ok(!suffices(OF("python", .least = TEXT("3.12"))), "too old");
	ok(!suffices(OF("onnx", .least = TEXT("1.0"))), "not installed at all");
	ok(!suffices(OF("pyth", .least = TEXT("1.0"))), "part of a name is no name");
	ok(suffices(OF("python", .least = TEXT(""))), "any version, but installed");
	ok(suffices(OF("python", .least = TEXT("3.9"), .most = TEXT("3.11"))), "within bounds");
	ok(!suffices(OF("python", .most = TEXT("3.10"))), "too new");
	ok(!suffices(OF("python", .none = VALUES(TEXT("3.11.7.0")))), "not that version");
	ok(suffices((Condition){.name = "onnx", .exists = 0}), "not installed, and must not be");
}

int
main(void)
{
	test_labels();
	test_software();
	return done_testing();
}
