/*
 * change_point.c
 *		Whether, and since when, runs take longer or shorter than they did; see
 *		model/change_point.h for the method.
 *
 * Each worker has a window of its last runs, and all workers together have one.  A change of one
 * worker is none of the device profile, nor the other way round: once a change is found, what ran
 * before it is taken out of the windows that it explains.
 */
#include "model/change_point.h"

/*
 * A change is certain from this many standard deviations on.  The statistic is a maximum over
 * some hundred moments, run after run: see the test for what that makes of it.
 */
#define CERTAIN 4.4
/* Of a device profile, so much has to be left without the worker that says most. */
#define OTHERS_AGREE 2.5
/* A window has at most twice as many runs as this; then it forgets the older half. */
#define WINDOW 128
/* From so many runs before and after a change their seconds are worked out. */
#define LEVEL_RUNS 64
/* A change of the device profile is also that of a worker found so many runs earlier. */
#define SAME_CHANGE 32

/* The last runs of a worker, or of all. */
typedef struct Window
{
	int count;
	int runs[2 * WINDOW]; /* as indexes */
	double ranks[2 * WINDOW]; /* each among those of its stratum, from 1 */
} Window;

/* What is the same for all windows. */
typedef struct Detector
{
	const ChangeRun *runs;
	int *in_stratum; /* runs of the window; zeros between two looks */
	int *since; /* of these, after the moment */
	double *said; /* sum of scores, by worker; zeros between two looks */
	int nchanges;
	int allocated;
	ChangePoint *changes;
} Detector;

/* The moment at which a window has most likely changed. */
typedef struct Suspicion
{
	int place; /* of the first run after it, in the window */
	double deviations; /* positive: slower since then */
} Suspicion;

/* --- windows --- */

/* Adds a run to a window that has room. */
static void
window_append(Window *window, const ChangeRun *runs, int run)
{
	double rank = 1;

	for (int i = 0; i < window->count; i++)
	{
		const ChangeRun *other = &runs[window->runs[i]];

		if (other->stratum != runs[run].stratum)
			continue;
		if (other->value < runs[run].value)
			rank += 1;
		else if (other->value > runs[run].value)
			window->ranks[i] += 1;
		else
		{
			rank += 0.5;
			window->ranks[i] += 0.5;
		}
	}
	window->runs[window->count] = run;
	window->ranks[window->count++] = rank;
}

/* Takes the runs before one out of a window: of one worker, or of all (-1). */
static void
window_forget(Window *window, const ChangeRun *runs, int before, int worker)
{
	Window old = *window;

	window->count = 0;
	for (int i = 0; i < old.count; i++)
		if (old.runs[i] >= before || (worker >= 0 && runs[old.runs[i]].worker != worker))
			window_append(window, runs, old.runs[i]);
}

/* Adds a run to a window, which forgets old ones when it is full. */
static void
window_add(Window *window, const ChangeRun *runs, int run)
{
	if (window->count == 2 * WINDOW)
		window_forget(window, runs, window->runs[WINDOW], -1);
	window_append(window, runs, run);
}

/* --- the statistic --- */

/*
 * Returns a run's score: its rank as a share of its stratum, -0.5 to 0.5 (van Elteren's weights),
 * so that scores add up to 0 over each stratum.
 */
static double
run_score(const Detector *detector, const Window *window, int place)
{
	int stratum = detector->runs[window->runs[place]].stratum;

	return window->ranks[place] / (detector->in_stratum[stratum] + 1) - 0.5;
}

/* Returns the variance of the sum of scores of some runs of a stratum, drawn by chance. */
static double
stratum_variance(int in_stratum, int since)
{
	return (double) since * (in_stratum - since) / (12.0 * (in_stratum + 1));
}

/* Counts the runs of each stratum of a window. */
static void
count_strata(Detector *detector, const Window *window)
{
	for (int i = 0; i < window->count; i++)
		detector->in_stratum[detector->runs[window->runs[i]].stratum]++;
}

/* Puts the counts back to zeros. */
static void
uncount_strata(Detector *detector, const Window *window)
{
	for (int i = 0; i < window->count; i++)
	{
		int stratum = detector->runs[window->runs[i]].stratum;

		detector->in_stratum[stratum] = detector->since[stratum] = 0;
	}
}

/* Returns by how much the variance grows when one more run of a stratum is after the moment. */
static double
move_run(Detector *detector, int stratum)
{
	int n = detector->in_stratum[stratum];
	int since = detector->since[stratum]++;

	return stratum_variance(n, since + 1) - stratum_variance(n, since);
}

/* Looks for the moment at which a window has most likely changed. */
static Suspicion
suspect(Detector *detector, const Window *window)
{
	Suspicion most = {0, 0};
	double sum = 0;
	double variance = 0;

	count_strata(detector, window);
	for (int i = window->count - 1; i > 0; i--)
	{
		sum += run_score(detector, window, i);
		variance += move_run(detector, detector->runs[window->runs[i]].stratum);
		if (variance > 1e-9 && sum * sum > most.deviations * most.deviations * variance)
			most = (Suspicion){i, sum / sqrt(variance)};
	}
	uncount_strata(detector, window);
	return most;
}

/*
 * Returns how many standard deviations the runs since a moment are from those before when a
 * worker is left out; 0 where nothing is left to compare.
 */
static double
deviations_without(Detector *detector, const Window *window, int place, int worker)
{
	double sum = 0;
	double variance = 0;

	count_strata(detector, window);
	for (int i = window->count - 1; i >= place; i--)
	{
		const ChangeRun *run = &detector->runs[window->runs[i]];

		if (run->worker == worker)
			continue;
		sum += run_score(detector, window, i);
		variance += move_run(detector, run->stratum);
	}
	uncount_strata(detector, window);
	return variance > 1e-9 ? sum / sqrt(variance) : 0;
}

/* Returns the worker whose runs since a moment say most for the change. */
static int
loudest_worker(Detector *detector, const Window *window, const Suspicion *suspicion)
{
	int loudest = detector->runs[window->runs[suspicion->place]].worker;

	count_strata(detector, window);
	for (int i = suspicion->place; i < window->count; i++)
	{
		int worker = detector->runs[window->runs[i]].worker;
		double score = run_score(detector, window, i);

		detector->said[worker] += suspicion->deviations > 0 ? score : -score;
	}
	for (int i = suspicion->place; i < window->count; i++)
	{
		int worker = detector->runs[window->runs[i]].worker;

		if (detector->said[worker] > detector->said[loudest])
			loudest = worker;
	}
	for (int i = suspicion->place; i < window->count; i++)
		detector->said[detector->runs[window->runs[i]].worker] = 0;
	uncount_strata(detector, window);
	return loudest;
}

/* Returns whether several workers have changed, and not one of them. */
static bool
several_changed(Detector *detector, const Window *window, const Suspicion *suspicion)
{
	double others = deviations_without(detector, window, suspicion->place,
									   loudest_worker(detector, window, suspicion));

	return suspicion->deviations > 0 ? others > OTHERS_AGREE : others < -OTHERS_AGREE;
}

/* --- changes --- */

static void
add_change(Detector *detector, int worker, int run, int found, bool slower)
{
	if (detector->nchanges == detector->allocated)
	{
		detector->allocated = Max(16, 2 * detector->allocated);
		detector->changes =
			detector->changes == NULL ?
				palloc(sizeof(ChangePoint) * detector->allocated) :
				repalloc(detector->changes, sizeof(ChangePoint) * detector->allocated);
	}
	/* which way it went stands in for the seconds until these are worked out */
	detector->changes[detector->nchanges++] =
		(ChangePoint){worker, run, found, slower ? 0 : 1, slower ? 1 : 0};
}

/* Takes back changes of workers that turn out to be those of the device profile. */
static void
absorb_changes(Detector *detector, int run, bool slower)
{
	int kept = 0;

	for (int i = 0; i < detector->nchanges; i++)
	{
		const ChangePoint *change = &detector->changes[i];

		if (change->worker < 0 || change->run < run - SAME_CHANGE ||
			(change->after_seconds > change->before_seconds) != slower)
			detector->changes[kept++] = *change;
	}
	detector->nchanges = kept;
}

/* Moves on with a run, in the window of its worker and in that of all. */
static void
detect(Detector *detector, Window *workers, int nworkers, Window *all, int run)
{
	int worker = detector->runs[run].worker;
	Suspicion suspicion;

	window_add(&workers[worker], detector->runs, run);
	if (nworkers > 1)
	{
		window_add(all, detector->runs, run);
		suspicion = suspect(detector, all);
		if (fabs(suspicion.deviations) > CERTAIN && several_changed(detector, all, &suspicion))
		{
			int first = all->runs[suspicion.place];

			absorb_changes(detector, first, suspicion.deviations > 0);
			add_change(detector, -1, first, run, suspicion.deviations > 0);
			for (int w = 0; w < nworkers; w++)
				window_forget(&workers[w], detector->runs, first, -1);
			window_forget(all, detector->runs, first, -1);
			return;
		}
	}
	suspicion = suspect(detector, &workers[worker]);
	if (fabs(suspicion.deviations) > CERTAIN)
	{
		int first = workers[worker].runs[suspicion.place];

		add_change(detector, worker, first, run, suspicion.deviations > 0);
		window_forget(&workers[worker], detector->runs, first, -1);
		window_forget(all, detector->runs, first, worker);
	}
}

/* --- levels --- */

static int
compare_numbers(const void *a, const void *b)
{
	double x = *(const double *) a;
	double y = *(const double *) b;

	return (x > y) - (x < y);
}

/* Returns the median of some numbers, which it sorts; 0 of none. */
static double
median(double *numbers, int count)
{
	if (count == 0)
		return 0;
	qsort(numbers, count, sizeof(double), compare_numbers);
	return (numbers[(count - 1) / 2] + numbers[count / 2]) / 2;
}

/*
 * Collects up to LEVEL_RUNS runs that a change is about, from one on in steps of 1 or -1 until
 * the next change; returns how many.
 */
static int
runs_beside(const Detector *detector, int count, const ChangePoint *change, int from, int step,
			int *beside)
{
	int n = 0;

	for (int run = from; run >= 0 && run < count && n < LEVEL_RUNS; run += step)
	{
		int worker = detector->runs[run].worker;
		bool is_other = false;

		for (int i = 0; i < detector->nchanges && !is_other; i++)
		{
			const ChangePoint *other = &detector->changes[i];

			/* a run before which, or with which, something changed */
			is_other = other != change && (other->worker < 0 || other->worker == worker) &&
					   (step > 0 ? other->run > change->run && other->run <= run :
								   other->run < change->run && other->run > run);
		}
		if (is_other && change->worker >= 0)
			break;
		if (!is_other && (change->worker < 0 || change->worker == worker))
			beside[n++] = run;
	}
	return n;
}

/*
 * Sets what the runs took before a change and take since: the median of those before, and times
 * the median of the ratios of all pairs of a stratum (the shift of Hodges and Lehmann, 1963).
 */
static void
set_levels(const Detector *detector, int count, ChangePoint *change)
{
	int before[LEVEL_RUNS];
	int after[LEVEL_RUNS];
	double seconds[LEVEL_RUNS];
	int nbefore = runs_beside(detector, count, change, change->run - 1, -1, before);
	int nafter = runs_beside(detector, count, change, change->run, 1, after);
	double *shifts = palloc(sizeof(double) * (nbefore * nafter + 1));
	int n = 0;

	for (int i = 0; i < nbefore; i++)
	{
		seconds[i] = detector->runs[before[i]].seconds;
		for (int j = 0; j < nafter; j++)
			if (detector->runs[before[i]].stratum == detector->runs[after[j]].stratum)
				shifts[n++] = detector->runs[after[j]].value - detector->runs[before[i]].value;
	}
	change->before_seconds = median(seconds, nbefore);
	change->after_seconds = change->before_seconds * exp(median(shifts, n));
	pfree(shifts);
}

static int
compare_changes(const void *a, const void *b)
{
	const ChangePoint *x = a;
	const ChangePoint *y = b;

	return x->run != y->run ? (x->run > y->run) - (x->run < y->run) :
							  (x->worker > y->worker) - (x->worker < y->worker);
}

/*
 * Finds the changes in runs of one type of work on one device profile, which are in the order in
 * which they ended.  Returns how many, and sets *changes (NULL: none), in the order of time.
 */
int
find_change_points(const ChangeRun *runs, int count, int nworkers, int nstrata,
				   ChangePoint **changes)
{
	Detector detector = {.runs = runs};
	Window *workers = palloc_huge(sizeof(Window) * (nworkers + 1));

	detector.in_stratum = palloc0(sizeof(int) * (nstrata + 1));
	detector.since = palloc0(sizeof(int) * (nstrata + 1));
	detector.said = palloc0(sizeof(double) * (nworkers + 1));
	for (int w = 0; w <= nworkers; w++)
		workers[w].count = 0;
	for (int run = 0; run < count; run++)
	{
		CHECK_FOR_INTERRUPTS();
		detect(&detector, workers, nworkers, &workers[nworkers], run);
	}
	pfree(detector.in_stratum);
	pfree(detector.since);
	pfree(detector.said);
	pfree(workers);
	for (int i = 0; i < detector.nchanges; i++)
		set_levels(&detector, count, &detector.changes[i]);
	if (detector.nchanges > 1)
		qsort(detector.changes, detector.nchanges, sizeof(ChangePoint), compare_changes);
	*changes = detector.changes;
	return detector.nchanges;
}
