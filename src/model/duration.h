/*
 * duration.h
 *		How long work takes, learned from the runs that completed.  Pure.
 *
 * What is modelled is the logarithm of a run's seconds over what the profiles'
 * formula says (model/formula.h), so 0 is the answer while nothing is known:
 *
 *		log(actual / formula) =
 *			h(device) . (1, z(model)) + pair + shift(device) + shift(worker) + noise
 *
 * z are the latent factors of a model: the first starts as plain "longer
 * everywhere", the others as what differs between devices.  h are a device
 * profile's loadings: its own level, and how much each factor counts there.
 * The models of a family resemble each other, the more the closer they are in
 * the number in their names (a batch size, parameters): a Gaussian process over
 * the family's last samples.  Device profiles have a common distribution in the
 * pool, so that a new one is known after a few runs.
 *
 * The state is six kinds of small records, which are all double; in each, zeros
 * are a record that knows nothing:
 *
 *		record			key besides the pool		numbers
 *		DurationPool								17
 *		DurationType	workload_type				5
 *		DurationFamily	workload_type, family		10, and 5 per sample, 24 at most
 *		DurationModel	workload_type, model_id		6, and 6 per device profile, 32 at most
 *		DurationDevice	device profile				38
 *		DurationWorker	worker_id, device profile	6
 *
 * A completed run changes one of each kind (and looks at two other device
 * profiles again), in constant time: some 25 microseconds.  A table keeps each
 * as its key and one float8[] in the order of the struct, cut behind the last
 * sample or pair (model/duration_array.c).  Device profiles are referred to by the
 * number that they are given with their first run; those named by samples and
 * pairs have to be read as well, and written if they have changed.
 */
#ifndef HWSCHED_MODEL_DURATION_H
#define HWSCHED_MODEL_DURATION_H

#include "support/matrix.h"

#define DURATION_FACTORS 3
#define DURATION_LOADINGS (1 + DURATION_FACTORS)
/* On how many device profiles a model is remembered: the last ones. */
#define DURATION_PAIRS 32
/* How many pairs of its models a family remembers: the last ones. */
#define DURATION_SAMPLES 24

/* What the pool's device profiles have in common. */
typedef struct DurationPool
{
	double runs;
	double numbers; /* given to device profiles so far */
	double devices; /* that are in these sums */
	double loadings[DURATION_LOADINGS];
	double products[TRIANGLE(DURATION_LOADINGS)];
} DurationPool;

typedef struct DurationType
{
	double runs;
	double level; /* mean of what its models ran first */
	double noise; /* squares of repeated runs about their mean */
	double noise_weight;
	double quantile; /* standard deviations up to the P90 beyond those of a normal distribution */
} DurationType;

/* A pair of a model and a device profile, as the family remembers it. */
typedef struct DurationSample
{
	double model; /* its number in the family */
	double size; /* of that model */
	double device; /* number of the device profile */
	double weight;
	double mean;
} DurationSample;

typedef struct DurationFamily
{
	double models; /* that have run; numbers them */
	double runs;
	double center[DURATION_FACTORS]; /* mean of the factors of what ran */
	double spread[DURATION_FACTORS]; /* squares of how far they are from the family */
	double next; /* the sample to overwrite when there is no room */
	double nsamples;
	DurationSample samples[DURATION_SAMPLES];
} DurationFamily;

/* What is known of a model on one device profile. */
typedef struct DurationPair
{
	double device; /* number of the device profile */
	double weight; /* runs; old ones and outliers count less */
	double mean; /* of log(actual / formula) less the shifts */
	double streak; /* surprises in a row that agree */
	double last; /* the last of them */
	double used; /* the pool's runs at its last one */
} DurationPair;

typedef struct DurationModel
{
	double number; /* in its family, from 1; 0: has not run */
	double size; /* as duration_family says; kept from the first run */
	double spread[DURATION_FACTORS]; /* what it has added to its family's */
	double npairs;
	DurationPair pairs[DURATION_PAIRS];
} DurationModel;

/* A level that stays where it is until there is evidence that it moved. */
typedef struct DurationShift
{
	double runs;
	double level;
	double variance;
	double slower; /* evidence that it has risen */
	double faster; /* or fallen */
	double last; /* how far the last run was from what was expected */
} DurationShift;

typedef struct DurationDevice
{
	double number; /* in the pool, from 1; 0: has not run */
	double weight; /* of the runs in its regression on the factors */
	double precision[TRIANGLE(DURATION_LOADINGS)];
	double information[DURATION_LOADINGS];
	double square;
	double noise; /* variance about that regression */
	double loadings[DURATION_LOADINGS]; /* what it comes to, and has added to the pool's */
	double covariance[TRIANGLE(DURATION_LOADINGS)];
	DurationShift shift;
} DurationDevice;

typedef struct DurationWorker
{
	DurationShift shift;
} DurationWorker;

/* The kinds of records, in the order of hwsched.duration_kind. */
typedef enum DurationKind
{
	DURATION_POOL,
	DURATION_TYPE,
	DURATION_FAMILY,
	DURATION_MODEL,
	DURATION_DEVICE,
	DURATION_WORKER
} DurationKind;

/*
 * The records a run is about; none is NULL.  devices[number - 1] are the device
 * profiles that model and family name, this one among them; NULL where it is
 * not known (any more).
 */
typedef struct DurationRecords
{
	DurationPool *pool;
	DurationType *type;
	DurationFamily *family;
	DurationModel *model;
	DurationDevice *device;
	DurationWorker *worker;
	DurationDevice *const *devices;
	int ndevices;
	double size; /* in the model's name; NAN: none */
} DurationRecords;

/* What is known of the factors of a model. */
typedef struct DurationFactors
{
	double mean[DURATION_FACTORS];
	double covariance[TRIANGLE(DURATION_FACTORS)];
} DurationFactors;

typedef struct DurationEstimate
{
	double p50; /* seconds */
	double p90;
} DurationEstimate;

/*
 * The first is the same whatever the device and worker, and costs the most: who
 * estimates a model on many of them does it once.
 */
extern void duration_expect(const DurationRecords *records, DurationFactors *expected);
extern DurationEstimate duration_estimate(const DurationRecords *records,
										  const DurationFactors *expected, double formula_seconds);
extern DurationEstimate duration_predict(const DurationRecords *records, double formula_seconds);
extern double duration_usual(const DurationRecords *records, double formula_seconds);
extern void duration_learn(const DurationRecords *records, double formula_seconds,
						   double actual_seconds);
extern double duration_family(const char *model_id, char *family, Size family_size);

#endif /* HWSCHED_MODEL_DURATION_H */
