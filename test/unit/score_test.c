/*
 * score_test.c
 *		Demands, efficiency, load and similarity: known values and properties.
 */
#include "model/score.h"
#include "tap.h"

#define ROUNDS 20000

#define NAMES(...) \
	((NameSet){lengthof(((const char *[]){__VA_ARGS__})), (const char *[]){__VA_ARGS__}})

/* Returns a workload that asks for nothing. */
static WorkloadProfile
any_workload(const char *type)
{
	WorkloadProfile workload;
	double *metrics = (double *) &workload.metrics;

	memset(&workload, 0, sizeof(workload));
	workload.workload_type = type;
	for (size_t i = 0; i < sizeof(Metrics) / sizeof(double); i++)
		metrics[i] = NAN;
	return workload;
}

/* Returns a device of a class of which nothing else is known. */
static DeviceProfile
any_device(const char *hardware_class)
{
	DeviceProfile device;

	memset(&device, 0, sizeof(device));
	device.hardware_class = hardware_class;
	return device;
}

static void
test_demands(void)
{
	WorkloadProfile workload = any_workload("mixed");
	DeviceProfile device = any_device("gpu");
	WorkloadProfile everything;

	is_int(device_mismatch(&workload, &device), MATCHES, "no demand: any device will do");

	workload.required_backends = NAMES("cuda", "onnx");
	device.supported_backends = NAMES("cuda");
	is_int(device_mismatch(&workload, &device), MISMATCH_BACKEND, "one of two backends is missing");
	device.supported_backends = NAMES("cuda", "onnx");
	is_int(device_mismatch(&workload, &device), MATCHES, "both backends are there");
	workload.required_backends = NAMES("gpu");
	is_int(device_mismatch(&workload, &device), MATCHES, "a class word is met by the class");
	workload.required_backends = NAMES("npu");
	is_int(device_mismatch(&workload, &device), MISMATCH_BACKEND, "another class word is not");
	workload.required_backends = NAMES("cud");
	is_int(device_mismatch(&workload, &device), MISMATCH_BACKEND, "part of a name is no name");
	workload.required_backends = NAMES("cuda");

	workload.required_models = NAMES("A100", "H100");
	is_int(device_mismatch(&workload, &device), MISMATCH_MODEL,
		   "no model is none of the asked ones");
	device.model_name = "H100";
	is_int(device_mismatch(&workload, &device), MATCHES, "any of the models will do");

	workload.required_precisions = NAMES("fp16");
	is_int(device_mismatch(&workload, &device), MISMATCH_PRECISION, "a precision is missing");
	device.supported_precisions = NAMES("bf16", "fp16");
	workload.required_features = NAMES("tensor_cores");
	is_int(device_mismatch(&workload, &device), MISMATCH_FEATURE, "a feature is missing");
	device.features = NAMES("tensor_cores");

	workload.min_compute_units = 8;
	device.compute_units = 7;
	is_int(device_mismatch(&workload, &device), MISMATCH_UNITS, "one compute unit is missing");
	device.compute_units = 8;
	workload.min_memory_bytes = INT64_C(8589934592);
	device.memory_total_bytes = workload.min_memory_bytes - 1;
	is_int(device_mismatch(&workload, &device), MISMATCH_MEMORY, "one byte is missing");
	device.memory_total_bytes++;
	is_int(device_mismatch(&workload, &device), MATCHES, "every demand is just met");

	everything = workload;
	device = any_device("cpu");
	is_int(device_mismatch(&everything, &device), MISMATCH_BACKEND, "backends are tested first");
	everything.required_backends.count = 0;
	is_int(device_mismatch(&everything, &device), MISMATCH_MODEL, "then models");
	everything.required_models.count = 0;
	is_int(device_mismatch(&everything, &device), MISMATCH_PRECISION, "then precisions");
	everything.required_precisions.count = 0;
	is_int(device_mismatch(&everything, &device), MISMATCH_FEATURE, "then features");
	everything.required_features.count = 0;
	is_int(device_mismatch(&everything, &device), MISMATCH_UNITS, "then units");
	everything.min_compute_units = INFERRED_COMPUTE_UNITS;
	is_int(device_mismatch(&everything, &device), MISMATCH_MEMORY,
		   "then memory; the inferred units exclude no cpu");
	everything.min_memory_bytes = 0;
	everything.min_compute_units = INFERRED_COMPUTE_UNITS + 1;
	device.compute_units = 1;
	is_int(device_mismatch(&everything, &device), MISMATCH_UNITS,
		   "a wish for more units counts on a cpu, too");
	everything.min_compute_units = INFERRED_COMPUTE_UNITS;
	device.hardware_class = "gpu";
	is_int(device_mismatch(&everything, &device), MISMATCH_UNITS,
		   "the inferred units count on a gpu");
	device.hardware_class = NULL;
	is_int(device_mismatch(&everything, &device), MISMATCH_UNITS,
		   "and where the class is not known");
}

static void
test_efficiency(void)
{
	WorkloadProfile workload = any_workload("mixed");
	DeviceProfile device = any_device("gpu");

	is_exactly(raw_efficiency(&workload, &device), 1.0, "no preference: 1");
	workload.preferred_hardware_class = "cpu";
	is_exactly(raw_efficiency(&workload, &device), 0.7, "another class: 0.7");
	workload.preferred_architecture = "x86_64";
	is_exactly(raw_efficiency(&workload, &device), 0.7 * 0.8, "and architecture: 0.8 of it");
	workload.preferred_vendors = NAMES("amd", "intel");
	is_exactly(raw_efficiency(&workload, &device), 0.7 * 0.8 * 0.9, "and vendor: 0.9 of it");
	device.hardware_class = "cpu";
	device.architecture = "x86_64";
	device.vendor = "intel";
	is_exactly(raw_efficiency(&workload, &device), 1.0, "all preferences met: 1");

	workload.metrics.compute_intensity = 0.7;
	workload.metrics.memory_intensity = 0.7;
	is_exactly(raw_efficiency(&workload, &device), 1.0, "an intensity of 0.7 is not yet intensive");
	workload.metrics.compute_intensity = 0.71;
	is_exactly(raw_efficiency(&workload, &device), 0.5, "no units known: half");
	device.compute_units = 80;
	is_exactly(raw_efficiency(&workload, &device), 0.5 + 0.5 * 0.8, "80 of 100 units");
	device.compute_units = 1000;
	workload.metrics.memory_intensity = 0.71;
	device.memory_total_bytes = INT64_C(4) << 30;
	is_exactly(raw_efficiency(&workload, &device), 0.5 + 0.5 * 0.25, "ample units, 4 of 16 GB");

	workload = any_workload("vision");
	device = any_device("gpu");
	is_exactly(raw_efficiency(&workload, &device), 1.2, "vision on a gpu");
	workload.workload_type = "nlp";
	is_exactly(raw_efficiency(&workload, &device), 1.0, "nlp on a gpu without tensor cores");
	device.features = NAMES("tensor_cores");
	is_exactly(raw_efficiency(&workload, &device), 1.2, "nlp on a gpu with tensor cores");
	device.hardware_class = "tpu";
	is_exactly(raw_efficiency(&workload, &device), 1.3, "nlp on a tpu");
	device.hardware_class = "npu";
	is_exactly(raw_efficiency(&workload, &device), 1.0, "nlp on an npu");
	workload.workload_type = "inference";
	is_exactly(raw_efficiency(&workload, &device), 1.2, "inference on an npu");
	workload.workload_type = NULL;
	device.hardware_class = NULL;
	is_exactly(raw_efficiency(&workload, &device), 1.0, "neither type nor class known");
}

/* More units or memory never make a device less suitable. */
static void
test_efficiency_rises(void)
{
	static const char *const classes[] = {"cpu", "gpu", "tpu", "npu", NULL};
	static const char *const types[] = {"vision", "nlp", "inference", "mixed", NULL};
	bool rises = true;
	bool in_range = true;

	for (int i = 0; i < ROUNDS; i++)
	{
		WorkloadProfile workload = any_workload(types[random_below(lengthof(types))]);
		DeviceProfile device = any_device(classes[random_below(lengthof(classes))]);
		double before;
		double after;

		workload.metrics.compute_intensity = random_unit();
		workload.metrics.memory_intensity = random_unit();
		workload.preferred_hardware_class = classes[random_below(lengthof(classes))];
		device.compute_units = random_below(200);
		device.memory_total_bytes = (int64) random_below(40) << 30;
		before = raw_efficiency(&workload, &device);
		device.compute_units += random_below(50);
		device.memory_total_bytes += (int64) random_below(8) << 30;
		after = raw_efficiency(&workload, &device);

		rises = rises && after >= before;
		in_range = in_range && before > 0.0 && before <= 1.3;
	}
	ok(rises, "more units and memory never lower the efficiency");
	ok(in_range, "the raw efficiency is above 0 and at most 1.3");
}

static void
test_load(void)
{
	Utilization idle = {0, 0, 0, 0, 0};
	Utilization full = {100, 100, 100, 100, 100};
	Utilization beyond = {400, 300, 0, 0, 0};
	Utilization below = {-50, 0, 0, 0, 0};
	Utilization unknown = {NAN, NAN, NAN, NAN, NAN};
	Utilization golden = {13.55912528809149, 28.800000000000001, 5.055035243153128,
						  17.393258765881715, 100};
	bool rises = true;
	bool in_range = true;

	is_exactly(clamp01(-0.5), 0.0, "clamp01 below");
	is_exactly(clamp01(0.25), 0.25, "clamp01 within");
	is_exactly(clamp01(7.0), 1.0, "clamp01 above");
	is_exactly(clamp01(NAN), 0.0, "clamp01 of no number");
	is_exactly(clamp01(INFINITY), 1.0, "clamp01 of infinity");

	is_exactly(load_score(&idle), 0.0, "idle");
	is_near(load_score(&full), 1.0, 1e-15, "full");
	is_exactly(load_score(&beyond), 1.0, "more than full is full");
	is_exactly(load_score(&below), 0.0, "less than idle is idle");
	is_exactly(load_score(&unknown), 0.0, "nothing reported is no load");
	is_exactly(load_score(&golden), 0.25458070511646247, "a golden row");

	is_exactly(effective_load(0.4, false, 0.6), 0.4, "no phase: the load itself");
	is_exactly(effective_load(0.4, true, 0.6), 0.4 + (1.0 - 0.6),
			   "a phase adds what the level lacks");
	is_exactly(effective_load(0.9, true, 0.6), 1.0, "but not beyond 1");

	for (int i = 0; i < ROUNDS; i++)
	{
		Utilization load;
		double before;
		double *value = (double *) &load;

		for (int j = 0; j < 5; j++)
			value[j] = random_between(-20, 120);
		before = load_score(&load);
		value[random_below(5)] += random_unit() * 30;
		rises = rises && load_score(&load) >= before;
		in_range = in_range && before >= 0.0 && before <= 1.0;
	}
	ok(rises, "more utilisation never lowers the load");
	ok(in_range, "the load is within 0..1");
}

static void
test_adjusted(void)
{
	is_exactly(adjusted_efficiency(0.8, 0.0, false, false, 0.5, 0.0), 0.8,
			   "idle and cold: as it is");
	is_exactly(adjusted_efficiency(0.8, 0.5, false, false, 0.5, 0.0), 0.8 * (1.0 - 0.3 * 0.5),
			   "load takes up to 0.3");
	is_exactly(adjusted_efficiency(0.8, 0.0, true, false, 0.5, 0.0), 0.8 * 0.5,
			   "warming takes the level");
	is_exactly(adjusted_efficiency(0.8, 0.0, true, true, 0.5, 0.0), 0.8 * 0.5 * 0.5,
			   "both phases take it twice");
	is_exactly(adjusted_efficiency(0.8, 0.0, false, false, 0.5, 1.0), 0.8 * (1.0 - 0.3),
			   "heat takes up to 0.3");
	is_exactly(adjusted_efficiency(0, 1, true, false, 0.34949778052820191, 0.78), 0.0,
			   "nothing stays nothing");
	is_exactly(adjusted_efficiency(1.2, 0.0, false, false, 1.0, 0.0), 1.2,
			   "no clamp: speciality counts");
}

static void
test_preference(void)
{
	double preference = 0.5;
	bool between = true;

	is_exactly(preference_after(0.5, 0.25816997713883449, 0.3), 0.4274509931416503, "a golden row");
	is_exactly(preference_after(0.4274509931416503, 0.080433595518279555, 0.3), 0.32334577385463908,
			   "and the next");
	is_exactly(preference_after(0.5, 0.9, 0.0), 0.5, "alpha 0 learns nothing");
	is_exactly(preference_after(0.5, 0.9, 1.0), 0.9, "alpha 1 forgets everything");
	for (int i = 0; i < ROUNDS; i++)
	{
		double observed = random_unit();
		double after = preference_after(preference, observed, random_unit());

		between = between && after >= fmin(preference, observed) - 1e-15 &&
				  after <= fmax(preference, observed) + 1e-15;
		preference = after;
	}
	ok(between, "a preference moves towards what was observed and not past it");
}

/* Returns a random subset of 20 names. */
static NameSet
random_names(const char **storage)
{
	static const char *const all[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j",
									  "k", "l", "m", "n", "o", "p", "q", "r", "s", "t"};
	NameSet set = {0, storage};

	for (size_t i = 0; i < lengthof(all); i++)
		if (random_below(3) == 0)
			storage[set.count++] = all[i];
	return set;
}

static void
test_stand_in(void)
{
	DeviceProfile a = any_device("gpu");
	DeviceProfile b = any_device("gpu");
	bool symmetric = true;
	bool in_range = true;

	is_exactly(stand_in_score(0.8, &a, &b), 0.5 * 0.8, "empty sets have nothing in common");
	a.supported_backends = NAMES("cuda", "onnx");
	b.supported_backends = NAMES("onnx", "rocm");
	is_exactly(stand_in_score(0.0, &a, &b), 0.3 * (1.0 / 3), "one backend of three in common");
	b.supported_backends = a.supported_backends;
	a.supported_precisions = b.supported_precisions = NAMES("fp16", "fp32");
	is_exactly(stand_in_score(1.0, &a, &b), 1.0, "the same in all respects");

	for (int i = 0; i < ROUNDS; i++)
	{
		const char *storage[4][20];
		double similarity = random_unit();
		double score;

		a.supported_backends = random_names(storage[0]);
		b.supported_backends = random_names(storage[1]);
		a.supported_precisions = random_names(storage[2]);
		b.supported_precisions = random_names(storage[3]);
		score = stand_in_score(similarity, &a, &b);
		symmetric = symmetric && score == stand_in_score(similarity, &b, &a);
		in_range = in_range && score >= 0.0 && score <= 1.0;
	}
	ok(symmetric, "standing in is symmetric");
	ok(in_range, "the score is within 0..1");
}

int
main(void)
{
	test_demands();
	test_efficiency();
	test_efficiency_rises();
	test_load();
	test_adjusted();
	test_preference();
	test_stand_in();
	return done_testing();
}
