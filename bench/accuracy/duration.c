/*
 * duration.c
 *		Prints how well durations are predicted that were never seen, on what
 *		networks took on 21 devices (data/device_latency) and training jobs on
 *		three GPUs (data/gavel).
 *
 *	duration LATENCIES THROUGHPUTS [networks [seeds]]
 *
 * Latencies: each family of devices in turn is left out, a GPU with all its batch
 * sizes, what the networks took on the others is learned as a stream, then ten random networks on the new device;
 * the other networks are predicted on it.  Throughputs: a random third of the
 * pairs of job and GPU is hidden, the others are learned, once each in random
 * order.  Both once more with one run in twenty wrong by a factor of ten, and
 * devices that change their speed.  Means over seeds.  Exits with 1 where a
 * target is missed.
 */
#include <ctype.h>
#include <stdio.h>

#include "model/duration.h"

#define MOST_MODELS 5000
#define MOST_DEVICES 64
#define MOST_RUNS 1024
#define MOST_FAMILIES 256
#define SAMPLES 10
#define FORMULA 1.0

#define TARGET_RANK 0.93
#define TARGET_LATENCY 0.08
#define TARGET_THROUGHPUT 0.15
#define TARGET_COVERED 0.9

/* How the runs of a stream follow each other. */
typedef enum Order
{
	SHUFFLED,
	BY_DEVICE,
	BY_MODEL
} Order;

typedef struct Verdict
{
	double rank; /* Spearman's */
	double error; /* median of the absolute relative ones */
	double covered; /* share that is not above the P90 */
	double least_covered; /* of the devices */
	double mean_error; /* of the baseline: the device's mean so far */
	double formula_error; /* and of the plain formula, with the mean of all runs as its estimate */
} Verdict;

static int nmodels;
static int ndevices;
static int nfamilies;
static char model_names[MOST_MODELS][64];
static char device_names[MOST_DEVICES][64];
static char family_names[MOST_FAMILIES][64];
static int family_of[MOST_MODELS];
static double size_of[MOST_MODELS];
static int kind_of[MOST_DEVICES]; /* the first device of its family */
static double took[MOST_MODELS][MOST_DEVICES]; /* NAN: not measured */

static DurationPool pool;
static DurationType type;
static DurationFamily families[MOST_FAMILIES];
static DurationModel models[MOST_MODELS];
static DurationDevice devices[MOST_DEVICES];
static DurationWorker workers[MOST_DEVICES];
static DurationDevice *numbered[MOST_DEVICES];
static double log_sum[MOST_DEVICES + 1]; /* of what each took, and all */
static int log_count[MOST_DEVICES + 1];

static uint64_t seed;

static double
random_unit(void)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (double) ((seed * UINT64_C(0x2545F4914F6CDD1D)) >> 11) / 9007199254740992.0;
}

static void
shuffle(int *a, int n)
{
	for (int i = n - 1; i > 0; i--)
	{
		int j = (int) (random_unit() * (i + 1));
		int swap = a[i];

		a[i] = a[j];
		a[j] = swap;
	}
}

/* Returns the number of a name, adding it where it is new. */
static int
number_of(char (*names)[64], int *count, int most, const char *name)
{
	for (int i = 0; i < *count; i++)
		if (strcmp(names[i], name) == 0)
			return i;
	if (*count == most || strlen(name) >= 64)
		exit(2);
	strcpy(names[*count], name);
	return (*count)++;
}

static FILE *
open_table(const char *path, char *line, int size)
{
	FILE *file = fopen(path, "r");

	if (file == NULL || fgets(line, size, file) == NULL)
	{
		perror(path);
		exit(2);
	}
	nmodels = ndevices = nfamilies = 0;
	for (int m = 0; m < MOST_MODELS; m++)
		for (int d = 0; d < MOST_DEVICES; d++)
			took[m][d] = NAN;
	return file;
}

/* Names the families of all models. */
static void
find_families(void)
{
	for (int m = 0; m < nmodels; m++)
	{
		char family[64];

		size_of[m] = duration_family(model_names[m], family, sizeof(family));
		family_of[m] = number_of(family_names, &nfamilies, MOST_FAMILIES, family);
	}
}

/*
 * Sets the families of devices: those that differ only in what the name has last and begins
 * with a digit, a batch size or a model of one series.
 */
static void
find_device_families(void)
{
	for (int d = 0; d < ndevices; d++)
	{
		const char *last = strrchr(device_names[d], '_');
		int length = last != NULL && isdigit((unsigned char) last[1]) ? last - device_names[d] : 64;

		kind_of[d] = d;
		for (int e = d - 1; e >= 0; e--)
			if (strncmp(device_names[d], device_names[e], length) == 0 &&
				(length == 64 || strchr(device_names[e] + length, '_') == device_names[e] + length))
				kind_of[d] = kind_of[e];
	}
}

static void
read_latencies(const char *path, int networks)
{
	char line[4096];
	FILE *file = open_table(path, line, sizeof(line));

	strtok(line, ",\r\n");
	for (char *name; (name = strtok(NULL, ",\r\n")) != NULL;)
		number_of(device_names, &ndevices, MOST_DEVICES, name);
	while (nmodels < networks && fgets(line, sizeof(line), file) != NULL)
	{
		snprintf(model_names[nmodels], sizeof(model_names[0]), "network %s", strtok(line, ","));
		for (int d = 0; d < ndevices; d++)
			took[nmodels][d] = atof(strtok(NULL, ",\r\n"));
		nmodels++;
	}
	fclose(file);
	find_families();
	find_device_families();
}

/* Reads what jobs took on one GPU; where GPUs are spread makes no difference then. */
static void
read_throughputs(const char *path)
{
	char line[512];
	FILE *file = open_table(path, line, sizeof(line));

	while (fgets(line, sizeof(line), file) != NULL)
	{
		char *device = strtok(line, ",");
		char *model = strtok(NULL, ",");
		int gpus = atoi(strtok(NULL, ","));
		double throughput = atof(strtok(NULL, ",\r\n"));

		if (gpus == 1 && throughput > 0 && strstr(device, "_unconsolidated") == NULL)
		{
			int d = number_of(device_names, &ndevices, MOST_DEVICES, device);

			took[number_of(model_names, &nmodels, MOST_MODELS, model)][d] = 1000 / throughput;
		}
	}
	fclose(file);
	find_families();
}

static void
forget_all(void)
{
	memset(&pool, 0, sizeof(pool));
	memset(&type, 0, sizeof(type));
	memset(families, 0, sizeof(families));
	memset(models, 0, sizeof(models));
	memset(devices, 0, sizeof(devices));
	memset(workers, 0, sizeof(workers));
	memset(numbered, 0, sizeof(numbered));
	memset(log_sum, 0, sizeof(log_sum));
	memset(log_count, 0, sizeof(log_count));
}

static DurationRecords
records_of(int m, int d)
{
	DurationRecords r = {&pool,		 &type,		   &families[family_of[m]],
						 &models[m], &devices[d],  &workers[d],
						 numbered,	 MOST_DEVICES, size_of[m]};

	return r;
}

static void
learn(int m, int d, double outliers)
{
	DurationRecords r = records_of(m, d);
	double seconds = took[m][d];

	if (random_unit() < outliers)
		seconds *= random_unit() < 0.5 ? 10 : 0.1;
	duration_learn(&r, FORMULA, seconds);
	numbered[(int) devices[d].number - 1] = &devices[d];
	log_sum[d] += log(seconds);
	log_count[d]++;
	log_sum[MOST_DEVICES] += log(seconds);
	log_count[MOST_DEVICES]++;
}

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return (x > y) - (x < y);
}

static double
median(const double *values, int n)
{
	static double sorted[MOST_MODELS];

	memcpy(sorted, values, sizeof(double) * n);
	qsort(sorted, n, sizeof(double), compare_doubles);
	return (sorted[n / 2] + sorted[(n - 1) / 2]) / 2;
}

/* Sets the ranks of values; equal ones share theirs. */
static void
rank(const double *values, int n, double *ranks)
{
	static double sorted[MOST_MODELS];

	memcpy(sorted, values, sizeof(double) * n);
	qsort(sorted, n, sizeof(double), compare_doubles);
	for (int i = 0; i < n; i++)
	{
		double *first = bsearch(&values[i], sorted, n, sizeof(double), compare_doubles);
		double *last = first;

		while (first > sorted && first[-1] == values[i])
			first--;
		while (last < sorted + n - 1 && last[1] == values[i])
			last++;
		ranks[i] = (first - sorted + (last - sorted)) / 2.0;
	}
}

static double
spearman(const double *a, const double *b, int n)
{
	static double ranks_a[MOST_MODELS];
	static double ranks_b[MOST_MODELS];
	double middle = (n - 1) / 2.0;
	double ab = 0;
	double aa = 0;
	double bb = 0;

	rank(a, n, ranks_a);
	rank(b, n, ranks_b);
	for (int i = 0; i < n; i++)
	{
		ab += (ranks_a[i] - middle) * (ranks_b[i] - middle);
		aa += (ranks_a[i] - middle) * (ranks_a[i] - middle);
		bb += (ranks_b[i] - middle) * (ranks_b[i] - middle);
	}
	return aa > 0 && bb > 0 ? ab / sqrt(aa * bb) : 0;
}

/* Adds to a verdict what is predicted for pairs (model * ndevices + device). */
static void
judge(const int *pairs, int n, Verdict *sum)
{
	static double predicted[MOST_MODELS];
	static double truth[MOST_MODELS];
	static double errors[3][MOST_MODELS];
	int covered = 0;

	for (int i = 0; i < n; i++)
	{
		int d = pairs[i] % ndevices;
		DurationRecords r = records_of(pairs[i] / ndevices, d);
		DurationEstimate e = duration_predict(&r, FORMULA);
		double overall = exp(log_sum[MOST_DEVICES] / log_count[MOST_DEVICES]);

		predicted[i] = e.p50;
		truth[i] = took[pairs[i] / ndevices][d];
		covered += truth[i] <= e.p90;
		errors[0][i] = fabs(e.p50 / truth[i] - 1);
		errors[1][i] =
			fabs((log_count[d] ? exp(log_sum[d] / log_count[d]) : overall) / truth[i] - 1);
		errors[2][i] = fabs(overall / truth[i] - 1);
	}
	sum->rank += spearman(predicted, truth, n);
	sum->error += median(errors[0], n);
	sum->mean_error += median(errors[1], n);
	sum->formula_error += median(errors[2], n);
	sum->covered += (double) covered / n;
}

/* Learns what all networks took on all devices but those of a family. */
static void
learn_others(int left_out, Order order, double outliers)
{
	static int runs[MOST_MODELS * MOST_DEVICES];
	int n = 0;

	if (order == BY_DEVICE)
	{
		for (int d = 0; d < ndevices; d++)
			for (int m = 0; m < nmodels; m++)
				if (left_out < 0 || kind_of[d] != kind_of[left_out])
					runs[n++] = m * ndevices + d;
	}
	else
		for (int m = 0; m < nmodels; m++)
			for (int d = 0; d < ndevices; d++)
				if (left_out < 0 || kind_of[d] != kind_of[left_out])
					runs[n++] = m * ndevices + d;
	if (order == SHUFFLED)
		shuffle(runs, n);
	for (int i = 0; i < n; i++)
		learn(runs[i] / ndevices, runs[i] % ndevices, outliers);
}

/* Predicts each device after ten runs; returns the mean, and that of each if asked for. */
static Verdict
new_devices(Order order, double outliers, int seeds, bool print)
{
	static int networks[MOST_MODELS];
	Verdict total = {0};

	for (int d = 0; d < ndevices; d++)
	{
		Verdict sum = {0};

		for (int s = 0; s < seeds; s++)
		{
			forget_all();
			learn_others(d, order, outliers);
			for (int m = 0; m < nmodels; m++)
				networks[m] = m * ndevices + d;
			shuffle(networks, nmodels);
			for (int i = 0; i < SAMPLES; i++)
				learn(networks[i] / ndevices, d, outliers);
			judge(networks + SAMPLES, nmodels - SAMPLES, &sum);
		}
		if (print)
			printf("  %-20s %8.3f %7.1f %% %7.1f %% %9.1f %%\n", device_names[d], sum.rank / seeds,
				   100 * sum.error / seeds, 100 * sum.mean_error / seeds,
				   100 * sum.covered / seeds);
		total.rank += sum.rank / seeds / ndevices;
		total.error += sum.error / seeds / ndevices;
		total.mean_error += sum.mean_error / seeds / ndevices;
		total.covered += sum.covered / seeds / ndevices;
		total.least_covered =
			d == 0 ? sum.covered / seeds : fmin(total.least_covered, sum.covered / seeds);
	}
	return total;
}

/* Hides a third of the pairs and predicts them. */
static Verdict
hidden_pairs(double outliers, int seeds)
{
	Verdict total = {0};

	for (int s = 0; s < seeds; s++)
	{
		int pairs[MOST_RUNS];
		int n = 0;

		forget_all();
		for (int m = 0; m < nmodels; m++)
			for (int d = 0; d < ndevices; d++)
				if (!isnan(took[m][d]) && n < MOST_RUNS)
					pairs[n++] = m * ndevices + d;
		shuffle(pairs, n);
		for (int i = n / 3; i < n; i++)
			learn(pairs[i] / ndevices, pairs[i] % ndevices, outliers);
		judge(pairs, n / 3, &total);
	}
	total.error /= seeds;
	total.mean_error /= seeds;
	total.formula_error /= seeds;
	total.covered /= seeds;
	return total;
}

/*
 * Returns the median error on a device that takes so many times as long as it
 * did, after so many runs since.
 */
static double
after_change(double factor, int runs, int seeds)
{
	static double errors[MOST_MODELS];
	double sum = 0;

	for (int s = 0; s < seeds; s++)
	{
		int d = (int) (random_unit() * ndevices);

		forget_all();
		learn_others(-1, SHUFFLED, 0);
		for (int i = 0; i < runs; i++)
		{
			int m = (int) (random_unit() * nmodels);
			DurationRecords r = records_of(m, d);

			duration_learn(&r, FORMULA, factor * took[m][d]);
		}
		for (int m = 0; m < nmodels; m++)
		{
			DurationRecords r = records_of(m, d);

			errors[m] = fabs(duration_predict(&r, FORMULA).p50 / (factor * took[m][d]) - 1);
		}
		sum += median(errors, nmodels) / seeds;
	}
	return sum;
}

static bool
print_latencies(int seeds)
{
	static const struct
	{
		const char *name;
		Order order;
		double outliers;
	} streams[] = {{"in random order", SHUFFLED, 0},
				   {"device by device", BY_DEVICE, 0},
				   {"network by network", BY_MODEL, 0},
				   {"random, 5 % outliers", SHUFFLED, 0.05}};
	const int orders = 3; /* without outliers */
	double rank = 0;
	bool met = true;

	printf(
		"Ten runs on a new device, %d networks on the devices of all other families as a stream; mean"
		" over %d devices and %d seeds (targets: rank %.2f, error %.0f %%, within P90 %.0f %% on"
		" each):\n",
		nmodels, ndevices, seeds, TARGET_RANK, 100 * TARGET_LATENCY, 100 * TARGET_COVERED);
	printf("  %-20s %8s %9s %9s %11s\n", "", "Spearman", "error", "its mean", "within P90");
	for (size_t i = 0; i < lengthof(streams); i++)
	{
		Verdict v = new_devices(streams[i].order, streams[i].outliers, seeds, false);

		printf("  %-20s %8.3f %7.1f %% %7.1f %% %9.1f %%\n", streams[i].name, v.rank, 100 * v.error,
			   100 * v.mean_error, 100 * v.covered);
		met = met && v.error <= TARGET_LATENCY;
		if (streams[i].outliers == 0)
			rank += v.rank / orders;
	}
	printf("  %-20s %8.3f\n", "mean, no outliers", rank);
	met = met && rank >= TARGET_RANK;
	printf("Each device, in random order:\n");
	met = new_devices(SHUFFLED, 0, seeds, true).least_covered >= TARGET_COVERED && met;
	printf("Median error on a device that changes, before and after 5, 10 and 20 more runs:\n");
	for (double factor = 0.25; factor <= 4; factor *= factor < 0.9 ? 2 : factor < 1.1 ? 1.2 : 2)
	{
		double last = after_change(factor, 20, seeds);

		printf("  takes %4.2f times as long: %5.1f %% %5.1f %% %5.1f %% %5.1f %%\n", factor,
			   100 * after_change(factor, 0, seeds), 100 * after_change(factor, 5, seeds),
			   100 * after_change(factor, 10, seeds), 100 * last);
		met = met && last <= TARGET_LATENCY;
	}
	return met;
}

static bool
print_throughputs(int seeds)
{
	bool met = true;

	printf("A third of the pairs of %d jobs and %d GPUs hidden; mean over %d seeds (target: error"
		   " %.0f %%):\n",
		   nmodels, ndevices, seeds, 100 * TARGET_THROUGHPUT);
	printf("  %-20s %9s %9s %9s %11s\n", "", "error", "GPU mean", "formula", "within P90");
	for (int outliers = 0; outliers < 2; outliers++)
	{
		Verdict v = hidden_pairs(0.05 * outliers, seeds);

		printf("  %-20s %7.1f %% %7.1f %% %7.1f %% %9.1f %%\n", outliers ? "5 % outliers" : "clean",
			   100 * v.error, 100 * v.mean_error, 100 * v.formula_error, 100 * v.covered);
		met = met && (outliers > 0 || v.error < TARGET_THROUGHPUT);
	}
	return met;
}

int
main(int argc, char **argv)
{
	int networks = argc > 3 ? atoi(argv[3]) : 500;
	int seeds = argc > 4 ? atoi(argv[4]) : 2;
	bool met;

	if (argc < 3 || networks <= SAMPLES || networks > MOST_MODELS || seeds < 1)
	{
		fprintf(stderr, "usage: %s LATENCIES THROUGHPUTS [networks [seeds]]\n", argv[0]);
		return 2;
	}
	seed = UINT64_C(0x9E3779B97F4A7C15);
	read_latencies(argv[1], networks);
	met = print_latencies(seeds);
	read_throughputs(argv[2]);
	met = print_throughputs(100 * seeds) && met;
	return met ? 0 : 1;
}
