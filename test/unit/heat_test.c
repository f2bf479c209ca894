/*
 * heat_test.c
 *		The thermal model against a simulated device whose law is known, and
 *		against reports that make no sense.
 */
#include <float.h>

#include "model/heat_penalty.h"
#include "model/heat.h"
#include "tap.h"

#define ROUNDS 20000

/* A device that obeys the law exactly. */
typedef struct Device
{
	double ambient;
	double resistance; /* degrees by watt */
	double tau;
	double celsius;
	double watts;
	double seconds;
} Device;

/* Lets time pass at the device's power. */
static void
pass_time(Device *device, double dt)
{
	double settled = device->ambient + device->resistance * device->watts;

	device->celsius = settled + (device->celsius - settled) * exp(-dt / device->tau);
	device->seconds += dt;
}

/* Reports the device with an error of measurement, as the mean of a few numbers. */
static bool
report(Heat *heat, const Device *device, double noise)
{
	HeatReport said = {device->seconds, device->watts, NAN, device->celsius};

	said.celsius += noise * (random_unit() + random_unit() + random_unit() - 1.5);
	return heat_report(heat, said, true);
}

/* Reports a life of work that comes and goes, every dt seconds. */
static void
live(Heat *heat, Device *device, int reports, double dt, double noise)
{
	for (int i = 0; i < reports; i++)
	{
		pass_time(device, dt * random_between(0.5, 1.5));
		report(heat, device, noise);
		if (random_below(10) == 0)
			device->watts = random_below(3) == 0 ? 30.0 : random_between(30.0, 300.0);
	}
}

static HeatLoad
power(double watts)
{
	HeatLoad load = {watts, NAN};

	return load;
}

static const HeatLoad nothing = {NAN, NAN};

static void
test_learns_law(void)
{
	Device device = {24.0, 0.2, 240.0, 30.0, 30.0, 0.0};
	Heat heat;
	double off = 0.0;
	double off_persistence = 0.0;

	heat_start(&heat, 300.0);
	ok(isnan(heat_predict(&heat, power(100.0), 60.0)),
	   "nothing is predicted before the first report");
	live(&heat, &device, 3000, 20.0, 0.3);
	ok(heat_fault(&heat) < 0, "the model is sane");
	is_near(heat_time_constant(&heat), 240.0, 60.0, "the time constant is found");
	is_near(heat_resistance(&heat), 0.2, 0.03, "degrees by watt are found");
	is_near(heat_settled(&heat, 300.0), 84.0, 5.0, "and where full power ends");
	is_near(heat_settled(&heat, 60.0), 36.0, 3.0, "and where a little does");

	for (int i = 0; i < 200; i++)
	{
		double dt = random_between(10.0, 1200.0);
		double now = device.celsius;

		double said;

		device.watts = random_between(30.0, 300.0);
		said = heat_predict(&heat, power(device.watts), dt);
		pass_time(&device, dt);
		off += fabs(said - device.celsius);
		off_persistence += fabs(now - device.celsius);
		report(&heat, &device, 0.3);
	}
	if (!ok(off < 0.2 * off_persistence,
			"work to come is predicted five times better than by persistence"))
		diag("%.2f degrees, persistence %.2f", off / 200.0, off_persistence / 200.0);
}

static void
test_hours(void)
{
	Device device = {25.0, 0.15, 180.0, 30.0, 30.0, 0.0};
	Heat heat;

	heat_start(&heat, NAN);
	for (int i = 0; i < 500; i++)
	{
		device.watts = i % 7 < 4 ? 40.0 : 40.0 + 30.0 * (i % 9);
		pass_time(&device, 3600.0);
		report(&heat, &device, 0.0);
	}
	is_near(heat_predict(&heat, power(200.0), 3600.0), 55.0, 1.0,
			"an hour's power is enough for the hour");
	is_exactly(heat_predict(&heat, nothing, 3600.0), device.celsius,
			   "where nothing is known of the load the temperature stays");
	is_exactly(heat_predict(&heat, power(200.0), 0.0), device.celsius, "no time, no change");
	ok(heat.full_watts >= 200.0 && heat.full_watts < 600.0,
	   "the full power grew with what was seen");
	ok(heat_error(&heat) < 0.5 * heat_error_persistence(&heat),
	   "the model knows that it is better than persistence");

	/* A transient that is plain goes on without a known load. */
	heat_start(&heat, 300.0);
	device.tau = 240.0;
	live(&heat, &device, 2000, 20.0, 0.1);
	device.watts = 40.0;
	pass_time(&device, 4000.0);
	report(&heat, &device, 0.0);
	device.watts = 300.0;
	pass_time(&device, 20.0);
	report(&heat, &device, 0.0);
	ok(heat_predict(&heat, nothing, 600.0) > device.celsius + 10.0,
	   "what a device is plainly on its way to is foreseen");
}

static void
test_robust(void)
{
	Device device = {24.0, 0.2, 240.0, 30.0, 30.0, 0.0};
	Heat heat;
	Heat before;
	HeatReport wrong;

	heat_start(&heat, 300.0);
	live(&heat, &device, 2000, 20.0, 0.2);
	before = heat;

	wrong = (HeatReport){device.seconds + 1.0, 100.0, NAN, NAN};
	ok(!heat_report(&heat, wrong, true), "a report without a temperature is refused");
	wrong.celsius = 1e6;
	ok(!heat_report(&heat, wrong, true), "and one with an impossible one");
	wrong = (HeatReport){device.seconds, 100.0, NAN, 50.0};
	ok(!heat_report(&heat, wrong, true), "and one that is not newer");
	wrong.seconds = NAN;
	ok(!heat_report(&heat, wrong, true), "and one without a time");
	ok(memcmp(&before, &heat, sizeof(heat)) == 0, "a refused report changes nothing");

	for (int i = 0; i < 1000; i++)
	{
		live(&heat, &device, 1, 20.0, 0.2);
		if (i % 40 == 39)
		{
			wrong = (HeatReport){device.seconds + 0.5, device.watts, NAN,
								 random_below(2) ? 0.0 : 140.0};
			heat_report(&heat, wrong, true);
		}
	}
	live(&heat, &device, 100, 20.0, 0.2);
	is_near(heat_settled(&heat, 200.0), 64.0, 2.0, "a sensor's whims do not unlearn the law");

	device.ambient += 10.0;
	live(&heat, &device, 200, 20.0, 0.2);
	is_near(heat_settled(&heat, 200.0), 74.0, 6.0, "a warmer room is followed");

	pass_time(&device, 30.0 * 86400.0);
	report(&heat, &device, 0.2);
	live(&heat, &device, 50, 20.0, 0.2);
	is_near(heat_settled(&heat, 200.0), 74.0, 6.0, "a gap of a month is survived");
}

/* What changes for good is learned again; what does not come is not foretold. */
static void
test_changes(void)
{
	Device device = {24.0, 0.2, 240.0, 30.0, 30.0, 0.0};
	Heat heat;
	double foretold;

	heat_start(&heat, 300.0);
	live(&heat, &device, 4000, 60.0, 0.2);
	device.resistance = 0.12;
	live(&heat, &device, 4000, 60.0, 0.2);
	is_near(heat_resistance(&heat), 0.12, 0.02, "better cooling is learned");

	/* By the hour, bursts so short that the device does not warm. */
	heat_start(&heat, 300.0);
	for (int i = 0; i < 300; i++)
	{
		HeatReport said = {3600.0 * i, i % 2 ? 50.0 : 250.0, NAN, i % 2 ? 35.0 : 65.0};

		heat_report(&heat, said, true);
	}
	foretold = heat_predict(&heat, power(250.0), 3600.0);
	is_near(foretold, 65.0, 3.0, "hours of work are foretold to warm");
	for (int i = 300; i < 320; i++)
	{
		HeatReport said = {3600.0 * i, i % 2 ? 50.0 : 250.0, NAN, 35.0};

		heat_report(&heat, said, true);
	}
	ok(heat_predict(&heat, power(250.0), 3600.0) < 42.0, "soon not those of bursts that do not");
}

static void
test_without_learning(void)
{
	Device device = {24.0, 0.2, 240.0, 30.0, 30.0, 0.0};
	Heat heat;
	Heat before;

	heat_start(&heat, 300.0);
	live(&heat, &device, 1000, 20.0, 0.2);
	before = heat;
	for (int i = 0; i < 100; i++)
	{
		HeatReport said = {device.seconds + 20.0 * (i + 1), 30.0 * (i % 9), 0.5,
						   device.celsius + 10.0};

		heat_report(&heat, said, false);
	}
	ok(memcmp(&before.state[2], &heat.state[2], sizeof(double) * (HEAT_STATES - 2)) == 0 &&
		   memcmp(before.came, heat.came, sizeof(heat.came)) == 0 &&
		   memcmp(&before.mean_watts, &heat.mean_watts, sizeof(double)) == 0,
	   "switched off, nothing is learned");
	ok(heat.state[1] != before.state[1] && heat.celsius != before.celsius,
	   "but the temperature is followed");
	ok(heat_fault(&heat) < 0, "and the model is sane");
}

static void
test_adopt(void)
{
	Device first = {24.0, 0.22, 240.0, 30.0, 30.0, 0.0};
	Device second = {30.0, 0.22, 240.0, 36.6, 30.0, 0.0};
	Heat elder;
	Heat heat;
	Heat fresh;

	heat_start(&elder, 300.0);
	live(&elder, &first, 3000, 20.0, 0.2);
	heat_adopt(&heat, &elder);
	heat_start(&fresh, 300.0);
	ok(heat_fault(&heat) < 0, "an adopted model is sane");
	ok(isnan(heat_predict(&heat, power(100.0), 60.0)),
	   "it knows nothing of the new device's temperature");
	for (int i = 0; i < 3; i++)
	{
		pass_time(&second, 600.0);
		report(&heat, &second, 0.0);
		report(&fresh, &second, 0.0);
	}
	is_near(heat_predict(&heat, power(300.0), 3600.0), 96.0, 6.0, "but the law of its kind");
	ok(fabs(heat_predict(&heat, power(300.0), 3600.0) - 96.0) <
		   fabs(heat_predict(&fresh, power(300.0), 3600.0) - 96.0),
	   "which a fresh one has yet to find");
}

static void
test_utilisation(void)
{
	Device device = {24.0, 0.2, 120.0, 30.0, 30.0, 0.0};
	HeatLoad busy = {NAN, 1.0};
	Heat both;
	Heat alone;

	heat_start(&both, 300.0);
	heat_start(&alone, 300.0);
	for (int i = 0; i < 1500; i++)
	{
		double used = i % 6 < 3 ? 0.0 : random_unit();
		HeatReport said;

		device.watts = 40.0 + 200.0 * used;
		pass_time(&device, 600.0);
		said = (HeatReport){device.seconds, device.watts, used, device.celsius};
		heat_report(&both, said, true);
		said.watts = NAN;
		heat_report(&alone, said, true);
	}
	is_near(heat_watts(&both, 1.0), 240.0, 10.0, "power by utilisation is found");
	is_near(heat_predict(&both, busy, 3600.0), 72.0, 3.0, "and stands in for the power to come");
	is_near(heat_predict(&alone, busy, 3600.0), 72.0, 4.0, "utilisation alone will do");
}

/* Whatever is reported, the model stays one, and says numbers. */
static void
test_nonsense(void)
{
	static const double odd[] = {0.0,		-1.0, 1e-300,  1e300, INFINITY,
								 -INFINITY, NAN,  DBL_MAX, 1.0,	  99999.0};
	bool sane = true;
	bool finite = true;
	bool monotone = true;
	bool bounded = true;

	for (int world = 0; world < 40; world++)
	{
		double now = 0.0;
		Heat heat;

		heat_start(&heat, world % 3 == 0 ? odd[random_below(lengthof(odd))] : 300.0);
		for (int i = 0; i < ROUNDS / 40; i++)
		{
			HeatReport said = {now, random_between(0.0, 400.0), random_unit(),
							   random_between(-30.0, 140.0)};
			HeatLoad load = {random_between(0.0, 400.0), random_unit()};
			double low = random_between(0.0, 400.0);
			double predicted;

			now += random_below(4) == 0 ? random_between(0.0, 1e6) : random_between(-1.0, 60.0);
			if (random_below(4) == 0)
				said.watts = odd[random_below(lengthof(odd))];
			if (random_below(4) == 0)
				said.utilisation = odd[random_below(lengthof(odd))];
			if (random_below(8) == 0)
				said.celsius = odd[random_below(lengthof(odd))];
			if (random_below(50) == 0)
				said.seconds = odd[random_below(lengthof(odd))];
			if (said.seconds > 1e12)
				said.seconds = now;
			if (random_below(4) == 0)
				load.watts = odd[random_below(lengthof(odd))];
			heat_report(&heat, said, random_below(5) != 0);
			sane = sane && heat_fault(&heat) < 0;
			predicted = heat_predict(&heat, load,
									 random_below(3) ? random_between(0.0, 7200.0) :
													   odd[random_below(lengthof(odd))]);
			finite = finite && (isfinite(predicted) || !(heat.reports > 0.0));
			bounded = bounded && !(predicted < -40.0) && !(predicted > 150.0);
			monotone = monotone && heat_settled(&heat, low) <= heat_settled(&heat, low + 10.0) &&
					   heat_resistance(&heat) > 0.0 && heat_time_constant(&heat) > 0.0;
		}
	}
	ok(sane, "whatever is reported, the model stays sane");
	ok(finite, "and predicts a number");
	ok(bounded, "of a temperature");
	ok(monotone, "and more power is hotter");
}

static void
test_sanity(void)
{
	Heat heat;

	heat_start(&heat, 250.0);
	ok(heat_fault(&heat) < 0, "a fresh model is sane");
	heat.state[2] = NAN;
	ok(heat_fault(&heat) == 8, "one with a hole is not");
	heat_start(&heat, 250.0);
	heat.covariance[0] = -1.0;
	ok(heat_fault(&heat) == 14, "nor one with a negative variance");
	heat_start(&heat, 250.0);
	heat.full_watts = 0.0;
	ok(heat_fault(&heat) == 5, "nor one without a scale");
	heat_start(&heat, 250.0);
	heat.state[HEAT_STATES - 1] = 100.0;
	ok(heat_fault(&heat) == 13, "nor one that never warms");
	heat_start(&heat, 250.0);
	heat.seconds = INFINITY;
	ok(heat_fault(&heat) == 1, "nor one out of time");
	heat_start(&heat, 250.0);
	heat.reports = 1e300;
	ok(heat_fault(&heat) == 0, "nor one of more reports than there can be");
	is_int((long) (sizeof(Heat) % sizeof(double)), 0, "a model is an array of doubles");
}

static void
test_factor(void)
{
	double before = 1.0;
	bool falls = true;

	ok(heat_overheats(90.0, NAN) && !heat_overheats(89.9, NAN) && heat_overheats(84.0, 84.0) &&
		   !heat_overheats(NAN, 84.0),
	   "what is at the throttling point is past it");
	for (double share = 0.0; share <= 1.0; share += 0.001)
	{
		double factor = heat_share_factor(share, 0.6);

		falls = falls && factor <= before && before - factor < 0.01;
		before = factor;
	}
	ok(falls && before == 0.5, "the factor falls without a jump, and never below a half");

	is_exactly(heat_share_factor(1.0, INFINITY), 1.0, "who never throttles loses nothing");
	is_exactly(heat_share_factor(0.7, 0.8), 1.0, "nor work that draws a tenth less");
	is_near(heat_share_factor(0.8, 0.8), 0.7, 1e-12,
			"0.7 is left of the share from which it throttles");
	is_near(heat_share_factor(1.0, 0.7), 0.5, 1e-12, "and half of it well beyond");
	falls = true;
	for (double share = 0.7; share <= 1.0; share += 0.05)
		for (int tenth = 0; tenth < 10; tenth++)
			falls = falls &&
					heat_share_factor(share, tenth / 10.0) <=
						heat_share_factor(share, (tenth + 1) / 10.0) &&
					heat_share_factor(share, tenth / 10.0) >=
						heat_share_factor(share + 0.05, tenth / 10.0);
	ok(falls, "it rises with that share, and falls with the work's");
}

/* From which share of 40..240 W a device of a law would reach a point within the hour. */
static void
test_throttles_at(void)
{
	Heat heat;
	double before = 0.0;
	bool rises = true;

	heat_start(&heat, 240.0);
	is_exactly(heat_throttles_at(&heat, 40.0, 240.0, 80.0, 3600.0), INFINITY,
			   "nothing is known before a report");
	for (int i = 0; i < 400; i++)
	{
		double watts = 40.0 + i * 37 % 200;

		heat_report(&heat, (HeatReport){i * 3600.0, watts, NAN, 30.0 + 0.25 * watts}, true);
	}
	/* 80 degrees at 200 W */
	is_near(heat_throttles_at(&heat, 40.0, 240.0, 79.0, 3600.0), 0.8, 0.01,
			"the first tenth that is past the point");
	is_near(heat_throttles_at(&heat, 0.0, NAN, 79.0, 3600.0), 0.9, 0.11,
			"by the model's own powers, where none are known");
	is_exactly(heat_throttles_at(&heat, 40.0, 240.0, 95.0, 3600.0), INFINITY,
			   "never, if full power is not enough");
	is_exactly(heat_throttles_at(&heat, 40.0, 240.0, 35.0, 3600.0), 0.0,
			   "idle power may be too much");
	for (double point = 35.0; point < 90.0; point += 1.0)
	{
		double share = heat_throttles_at(&heat, 40.0, 240.0, point, 3600.0);

		rises = rises && share >= before;
		before = share;
	}
	ok(rises, "a higher point is reached later");
}

int
main(void)
{
	test_learns_law();
	test_hours();
	test_robust();
	test_changes();
	test_without_learning();
	test_adopt();
	test_utilisation();
	test_nonsense();
	test_sanity();
	test_factor();
	test_throttles_at();
	return done_testing();
}
