/*
 * thermal_test.c
 *		Temperature and performance level over time: known values, and that
 *		time may be cut into any pieces.
 */
#include "model/thermal.h"
#include "tap.h"

#define ROUNDS 20000

static void
test_step(void)
{
	bool in_range = true;
	bool capped = true;

	is_exactly(thermal_step(0, 0.88281896511939895, 5), 0.088281896511939906, "a golden row");
	is_exactly(thermal_step(0.5, 1.0, 1000), 0.6, "a step adds at most 0.1");
	is_exactly(thermal_step(0.5, 0.7, 10), 0.5, "a load of 0.7 does not heat yet");
	is_exactly(thermal_step(0.5, 0.3, 10), 0.5, "a load of 0.3 does not cool yet");
	is_exactly(thermal_step(0.5, 0.0, 10), 0.5 - 0.01 * 10 * 1.5, "an idle device cools");
	is_exactly(thermal_step(0.5, 0.0, 1000), 0.0, "down to 0");
	is_exactly(thermal_step(1.0, 1.0, 10), 1.0, "1 is the most");
	is_exactly(thermal_step(0.5, 1.0, 0), 0.5, "no time, no change");
	is_exactly(thermal_step(0.5, 1.0, -5), 0.5, "a clock that goes back changes nothing");
	is_exactly(thermal_step(NAN, 0.5, 1), 0.0, "no record is a cold device");

	for (int i = 0; i < ROUNDS; i++)
	{
		double t = random_unit();
		double next = thermal_step(t, random_unit(), random_between(0, 120));

		in_range = in_range && next >= 0.0 && next <= 1.0;
		capped = capped && next <= t + 0.1 + 1e-15;
	}
	ok(in_range, "a step stays within 0..1");
	ok(capped, "no step adds more than 0.1");
}

static void
test_integral(void)
{
	double worst = 0;
	bool in_range = true;
	bool monotone = true;

	is_near(thermal_at(0, 1.0, 50), 1.0 - exp(-1.0), 1e-15,
			"50 s at full load go 1 - 1/e of the way");
	is_near(thermal_at(1.0, 0.0, 10), 2.0 * exp(-0.1) - 1.0, 1e-15, "cooling heads for -1");
	is_exactly(thermal_at(1.0, 0.0, 100.0 * log(2.0) + 1e-6), 0.0, "and ends at 0");
	is_exactly(thermal_at(0.4, 0.5, 1e6), 0.4, "a middling load changes nothing");
	is_exactly(thermal_at(0.4, 0.7, 1e6), 0.4, "a load of 0.7 does not heat yet");
	is_exactly(thermal_at(0.4, 0.3, 1e6), 0.4, "a load of 0.3 does not cool yet");
	is_exactly(thermal_at(0.4, 1.0, 0), 0.4, "no time, no change");
	is_exactly(thermal_at(0.4, 1.0, -7), 0.4, "a clock that goes back changes nothing");
	is_exactly(thermal_at(0.4, 1.0, 1e300), 1.0, "for ever at full load: 1");
	is_exactly(thermal_at(0.4, 0.0, 1e300), 0.0, "for ever idle: 0");
	is_exactly(thermal_at(NAN, 0.5, 1), 0.0, "no record is a cold device");
	is_near(thermal_at(0.25, 0.9, 0.001), thermal_step(0.25, 0.9, 0.001), 1e-9,
			"a short step is the reference's");

	for (int i = 0; i < ROUNDS; i++)
	{
		double t = random_unit();
		double load = random_unit();
		double first = random_between(0, 100);
		double second = random_between(0, 100);
		double at_once = thermal_at(t, load, first + second);
		double in_two = thermal_at(thermal_at(t, load, first), load, second);
		double longer = thermal_at(t, load, first + second + random_unit());

		worst = fmax(worst, fabs(at_once - in_two));
		in_range = in_range && at_once >= 0.0 && at_once <= 1.0;
		if (load > 0.7)
			monotone = monotone && longer >= at_once && at_once >= t;
		else if (load < 0.3)
			monotone = monotone && longer <= at_once && at_once <= t;
		else
			monotone = monotone && at_once == t;
	}
	if (!ok(worst <= 1e-14, "advancing in two parts is advancing once"))
		diag("differs by %g", worst);
	ok(in_range, "the temperature stays within 0..1");
	ok(monotone, "it rises under load and falls when idle");
}

static void
test_level(void)
{
	static const ThermalPhase phases[] = {PHASE_WARMING, PHASE_COOLING};
	bool monotone = true;

	is_exactly(phase_performance_level(PHASE_WARMING, 0, 30), 0.6, "warming starts at 0.6");
	is_exactly(phase_performance_level(PHASE_COOLING, 0, 60), 0.7, "cooling starts at 0.7");
	is_near(phase_performance_level(PHASE_WARMING, 15, 30), 0.8, 1e-15, "half warmed: 0.8");
	is_near(phase_performance_level(PHASE_COOLING, 30, 60), 0.85, 1e-15, "half cooled: 0.85");
	is_exactly(phase_performance_level(PHASE_WARMING, 30, 30), 1.0, "warmed");
	is_exactly(phase_performance_level(PHASE_COOLING, 1e9, 60), 1.0, "long cooled");
	is_exactly(phase_performance_level(PHASE_WARMING, -1, 30), 0.6,
			   "before the start it is the start");
	is_exactly(phase_performance_level(PHASE_WARMING, 0, 0), 1.0, "no duration, no phase");
	is_exactly(phase_performance_level(PHASE_WARMING, -5, -1), 1.0, "nor a negative one");
	is_exactly(phase_performance_level(PHASE_WARMING, 1, NAN), 1.0, "nor an unknown one");
	is_exactly(phase_performance_level(PHASE_NORMAL, 0, 30), 1.0, "no phase");
	is_exactly(phase_performance_level(PHASE_COOLING, INFINITY, 60), 1.0, "for ever after");
	is_exactly(phase_performance_level(PHASE_COOLING, -INFINITY, 60), 0.7, "for ever before");

	for (int i = 0; i < ROUNDS; i++)
	{
		ThermalPhase phase = phases[random_below(2)];
		double duration = random_between(0.001, 300);
		double earlier = random_between(-0.1, 1.1) * duration;
		double later = earlier + random_unit() * duration;
		double before = phase_performance_level(phase, earlier, duration);
		double after = phase_performance_level(phase, later, duration);

		monotone = monotone && before <= after && before >= 0.6 && after <= 1.0;
	}
	ok(monotone, "the level never falls and stays within 0.6..1");
}

static void
test_celsius(void)
{
	bool sane = true;

	is_exactly(celsius_to_temperature(35, NAN, NAN), 0.0, "the default idle point");
	is_exactly(celsius_to_temperature(90, NAN, NAN), 1.0, "the default throttling point");
	is_exactly(celsius_to_temperature(62.5, NAN, NAN), 0.5, "halfway");
	is_exactly(celsius_to_temperature(60, 40, 80), 0.5, "halfway between a device's own points");
	is_exactly(celsius_to_temperature(-10, 40, 80), 0.0, "colder than idle");
	is_exactly(celsius_to_temperature(120, 40, 80), 1.0, "hotter than throttling");
	is_exactly(celsius_to_temperature(NAN, 40, 80), 0.0, "not measured");
	is_exactly(celsius_to_temperature(70, 80, 80), 0.0, "points that coincide: below");
	is_exactly(celsius_to_temperature(80, 80, 80), 1.0, "points that coincide: at them");
	is_exactly(celsius_to_temperature(75, 80, 70), 1.0, "points out of order: throttling wins");

	for (int i = 0; i < ROUNDS; i++)
	{
		double t = celsius_to_temperature(random_between(-50, 200), random_between(-5, 120),
										  random_between(-5, 120));

		sane = sane && t >= 0.0 && t <= 1.0;
	}
	ok(sane, "whatever the points, the result is within 0..1");
}

static void
test_coldest(void)
{
	bool bounds = true;
	bool reached = true;

	is_exactly(thermal_coldest(0.4, 1.0), 0.4, "a device that heats up is coldest now");
	is_exactly(thermal_coldest(0.4, 0.0), 0.0, "one that cools down will be cold");
	is_exactly(thermal_coldest(0.4, 0.5), 0.4, "in between it stays");
	is_exactly(thermal_coldest(NAN, 1.0), 0.0, "no record is a cold device");
	for (int i = 0; i < ROUNDS; i++)
	{
		double t = random_unit();
		double load = random_unit();
		double least = thermal_coldest(t, load);

		bounds = bounds && thermal_at(t, load, random_between(0, 200)) >= least;
		reached = reached && (thermal_at(t, load, 0) == least || thermal_at(t, load, 1e6) == least);
	}
	ok(bounds, "it is never colder");
	ok(reached, "and as cold at some time");
}

static void
test_phases(void)
{
	const PhaseCourse idle = {false, true, INFINITY, 0};
	PhaseCourse course;

	ok(phase_that_begins(&idle, 0.3, 30, 60) == PHASE_WARMING, "idle, then busy: a warm-up");
	ok(phase_that_begins(&idle, 0.29, 30, 60) == PHASE_NORMAL, "not while it idles");
	ok(phase_that_begins(&idle, 0.3, 0, 60) == PHASE_NORMAL, "nor without a duration");
	course = idle;
	course.in_phase = true;
	ok(phase_that_begins(&course, 0.3, 30, 60) == PHASE_NORMAL, "nor in a phase");
	course = idle;
	course.was_idle = false;
	ok(phase_that_begins(&course, 0.3, 30, 60) == PHASE_NORMAL,
	   "nor if it was busy, or never reported");
	course = idle;
	course.since_busy = 29;
	ok(phase_that_begins(&course, 0.3, 30, 60) == PHASE_NORMAL,
	   "nor after a pause that is shorter than a warm-up");
	course.since_busy = 30;
	ok(phase_that_begins(&course, 0.3, 30, 60) == PHASE_WARMING, "but after one as long");
	course = (PhaseCourse){false, false, 0, 60};
	ok(phase_that_begins(&course, 0.71, 30, 60) == PHASE_COOLING,
	   "a high load for long: a cool-down");
	ok(phase_that_begins(&course, 0.7, 30, 60) == PHASE_NORMAL, "not if it is no more");
	ok(phase_that_begins(&course, 0.71, 30, 0) == PHASE_NORMAL, "nor without a duration");
	course.high_for = 59;
	ok(phase_that_begins(&course, 0.71, 30, 60) == PHASE_NORMAL, "nor for less long");
	course = (PhaseCourse){true, false, 0, 600};
	ok(phase_that_begins(&course, 0.71, 30, 60) == PHASE_NORMAL, "nor in a phase");
}

int
main(void)
{
	test_step();
	test_integral();
	test_coldest();
	test_phases();
	test_level();
	test_celsius();
	return done_testing();
}
