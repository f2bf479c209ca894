/*
 * bin_packing.c
 *		What bins, of several types and costs, hold many requests at the least cost: vector bin
 *		packing.
 *
 * First prices are found of what bins have, by type and dimension, such that those of a bin come
 * to its cost and the requests, each in the type where it is cheapest, are worth the most: the
 * dual of the linear program in which requests may be split.  What they are worth is a lower bound
 * of any packing's cost.  The prices are found by mirror ascent with entropy (Nemirovski and
 * Yudin, 1983): what is asked for most becomes dearer.
 *
 * Then bins are filled, each around the largest request that is left, with what leaves the least
 * of its room, dear room counting more (Panigrahy, Talwar, Uyeda and Wieder: Heuristics for Vector
 * Bin Packing, 2011).  In the first passes requests go into the types where the linear program has
 * them, and each bin takes of all dimensions in proportion: so small requests come near the bound.
 * In the others a bin's type is the one in which what it holds is worth the most for its cost, what
 * requests are worth following what they came to cost before (Belov and Scheithauer's sequential
 * value correction): so requests that are large beside bins find others that go with them.  Bins
 * that are not worth their cost are emptied into others, or exchanged for cheaper ones, and the
 * cheapest packing counts.
 */
#include "place/bin_packing.h"

/* Steps of the ascent. */
#define PRICE_STEPS 100

/* Times that the bins are filled, each time by what requests came to cost before. */
#define PASSES 4

/* In the first of them requests stay where the linear program has them. */
#define PLANNED_PASSES 2

/* How much room counts there by what is asked for of it; the rest, by its price. */
static const double counts_by_demand[PLANNED_PASSES] = {0.3, 1};

/* What costs no more than this times the bound needs no better packing. */
#define GOOD_ENOUGH 1.01

/* So many requests that fit are compared before one is taken, and so many looked at. */
#define MOST_COMPARED 12
#define MOST_COMPARED_AS_PLANNED 100
#define MOST_SEEN 2000

/* A request that costs no more than this times as much as where it is cheapest is at home. */
#define AT_HOME 1.02

/* So much dearer may the type of a bin be for the request around which it is filled. */
#define NEAR_HOME 1.3

/* So much more than its part of what is left may a bin take, as not all goes together. */
#define AMPLY 1.03

/* A bin that holds more is not emptied. */
#define MOST_MOVED 64

/* What may be lacking for want of exactness. */
#define TINY 1e-6

/* A bin that might be filled next: requests, one by one. */
typedef struct Draft
{
	int count;
	int allocated;
	int32 *requests;
	double worth;
} Draft;

/* A request, and how large it is in a type: by the weights of what it takes. */
typedef struct Sized
{
	int32 request;
	float size;
	float price; /* there */
} Sized;

/* The requests that fit into a type, the largest first. */
typedef struct Fitting
{
	int count; /* what is still to be packed, and some that is not */
	Sized *left;
} Fitting;

typedef struct Packer
{
	const PackingProblem *problem;
	int ndims; /* of all types */
	double *prices; /* by dimension */
	uint16 *picks; /* by request and type: how often it was the cheapest */
	double *weights; /* the same, of a bin's cost, with something for what is cheap */
	int32 *home_types; /* by request: its cheapest type */
	int32
		*planned; /* by request and type: how many of those left go there; NULL: no plan is kept */
	float *homes; /* by request: what it costs in its cheapest type; INFINITY: it fits into none */
	float *worths; /* by request: what it came to cost so far */
	int32 *left; /* by request: how many are to be packed */
	Fitting *fitting; /* by type */
	int nanchors;
	Sized *anchors; /* requests, the largest in its cheapest type first */
	Draft *drafts; /* by type */
	double *room; /* by dimension of a type: of one bin */
	double *wanted; /* the same: how much of that the bin is to fill */
	double *ahead; /* by dimension: what is at home in its type and left, in bins */
	Packing *packing;
	int bins_allocated;
	int npacked;
} Packer;

static const float *
shares_of(const PackingProblem *problem, int request)
{
	return &problem->shares[(Size) request * problem->dims[problem->ntypes]];
}

/* --- prices --- */

/* Returns what a request costs in a type; INFINITY: it does not fit. */
static double
price_in(const PackingProblem *problem, const double *prices, int request, int type)
{
	const float *shares = shares_of(problem, request);
	double price = 0;

	for (int d = problem->dims[type]; d < problem->dims[type + 1]; d++)
	{
		if (!(shares[d] <= 1 + TINY))
			return INFINITY;
		price += prices[d] * shares[d];
	}
	return problem->dims[type] < problem->dims[type + 1] ? price : INFINITY;
}

/*
 * Returns what all requests cost, each in its cheapest type, sets *load to what they ask for there,
 * by dimension, and counts in picks, unless that is NULL, which type it was, by request and type.
 */
static double
cheapest(const PackingProblem *problem, const double *prices, double *load, uint16 *picks)
{
	double total = 0;

	memset(load, 0, sizeof(double) * problem->dims[problem->ntypes]);
	for (int r = 0; r < problem->nrequests; r++)
	{
		const float *shares = shares_of(problem, r);
		double least = INFINITY;
		int best = -1;

		for (int t = 0; t < problem->ntypes; t++)
		{
			double price = price_in(problem, prices, r, t);

			if (price < least)
			{
				least = price;
				best = t;
			}
		}
		if (best < 0)
			continue;
		total += problem->counts[r] * least;
		if (picks != NULL)
			picks[(Size) r * problem->ntypes + best]++;
		for (int d = problem->dims[best]; d < problem->dims[best + 1]; d++)
			load[d] += (double) problem->counts[r] * shares[d];
	}
	return total;
}

/*
 * Finds the prices, and the mean of where requests went on the way, which is a solution of the
 * linear program, or near it; returns the bound that the prices prove.
 */
static double
find_prices(Packer *packer)
{
	const PackingProblem *problem = packer->problem;
	double *prices = palloc0(sizeof(double) * (packer->ndims + 1));
	double *load = palloc0(sizeof(double) * (packer->ndims + 1));
	double best = -1;

	for (int t = 0; t < problem->ntypes; t++)
		for (int d = problem->dims[t]; d < problem->dims[t + 1]; d++)
			prices[d] = problem->costs[t] / (problem->dims[t + 1] - problem->dims[t]);
	for (int step = 0; step < PRICE_STEPS; step++)
	{
		double total =
			cheapest(problem, prices, load, step < PRICE_STEPS / 2 ? NULL : packer->picks);
		double stride = 3 / sqrt(step + 1.0);

		CHECK_FOR_INTERRUPTS();
		if (total > best)
		{
			best = total;
			memcpy(packer->prices, prices, sizeof(double) * packer->ndims);
		}
		if (total <= 0)
			break;
		for (int t = 0; t < problem->ntypes; t++)
		{
			double sum = 0;

			for (int d = problem->dims[t]; d < problem->dims[t + 1]; d++)
			{
				prices[d] *= exp(stride * problem->costs[t] * load[d] / total);
				/* what nobody asks for now may be asked for at other prices */
				prices[d] = fmax(prices[d], 1e-9 * problem->costs[t]);
				sum += prices[d];
			}
			for (int d = problem->dims[t]; d < problem->dims[t + 1]; d++)
				prices[d] *= problem->costs[t] / sum;
		}
	}
	pfree(prices);
	pfree(load);
	return fmax(best, 0);
}

/* --- bins --- */

static int
compare_sized(const void *a, const void *b)
{
	const Sized *x = a;
	const Sized *y = b;

	if (x->size != y->size)
		return x->size > y->size ? -1 : 1;
	return x->request - y->request;
}

/* Returns how large a request is in a type into which it fits: 1 is as large as a bin. */
static double
weighed(const Packer *packer, int request, int type)
{
	const PackingProblem *problem = packer->problem;
	const float *shares = shares_of(problem, request);
	double size = 0;

	for (int d = problem->dims[type]; d < problem->dims[type + 1]; d++)
		size += packer->weights[d] * shares[d];
	return size;
}

/* Lists the requests that fit into a type. */
static void
list_fitting(Packer *packer, int type)
{
	const PackingProblem *problem = packer->problem;
	Fitting *fitting = &packer->fitting[type];

	fitting->count = 0;
	for (int r = 0; r < problem->nrequests; r++)
	{
		double price = price_in(problem, packer->prices, r, type);

		if (!isinf(price))
			fitting->left[fitting->count++] =
				(Sized){r, (float) weighed(packer, r, type), (float) price};
	}
	qsort(fitting->left, fitting->count, sizeof(Sized), compare_sized);
}

/* Takes what has been packed from the list of a type. */
static void
tidy_fitting(Packer *packer, int type)
{
	Fitting *fitting = &packer->fitting[type];
	int n = 0;

	for (int i = 0; i < fitting->count; i++)
		if (packer->left[fitting->left[i].request] > 0)
			fitting->left[n++] = fitting->left[i];
	fitting->count = n;
}

/* Returns the first of the list of a type that is no larger than a size. */
static int
first_of_size(const Fitting *fitting, double size)
{
	int low = 0;
	int high = fitting->count;

	while (low < high)
	{
		int middle = low + (high - low) / 2;

		if (fitting->left[middle].size > size + TINY)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Returns whether a request belongs into a type: as planned, or as it is cheapest there. */
static bool
is_at_home(const Packer *packer, const Sized *sized, int type)
{
	if (packer->planned != NULL)
		return packer->planned[(Size) sized->request * packer->problem->ntypes + type] > 0;
	return sized->price <= packer->homes[sized->request] * AT_HOME;
}

/* Notes that so many more of a request are to be packed, as if one of a type were taken out. */
static void
change_left(Packer *packer, int request, int type, int by)
{
	packer->left[request] += by;
	if (packer->planned != NULL)
		packer->planned[(Size) request * packer->problem->ntypes + type] += by;
}

/*
 * Returns which request goes into a bin next: of those that fit, the one that leaves least of what
 * the bin is to fill; -1: none fits, or it would leave more.
 */
static int
next_for_bin(const Packer *packer, int type, bool at_home)
{
	const PackingProblem *problem = packer->problem;
	const Fitting *fitting = &packer->fitting[type];
	int first = problem->dims[type];
	int last = problem->dims[type + 1];
	double room = 0;
	double least = 0;
	int best = -1;
	int compared = 0;
	int most = packer->planned != NULL ? MOST_COMPARED_AS_PLANNED : MOST_COMPARED;
	int start;
	int end;

	for (int d = first; d < last; d++)
	{
		double wanted = packer->wanted[d - first];

		room += packer->weights[d] * packer->room[d - first];
		least += packer->weights[d] * wanted * wanted;
	}
	start = first_of_size(fitting, room);
	end = Min(fitting->count, start + MOST_SEEN);
	for (int i = start; i < end && compared < most; i++)
	{
		int r = fitting->left[i].request;
		const float *shares = shares_of(problem, r);
		double left = 0;
		bool fits =
			packer->left[r] > 0 && (!at_home || is_at_home(packer, &fitting->left[i], type));

		for (int d = first; d < last && fits; d++)
		{
			double after = packer->wanted[d - first] - shares[d];

			fits = packer->room[d - first] - shares[d] >= -TINY;
			left += packer->weights[d] * after * after;
		}
		if (!fits)
			continue;
		compared++;
		if (left < least)
		{
			least = left;
			best = r;
		}
	}
	return best;
}

static void
take_room(const Packer *packer, int type, int request, double *room)
{
	const PackingProblem *problem = packer->problem;
	const float *shares = shares_of(problem, request);

	for (int d = problem->dims[type]; d < problem->dims[type + 1]; d++)
		room[d - problem->dims[type]] -= shares[d];
}

/* Adds one of a request to the draft of a bin. */
static void
add_to_draft(Packer *packer, int type, int request)
{
	Draft *draft = &packer->drafts[type];

	if (draft->count == draft->allocated)
	{
		draft->allocated = Max(16, draft->allocated * 2);
		draft->requests =
			draft->requests == NULL ?
				palloc(sizeof(int32) * draft->allocated) :
				repalloc_huge(draft->requests, sizeof(int32) * (Size) draft->allocated);
	}
	draft->requests[draft->count++] = request;
	draft->worth += packer->worths[request];
	change_left(packer, request, type, -1);
	take_room(packer, type, request, packer->room);
	take_room(packer, type, request, packer->wanted);
}

/*
 * Fills a draft of a bin of a type around a request; what it takes stays to be packed.  Of what is
 * at home there it takes its part of each dimension, so that what goes with the rest is there for
 * the next bins, too; then, unless there is a plan, whatever fits.
 */
static void
fill_draft(Packer *packer, int type, int anchor)
{
	const PackingProblem *problem = packer->problem;
	Draft *draft = &packer->drafts[type];
	int first = problem->dims[type];
	int last = problem->dims[type + 1];
	double bins = 0;
	int r;

	draft->count = 0;
	draft->worth = 0;
	for (int d = first; d < last; d++)
		bins = fmax(bins, packer->ahead[d]);
	for (int d = first; d < last; d++)
	{
		packer->room[d - first] = 1;
		packer->wanted[d - first] = bins > 1 ? Min(1, AMPLY * packer->ahead[d] / bins) : 1;
	}
	add_to_draft(packer, type, anchor);
	while ((r = next_for_bin(packer, type, true)) >= 0)
		add_to_draft(packer, type, r);
	/* what was planned elsewhere stays there */
	if (packer->planned == NULL)
	{
		memcpy(packer->wanted, packer->room, sizeof(double) * (last - first));
		while ((r = next_for_bin(packer, type, false)) >= 0)
			add_to_draft(packer, type, r);
	}
	for (int i = 0; i < draft->count; i++)
		change_left(packer, draft->requests[i], type, 1);
}

/* Adds so many of a request to what is left at home in a type. */
static void
change_ahead(Packer *packer, int request, int type, double by)
{
	const PackingProblem *problem = packer->problem;
	const float *shares = shares_of(problem, request);

	for (int d = problem->dims[type]; d < problem->dims[type + 1]; d++)
		packer->ahead[d] = fmax(0, packer->ahead[d] + by * shares[d]);
}

static void
pack_into(Packer *packer, int bin, int request)
{
	Packing *packing = packer->packing;

	packing->packed[packer->npacked] = (PackedRequest){request, packing->bins[bin].first};
	packing->bins[bin].first = packer->npacked++;
}

/* Makes a bin of a draft. */
static void
keep_draft(Packer *packer, int type)
{
	Packing *packing = packer->packing;
	const Draft *draft = &packer->drafts[type];

	if (packing->nbins == packer->bins_allocated)
	{
		packer->bins_allocated = Max(64, packer->bins_allocated * 2);
		packing->bins =
			packing->bins == NULL ?
				palloc(sizeof(PackedBin) * packer->bins_allocated) :
				repalloc_huge(packing->bins, sizeof(PackedBin) * (Size) packer->bins_allocated);
	}
	packing->bins[packing->nbins] = (PackedBin){type, -1};
	for (int i = 0; i < draft->count; i++)
	{
		pack_into(packer, packing->nbins, draft->requests[i]);
		change_left(packer, draft->requests[i], type, -1);
		change_ahead(packer, draft->requests[i],
					 packer->planned != NULL ? type : packer->home_types[draft->requests[i]], -1);
	}
	packing->nbins++;
}

/* Fills bins around the largest request that is left, until none is. */
static void
fill_bins(Packer *packer, int64 count)
{
	const PackingProblem *problem = packer->problem;
	int64 packed = 0;
	int64 tidied = 0;

	for (int i = 0; i < packer->nanchors; i++)
	{
		int anchor = packer->anchors[i].request;

		while (packer->left[anchor] > 0)
		{
			double most = -1;
			int best = -1;

			CHECK_FOR_INTERRUPTS();
			if (packed - tidied > (count - tidied) / 8)
			{
				for (int t = 0; t < problem->ntypes; t++)
					tidy_fitting(packer, t);
				tidied = packed;
			}
			for (int t = 0; t < problem->ntypes; t++)
			{
				double price = price_in(problem, packer->prices, anchor, t);

				if (packer->planned != NULL ?
						packer->planned[(Size) anchor * problem->ntypes + t] <= 0 :
						price > packer->homes[anchor] * NEAR_HOME)
					continue;
				fill_draft(packer, t, anchor);
				if (packer->drafts[t].worth / problem->costs[t] > most)
				{
					most = packer->drafts[t].worth / problem->costs[t];
					best = t;
				}
			}
			packed += packer->drafts[best].count;
			keep_draft(packer, best);
		}
	}
}

/* --- what can be spared --- */

/* A bin and what it is worth for its cost. */
typedef struct Worth
{
	int32 bin;
	double worth;
} Worth;

static int
compare_worth(const void *a, const void *b)
{
	const Worth *x = a;
	const Worth *y = b;

	if (x->worth != y->worth)
		return x->worth < y->worth ? -1 : 1;
	return x->bin - y->bin;
}

/* Tries to put all that a bin holds into others, which are not less worth; it is then empty. */
static bool
empty_bin(Packer *packer, const Worth *order, int which, int nbins, double *rooms, int widest)
{
	const PackingProblem *problem = packer->problem;
	Packing *packing = packer->packing;
	PackedBin *bin = &packing->bins[order[which].bin];
	int32 moved[MOST_MOVED];
	int32 into[MOST_MOVED];
	int n = 0;
	bool all = true;

	for (int i = bin->first; i >= 0 && all; i = packing->packed[i].next)
	{
		int r = packing->packed[i].request;
		const float *shares = shares_of(problem, r);

		all = false;
		for (int o = which + 1; o < nbins && n < MOST_MOVED && !all; o++)
		{
			const PackedBin *other = &packing->bins[order[o].bin];
			const double *room = &rooms[(Size) order[o].bin * widest];
			int first = problem->dims[other->type];
			bool fits = true;

			for (int d = first; d < problem->dims[other->type + 1] && fits; d++)
				fits = shares[d] <= room[d - first] + TINY;
			if (!fits)
				continue;
			all = true;
			moved[n] = i;
			into[n++] = order[o].bin;
			take_room(packer, other->type, r, &rooms[(Size) order[o].bin * widest]);
		}
	}
	for (int i = 0; i < n && !all; i++)
	{
		const PackedBin *other = &packing->bins[into[i]];
		const float *shares = shares_of(problem, packing->packed[moved[i]].request);
		int first = problem->dims[other->type];

		for (int d = first; d < problem->dims[other->type + 1]; d++)
			rooms[(Size) into[i] * widest + d - first] += shares[d];
	}
	if (!all)
		return false;
	for (int i = 0; i < n; i++)
	{
		packing->packed[moved[i]].next = packing->bins[into[i]].first;
		packing->bins[into[i]].first = moved[i];
	}
	bin->first = -1;
	return true;
}

/* Exchanges a bin for one of the cheapest type that holds the same. */
static void
exchange_bin(Packer *packer, PackedBin *bin)
{
	const PackingProblem *problem = packer->problem;
	const Packing *packing = packer->packing;

	for (int t = 0; t < problem->ntypes; t++)
	{
		bool fits = problem->costs[t] < problem->costs[bin->type] - TINY;

		for (int d = problem->dims[t]; d < problem->dims[t + 1] && fits; d++)
		{
			double sum = 0;

			for (int i = bin->first; i >= 0; i = packing->packed[i].next)
				sum += shares_of(problem, packing->packed[i].request)[d];
			fits = sum <= 1 + TINY;
		}
		if (fits)
			bin->type = t;
	}
}

/* Empties bins that are not worth their cost into others, and exchanges others for cheaper ones. */
static void
spare_bins(Packer *packer)
{
	const PackingProblem *problem = packer->problem;
	Packing *packing = packer->packing;
	Worth *order = palloc_huge(sizeof(Worth) * (packing->nbins + 1));
	int widest = 1;
	double *rooms;
	int n = 0;

	for (int t = 0; t < problem->ntypes; t++)
		widest = Max(widest, problem->dims[t + 1] - problem->dims[t]);
	rooms = palloc_huge(sizeof(double) * ((Size) packing->nbins * widest + 1));
	for (int b = 0; b < packing->nbins; b++)
	{
		const PackedBin *bin = &packing->bins[b];
		double worth = 0;

		for (int d = 0; d < widest; d++)
			rooms[(Size) b * widest + d] = 1;
		for (int i = bin->first; i >= 0; i = packing->packed[i].next)
		{
			worth += packer->worths[packing->packed[i].request];
			take_room(packer, bin->type, packing->packed[i].request, &rooms[(Size) b * widest]);
		}
		order[b] = (Worth){b, worth / problem->costs[bin->type]};
	}
	qsort(order, packing->nbins, sizeof(Worth), compare_worth);
	/* those of full worth hold nothing that has room elsewhere */
	for (int w = 0; w < packing->nbins && order[w].worth < 0.95; w++)
	{
		CHECK_FOR_INTERRUPTS();
		if (!empty_bin(packer, order, w, packing->nbins, rooms, widest))
			exchange_bin(packer, &packing->bins[order[w].bin]);
	}
	for (int b = 0; b < packing->nbins; b++)
		if (packing->bins[b].first >= 0)
		{
			packing->bins[n++] = packing->bins[b];
			packing->cost += problem->costs[packing->bins[b].type];
		}
	packing->nbins = n;
	pfree(order);
	pfree(rooms);
}

/* --- passes --- */

/*
 * Plans where requests go: as their prices said on the way, in shares that are rounded so that they
 * are kept on the whole.
 */
static void
make_plan(Packer *packer)
{
	const PackingProblem *problem = packer->problem;

	Size cells = (Size) problem->nrequests * problem->ntypes + 1;

	packer->planned = memset(palloc_huge(sizeof(int32) * cells), 0, sizeof(int32) * cells);
	for (int r = 0; r < problem->nrequests; r++)
	{
		const uint16 *picks = &packer->picks[(Size) r * problem->ntypes];
		int32 *planned = &packer->planned[(Size) r * problem->ntypes];
		/* evenly spread, by the golden ratio */
		double begin = fmod(r * 0.6180339887498949, 1.0);
		double sum = 0;
		double so_far = 0;
		int32 given = 0;

		for (int t = 0; t < problem->ntypes; t++)
			sum += picks[t];
		if (sum == 0)
			planned[packer->home_types[r]] = packer->left[r];
		for (int t = 0; t < problem->ntypes && sum > 0; t++)
		{
			so_far += picks[t];
			planned[t] =
				picks[t] == 0 ? 0 :
				so_far == sum ? packer->left[r] - given :
								(int32) floor(packer->left[r] * so_far / sum + begin) - given;
			given += planned[t];
		}
	}
}

/* Works out what is at home in each type. */
static void
look_ahead(Packer *packer)
{
	const PackingProblem *problem = packer->problem;

	memset(packer->ahead, 0, sizeof(double) * packer->ndims);
	for (int r = 0; r < problem->nrequests; r++)
	{
		if (packer->left[r] == 0)
			continue;
		if (packer->planned == NULL)
			change_ahead(packer, r, packer->home_types[r], packer->left[r]);
		for (int t = 0; t < problem->ntypes && packer->planned != NULL; t++)
			if (packer->planned[(Size) r * problem->ntypes + t] > 0)
				change_ahead(packer, r, t, packer->planned[(Size) r * problem->ntypes + t]);
	}
}

/*
 * Forgets all bins.  Room counts by its price, and in passes that keep to the plan by how much of
 * it is asked for, too: what is cheap is lacking once it is used up.
 */
static void
begin_pass(Packer *packer, int pass)
{
	const PackingProblem *problem = packer->problem;
	double demand = pass < PLANNED_PASSES ? counts_by_demand[pass] : 0;

	packer->packing->nbins = 0;
	packer->packing->cost = 0;
	packer->npacked = 0;
	for (int r = 0; r < problem->nrequests; r++)
		packer->left[r] = isinf(packer->homes[r]) ? 0 : problem->counts[r];
	if (pass < PLANNED_PASSES)
		make_plan(packer);
	look_ahead(packer);
	for (int t = 0; t < problem->ntypes; t++)
	{
		double sum = 0;

		for (int d = problem->dims[t]; d < problem->dims[t + 1]; d++)
			sum += packer->ahead[d];
		for (int d = problem->dims[t]; d < problem->dims[t + 1]; d++)
			packer->weights[d] = (1 - demand) * packer->prices[d] / problem->costs[t] +
								 (sum > 0 ? demand * packer->ahead[d] / sum : 0);
		list_fitting(packer, t);
	}
	packer->nanchors = 0;
	for (int r = 0; r < problem->nrequests; r++)
		if (packer->left[r] > 0)
			packer->anchors[packer->nanchors++] =
				(Sized){r, (float) weighed(packer, r, packer->home_types[r]), packer->homes[r]};
	qsort(packer->anchors, packer->nanchors, sizeof(Sized), compare_sized);
}

/* Corrects what requests are worth by what they came to cost: a bin's cost is shared by worth. */
static void
correct_worths(Packer *packer)
{
	const PackingProblem *problem = packer->problem;
	const Packing *packing = packer->packing;
	double *paid = palloc0(sizeof(double) * (problem->nrequests + 1));

	for (int b = 0; b < packing->nbins; b++)
	{
		const PackedBin *bin = &packing->bins[b];
		double worth = 0;

		for (int i = bin->first; i >= 0; i = packing->packed[i].next)
			worth += packer->worths[packing->packed[i].request];
		for (int i = bin->first; i >= 0; i = packing->packed[i].next)
			paid[packing->packed[i].request] += problem->costs[bin->type] / worth;
	}
	for (int r = 0; r < problem->nrequests; r++)
		if (!isinf(packer->homes[r]))
			packer->worths[r] *= (float) ((1 + paid[r] / problem->counts[r]) / 2);
	pfree(paid);
}

/* Keeps a packing that is cheaper than the best so far. */
static void
keep_best(Packer *packer, Packing *best)
{
	Packing *packing = packer->packing;

	if (best->bins != NULL && best->cost <= packing->cost)
		return;
	if (best->bins != NULL)
	{
		pfree(best->bins);
		pfree(best->packed);
	}
	*best = *packing;
	best->bins = palloc_huge(sizeof(PackedBin) * (Size) (packing->nbins + 1));
	best->packed = palloc_huge(sizeof(PackedRequest) * (Size) (packer->npacked + 1));
	if (packing->nbins > 0)
		memcpy(best->bins, packing->bins, sizeof(PackedBin) * packing->nbins);
	memcpy(best->packed, packing->packed, sizeof(PackedRequest) * packer->npacked);
}

/*
 * Packs requests into bins of some types.  A request that fits into no type is left.  The same
 * problem always gets the same packing.
 */
void
bin_packing(const PackingProblem *problem, Packing *packing)
{
	Packer packer = {.problem = problem, .ndims = problem->dims[problem->ntypes]};
	Packing trial = {0};
	Size cells = (Size) problem->nrequests * problem->ntypes + 1;
	int64 count = 0;

	packer.packing = &trial;
	packer.prices = palloc0(sizeof(double) * (packer.ndims + 1));
	packer.room = palloc0(sizeof(double) * (packer.ndims + 1));
	packer.wanted = palloc0(sizeof(double) * (packer.ndims + 1));
	packer.ahead = palloc0(sizeof(double) * (packer.ndims + 1));
	packer.home_types = palloc_huge(sizeof(int32) * (problem->nrequests + 1));
	packer.homes = palloc_huge(sizeof(float) * (problem->nrequests + 1));
	packer.worths = palloc_huge(sizeof(float) * (problem->nrequests + 1));
	packer.left = palloc_huge(sizeof(int32) * (problem->nrequests + 1));
	packer.fitting = palloc0(sizeof(Fitting) * (problem->ntypes + 1));
	packer.drafts = palloc0(sizeof(Draft) * (problem->ntypes + 1));
	packer.weights = palloc0(sizeof(double) * (packer.ndims + 1));
	packer.picks = memset(palloc_huge(sizeof(uint16) * cells), 0, sizeof(uint16) * cells);
	trial.bound = find_prices(&packer);
	packer.anchors = palloc_huge(sizeof(Sized) * (problem->nrequests + 1));
	for (int r = 0; r < problem->nrequests; r++)
	{
		double least = INFINITY;

		packer.home_types[r] = 0;
		for (int t = 0; t < problem->ntypes; t++)
		{
			double price = price_in(problem, packer.prices, r, t);

			if (price < least)
			{
				least = price;
				packer.home_types[r] = t;
			}
		}
		packer.homes[r] = (float) least;
		/* what asks for nothing is worth something, so that it is packed */
		packer.worths[r] = (float) fmax(least, TINY);
		if (isinf(least))
			trial.left += problem->counts[r];
		else
			count += problem->counts[r];
	}
	trial.packed = palloc_huge(sizeof(PackedRequest) * (Size) (count + 1));
	for (int t = 0; t < problem->ntypes; t++)
		packer.fitting[t].left = palloc_huge(sizeof(Sized) * (problem->nrequests + 1));
	*packing = (Packing){0};
	for (int pass = 0; pass < PASSES; pass++)
	{
		begin_pass(&packer, pass);
		fill_bins(&packer, count);
		if (packer.planned != NULL)
			pfree(packer.planned);
		packer.planned = NULL;
		spare_bins(&packer);
		keep_best(&packer, packing);
		if (packing->cost <= packing->bound * GOOD_ENOUGH)
			break;
		correct_worths(&packer);
	}
	for (int t = 0; t < problem->ntypes; t++)
	{
		pfree(packer.fitting[t].left);
		if (packer.drafts[t].requests != NULL)
			pfree(packer.drafts[t].requests);
	}
	pfree(packer.fitting);
	pfree(packer.drafts);
	pfree(packer.anchors);
	pfree(packer.prices);
	pfree(packer.weights);
	pfree(packer.picks);
	pfree(packer.room);
	pfree(packer.wanted);
	pfree(packer.ahead);
	pfree(packer.homes);
	pfree(packer.home_types);
	pfree(packer.worths);
	pfree(packer.left);
	pfree(trial.packed);
	if (trial.bins != NULL)
		pfree(trial.bins);
}
