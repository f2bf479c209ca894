/*
 * pure_fuzz.c
 *		The formulas on any numbers and texts: results are in their range and
 *		never NaN, and the order of versions is an order.
 */
#include "document/error_class.h"
#include "fuzz.h"
#include "place/policy.h"
#include "model/formula.h"
#include "model/score.h"
#include "model/thermal.h"
#include "document/label.h"
#include "document/version.h"

/* Takes any double, NaN and the infinities among them. */
static double
any_number(void)
{
	static const double special[] = {0,	  -0.0,	  1,	 -1,	   0.3,		  0.7,
									 100, 1e-300, 1e300, INFINITY, -INFINITY, NAN};
	int n = random_below(2 * lengthof(special));
	uint64_t bits;
	double number;

	if (n < lengthof(special))
		return special[n];
	if (n % 2 == 0)
		return random_between(-200, 200);
	bits = random_bits();
	memcpy(&number, &bits, sizeof(number));
	return number;
}

/* Takes a number as documents may have it: finite, within limits. */
static double
number_between(double least, double most)
{
	double number = any_number();

	return isnan(number) ? least : Max(least, Min(most, number));
}

static bool
is_ratio(double x)
{
	return x >= 0 && x <= 1;
}

/* --- versions --- */

static int
sign_of_compare(const char *a, const char *b)
{
	int order = version_compare(a, b);

	CHECK(order >= -1 && order <= 1, "order %d", order);
	CHECK(order == -version_compare(b, a), "\"%s\" and \"%s\" are not in one order", a, b);
	return order;
}

static void
check_versions(void)
{
	char *a = take_text();
	char *b = take_text();
	char *c = take_text();
	NamedText have[] = {{"a", a}, {"B", b}};
	Condition wanted = {.name = "A", .least = {c, NAN}, .exists = -1};
	NamedTexts installed = {2, have};
	Conditions least = {1, &wanted};
	int ab = sign_of_compare(a, b);
	int bc = sign_of_compare(b, c);
	int ac = sign_of_compare(a, c);

	CHECK(version_compare(a, a) == 0, "\"%s\" is not itself", a);
	CHECK(!(ab <= 0 && bc <= 0) || ac <= 0, "\"%s\", \"%s\", \"%s\" go in a circle", a, b, c);
	CHECK(!(ab == 0 && bc == 0) || ac == 0, "\"%s\", \"%s\", \"%s\" are the same and are not", a, b,
		  c);
	CHECK(software_suffices(&installed, &least) == (ac >= 0), "\"%s\" beside at least \"%s\"", a,
		  c);
	CHECK(version_within(a, c) || ac > 0, "\"%s\" is not within \"%s\"", a, c);
}

/* --- errors --- */

static void
check_errors(void)
{
	char *text = take_text();
	char *upper = pstrdup(text);
	const char *class = error_class_of(text);

	CHECK(strcmp(class, "memory") == 0 || strcmp(class, "timeout") == 0 ||
			  strcmp(class, "connection") == 0 || strcmp(class, "other") == 0,
		  "class %s", class);
	for (char *c = upper; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c -= 'a' - 'A';
	CHECK(error_class_of(upper) == class, "\"%s\" is %s, in capitals %s", text, class,
		  error_class_of(upper));
	CHECK(strcmp(error_class_of(psprintf("%s\nOut of memory.", text)), "memory") == 0,
		  "\"%s\" hides that memory ran out", text);
}

/* --- states --- */

static void
check_thermal(void)
{
	double temperature = any_number();
	double load = any_number();
	double seconds = any_number();
	double once = thermal_at(temperature, load, seconds);

	CHECK(is_ratio(once), "thermal_at(%g, %g, %g) = %g", temperature, load, seconds, once);
	CHECK(is_ratio(thermal_step(temperature, load, seconds)), "thermal_step(%g, %g, %g) = %g",
		  temperature, load, seconds, thermal_step(temperature, load, seconds));
	if (isfinite(seconds) && load >= 0 && load <= 1)
	{
		double twice = thermal_at(thermal_at(temperature, load, seconds / 2), load, seconds / 2);

		CHECK(fabs(once - twice) < 1e-9, "twice half of thermal_at(%g, %g, %g) = %.17g, not %.17g",
			  temperature, load, seconds, twice, once);
	}
	for (int phase = PHASE_NORMAL; phase <= PHASE_COOLING; phase++)
	{
		double level = phase_performance_level((ThermalPhase) phase, temperature, seconds);

		CHECK(level >= 0.6 && level <= 1, "performance level %g", level);
	}
	CHECK(is_ratio(celsius_to_temperature(temperature, load, seconds)),
		  "celsius_to_temperature(%g, %g, %g) = %g", temperature, load, seconds,
		  celsius_to_temperature(temperature, load, seconds));
}

static void
check_load(void)
{
	Utilization load = {any_number(), any_number(), any_number(), any_number(), any_number()};
	double score = load_score(&load);
	double level = number_between(0.6, 1);
	bool warming = random_below(2);
	bool cooling = random_below(2);
	double effective = effective_load(score, warming || cooling, level);
	double efficiency = number_between(0, 1.3);
	double adjusted =
		adjusted_efficiency(efficiency, effective, warming, cooling, level, clamp01(any_number()));
	double old = clamp01(any_number());

	CHECK(is_ratio(score) && is_ratio(effective) && effective >= score, "load %g, effective %g",
		  score, effective);
	CHECK(adjusted >= 0 && adjusted <= efficiency, "%g adjusted to %g", efficiency, adjusted);
	CHECK(is_ratio(preference_after(old, clamp01(any_number()), clamp01(any_number()))),
		  "preference out of range");
}

static void
check_record(void)
{
	Performance performance = {random_bits() >> 12, random_bits() >> 12,
							   number_between(0, INFINITY)};
	const Performance *known = random_below(4) == 0 ? NULL : &performance;
	double expected = any_number();
	double load = clamp01(any_number());
	bool reported = random_below(2);

	CHECK(is_ratio(performance_score(known, expected, reported, load)), "performance score");
	for (int priority = 1; priority <= 5; priority++)
		CHECK(is_ratio(priority_score(priority, known, expected, reported, load)),
			  "priority score %g", priority_score(priority, known, expected, reported, load));
	CHECK(is_ratio(time_score(performance.mean_seconds, expected)), "time score");
}

/* --- profiles --- */

static const char *
any_name(void)
{
	static const char *const names[] = {NULL,  "cpu",		"gpu",	"tpu",			"npu", "vision",
										"nlp", "inference", "cuda", "tensor_cores", ""};

	return names[random_below(lengthof(names))];
}

/* Takes a set: sorted, without duplicates. */
static NameSet
any_names(void)
{
	static const char *const names[] = {"cpu", "cuda", "gpu", "nvidia", "onnx", "tensor_cores"};
	NameSet set = {0, palloc(sizeof(char *) * lengthof(names))};
	int members = random_below(1 << lengthof(names));

	for (int i = 0; i < lengthof(names); i++)
		if (members & 1 << i)
			set.names[set.count++] = names[i];
	return set;
}

static void
check_profiles(void)
{
	WorkloadProfile workload = {any_name(),	 any_names(), any_names(),
								any_names(), any_names(), any_names()};
	DeviceProfile devices[2];
	double *metrics = (double *) &workload.metrics;

	workload.min_memory_bytes = random_bits() >> 11;
	workload.min_compute_units = random_bits() >> 33;
	for (int i = 0; i < sizeof(Metrics) / sizeof(double); i++)
		metrics[i] = random_below(2) ? NAN : number_between(0, 1);
	workload.preferred_hardware_class = any_name();
	workload.preferred_architecture = any_name();
	workload.preferred_vendors = any_names();
	for (int d = 0; d < 2; d++)
	{
		DeviceProfile *device = &devices[d];
		double efficiency;
		double seconds;
		double joules;

		*device = (DeviceProfile){any_name(),  any_name(),	any_name(), any_name(),
								  any_names(), any_names(), any_names()};
		device->memory_total_bytes = random_bits() >> 11;
		device->compute_units = random_bits() >> 33;
		device->thermal_design_power_w = random_below(2) ? NAN : number_between(0, 1e300);
		efficiency = raw_efficiency(&workload, device);
		seconds = predict_seconds(&workload, device, any_number());
		joules = predict_joules(&workload, device, seconds);
		CHECK(efficiency > 0 && efficiency <= 1.3, "efficiency %g", efficiency);
		CHECK(seconds >= 1, "predicted %g seconds", seconds);
		CHECK(joules >= 0, "predicted %g joules", joules);
		(void) device_mismatch(&workload, device);
	}
	for (double similarity = 0; similarity <= 1; similarity++)
	{
		double score = stand_in_score(similarity, &devices[0], &devices[1]);

		CHECK(is_ratio(score) && score == stand_in_score(similarity, &devices[1], &devices[0]),
			  "stand-in score %g", score);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const checks[])(void) = {check_versions, check_thermal,  check_load,
										   check_record,   check_profiles, check_errors};

	fuzz_begin(data, size);
	checks[random_below(lengthof(checks))]();
	return 0;
}
