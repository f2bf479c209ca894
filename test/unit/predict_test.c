/*
 * predict_test.c
 *		Predicted time and energy: known values, limits, what is not known.
 */
#include "model/formula.h"
#include "tap.h"

#define ROUNDS 20000

static WorkloadProfile workload;
static DeviceProfile device;

/* Sets a workload that asks for nothing and a device of which nothing is known. */
static void
reset(void)
{
	double *metrics = (double *) &workload.metrics;

	memset(&workload, 0, sizeof(workload));
	memset(&device, 0, sizeof(device));
	for (size_t i = 0; i < sizeof(Metrics) / sizeof(double); i++)
		metrics[i] = NAN;
}

static void
test_seconds(void)
{
	reset();
	is_exactly(predict_seconds(&workload, &device, 100), 50.0,
			   "a perfect fit takes half of the estimate");
	is_exactly(predict_seconds(&workload, &device, 0), 30.0, "no estimate: 60 s");
	is_exactly(predict_seconds(&workload, &device, NAN), 30.0, "an unknown estimate: 60 s");
	is_exactly(predict_seconds(&workload, &device, -3), 30.0, "nor does a negative one count");
	is_exactly(predict_seconds(&workload, &device, 0.001), 1.0, "at least 1 s");
	workload.preferred_hardware_class = "gpu";
	is_exactly(predict_seconds(&workload, &device, 100), 100 * (1.5 - 0.7),
			   "less efficient, longer");

	reset();
	workload.min_compute_units = 4;
	device.compute_units = 4;
	is_exactly(predict_seconds(&workload, &device, 100), 50.0, "just enough units");
	device.compute_units = 3;
	is_exactly(predict_seconds(&workload, &device, 100), 100 * (1.0 / (3.0 / 4.0)) * 0.5,
			   "one too few");
	device.compute_units = 1;
	is_exactly(predict_seconds(&workload, &device, 100), 75.0, "far too few: 1.5 at most");
	device.compute_units = 1000;
	is_exactly(predict_seconds(&workload, &device, 100), 25.0, "far more: 0.5 at least");
	device.compute_units = 0;
	is_exactly(predict_seconds(&workload, &device, 100), 75.0,
			   "unknown units count as far too few");

	reset();
	workload.min_memory_bytes = INT64_C(8) << 30;
	device.memory_total_bytes = INT64_C(8) << 30;
	is_exactly(predict_seconds(&workload, &device, 100), 50.0, "just enough memory");
	device.memory_total_bytes = 1;
	is_exactly(predict_seconds(&workload, &device, 100), 100 * 1.3 * 0.5,
			   "far too little: 1.3 at most");
	device.memory_total_bytes = INT64_C(1) << 50;
	is_exactly(predict_seconds(&workload, &device, 100), 100 * 0.7 * 0.5, "far more: 0.7 at least");
	device.memory_total_bytes = 0;
	is_exactly(predict_seconds(&workload, &device, 100), 100 * 1.3 * 0.5,
			   "unknown memory counts as far too little");

	/* predict.csv, case 2 */
	reset();
	workload.workload_type = "nlp";
	workload.preferred_architecture = "npu_mediatek";
	workload.preferred_vendors =
		(NameSet){4, (const char *[]){"amazon", "apple", "other", "xilinx"}};
	workload.metrics.compute_intensity = 1;
	workload.metrics.memory_intensity = 0.040000000000000001;
	workload.min_memory_bytes = INT64_C(8589934592);
	device.hardware_class = "npu";
	device.architecture = "mips";
	device.vendor = "amazon";
	device.compute_units = 32;
	device.memory_total_bytes = INT64_C(25593190577);
	is_exactly(predict_seconds(&workload, &device, 10), 6.8040000000000003, "a golden row");
}

static void
test_joules(void)
{
	reset();
	is_exactly(predict_joules(&workload, &device, 10), 100.0 * 10 * 0.7, "100 W, at 0.7 at least");
	device.thermal_design_power_w = NAN;
	is_exactly(predict_joules(&workload, &device, 10), 100.0 * 10 * 0.7, "an unknown power: 100 W");
	device.thermal_design_power_w = 300;
	is_exactly(predict_joules(&workload, &device, 10), 300.0 * 10 * 0.7, "a device's own power");
	workload.metrics.compute_intensity = 0.2;
	is_exactly(predict_joules(&workload, &device, 10), 300.0 * 10 * 0.7,
			   "little intensity: still 0.7");
	workload.metrics.memory_intensity = 0.9;
	is_exactly(predict_joules(&workload, &device, 10), 300.0 * 10 * (0.3 + 0.7 * 0.9),
			   "the greater intensity counts");
	workload.metrics.energy_sensitivity = 0.0;
	is_exactly(predict_joules(&workload, &device, 10), 300.0 * 10 * (0.3 + 0.7 * 0.9),
			   "a wish to save saves nothing");
	is_exactly(predict_joules(&workload, &device, 0), 0.0, "no time, no energy");

	/* predict.csv, case 1 */
	reset();
	workload.metrics.compute_intensity = 0.050000000000000003;
	workload.metrics.memory_intensity = 0.25;
	device.thermal_design_power_w = 423.66000000000003;
	is_exactly(predict_joules(&workload, &device, 19.5), 5782.9589999999998, "a golden row");
}

static void
test_properties(void)
{
	bool falls = true;
	bool bounded = true;
	bool proportional = true;

	for (int i = 0; i < ROUNDS; i++)
	{
		double estimate = random_between(1, 1000);
		double before;
		double after;

		reset();
		workload.min_compute_units = random_below(64);
		workload.min_memory_bytes = (int64) random_below(64) << 30;
		workload.metrics.compute_intensity = random_unit();
		workload.metrics.memory_intensity = random_unit();
		device.compute_units = random_below(200);
		device.memory_total_bytes = (int64) random_below(80) << 30;
		before = predict_seconds(&workload, &device, estimate);
		device.compute_units += random_below(20);
		device.memory_total_bytes += (int64) random_below(8) << 30;
		after = predict_seconds(&workload, &device, estimate);

		falls = falls && after <= before;
		proportional =
			proportional && fabs(base_seconds(&workload, &device, 10 * estimate) /
									 (10 * base_seconds(&workload, &device, estimate)) -
								 1) < 1e-12;
		bounded = bounded && before >= 1.0 && before <= estimate * 1.5 * 1.3 * 1.5;
	}
	ok(falls, "more units and memory never take longer");
	ok(bounded, "a prediction is finite and within its limits");
	ok(proportional, "what is learned is relative to something in proportion to the estimate");
}

int
main(void)
{
	test_seconds();
	test_joules();
	test_properties();
	return done_testing();
}
