/*
 * decision_detail.c
 *		What is kept of a decision with its assignment: how the policy scored the place that
 *		was chosen, and the best of the others.
 *
 * A decision is written down thousands at a time and read when somebody asks, so it is kept
 * as bytes: a version, the number of the policy's parts and whether another place was scored;
 * the parts with their weights; their scores and values, for the one place and then for the
 * other; and of the other its score, device and worker.
 */
#include "postgres.h"

#include "libpq/pqformat.h"
#include "port/pg_bswap.h"
#include "utils/regproc.h"

#include "snapshot/decision_detail.h"
#include "support/columns.h"

#define DETAIL_VERSION 1

/* How the value of a part is put into words: of this place, and the extreme of all. */
static const char *const factor_formats[] = {
	[ALGORITHM_HARDWARE_AWARE] = "worth %1$s, the best %2$s",
	[ALGORITHM_PRIORITY] = "what it did so far, as its priority counts it",
	[ALGORITHM_ROUND_ROBIN] = "its turn among the candidates, longest ago first",
	[ALGORITHM_WEIGHTED_ROUND_ROBIN] = "what its load leaves",
	[ALGORITHM_PERFORMANCE] = "what it did so far, less its load",
	[ALGORITHM_AFFINITY] = "1 where the model ran last, 0.5 for its family",
	[ALGORITHM_PACKING] = "share of what the work asks for that is then in use",
	[ALGORITHM_FRAGMENTATION] = "how little it leaves that is of no use to other work",
	[ALGORITHM_FILLING] = "how little it leaves that is of no use to other work",
	[ALGORITHM_ENERGY] = "%1$s J, the least %2$s J",
	[ALGORITHM_COST] = "costs %1$s, the least %2$s",
	[ALGORITHM_PREDICTED_TIME] = "%1$s s, the least %2$s s",
	[ALGORITHM_OBJECTIVE] = "as the objective weighs it",
	[ALGORITHM_FUNCTION] = "what the function returned",
};

/* Returns the name of the algorithm of a factor. */
const char *
factor_name(const Factor *factor)
{
	return factor->algorithm == ALGORITHM_FUNCTION ? format_procedure(factor->function) :
													 algorithm_traits[factor->algorithm].name;
}

/* Returns in words where the score of a factor comes from; NULL: nobody knows any more. */
const char *
factor_text(const Factor *factor)
{
	Scale scale = algorithm_traits[factor->algorithm].scale;
	double extreme = factor->value;

	if (scale == SCALE_NONE)
		return factor_formats[factor->algorithm];
	if (isnan(factor->value))
		return NULL;
	if (factor->score > 0)
		extreme =
			scale == SCALE_GREATEST ? factor->value / factor->score : factor->value * factor->score;
	return psprintf(factor_formats[factor->algorithm], psprintf("%.4g", factor->value),
					psprintf("%.4g", extreme));
}

/* The bytes of a decision while they are written; there is room for all. */
typedef struct ByteWriter
{
	char *at;
} ByteWriter;

static void
put_byte(ByteWriter *writer, int byte)
{
	*writer->at++ = (char) byte;
}

static void
put_int(ByteWriter *writer, uint32 number)
{
	number = pg_hton32(number);
	memcpy(writer->at, &number, sizeof(number));
	writer->at += sizeof(number);
}

static void
put_float(ByteWriter *writer, double number)
{
	union
	{
		float number;
		uint32 bits;
	} value = {.number = (float) number};

	put_int(writer, value.bits);
}

static void
put_scores(ByteWriter *writer, const PartScore *scores, int count)
{
	for (int p = 0; p < count; p++)
	{
		put_float(writer, scores[p].score);
		put_float(writer, scores[p].value);
	}
}

/*
 * Returns what is to be kept of the decision for a placement, as a bytea, with or without the
 * best of the other places; 0 if nothing is known.
 */
Datum
decision_detail_write(const PoolSnapshot *snapshot, const Placement *placement, bool with_second)
{
	const Search *search = &snapshot->search;
	const Policy *policy = search->kinds[snapshot->items[placement->item].kind].policy;
	const Scored *scored = &placement->scored;
	const PartScore *parts = scored->parts >= 0 ? &search->part_scores[scored->parts] : NULL;
	bool has_second = with_second && parts != NULL && scored->second_worker >= 0;
	const char *worker_id =
		has_second ? snapshot->fleet.workers[scored->second_worker].worker_id : "";
	int length = strlen(worker_id) + 1;
	PartScore only;
	ByteWriter writer;
	bytea *bytes;

	if (policy->nparts > 255)
		return (Datum) 0;
	if (parts == NULL)
	{
		/* of one part the score tells all; only hardware_aware keeps its value */
		if (policy->nparts > 1)
			return (Datum) 0;
		only.score = placement->score / policy->parts[0].weight;
		only.value =
			policy->parts[0].algorithm == ALGORITHM_HARDWARE_AWARE ? placement->value : NAN;
		parts = &only;
	}
	bytes = palloc(VARHDRSZ + 16 + 32 * policy->nparts + length);
	writer.at = VARDATA(bytes);
	put_byte(&writer, DETAIL_VERSION);
	put_byte(&writer, policy->nparts);
	put_byte(&writer, has_second);
	for (int p = 0; p < policy->nparts; p++)
	{
		const PolicyPart *part = &policy->parts[p];

		put_byte(&writer, part->algorithm);
		put_float(&writer, part->weight);
		if (part->algorithm == ALGORITHM_FUNCTION)
			put_int(&writer, snapshot->policies.functions[part->function].info.fn_oid);
	}
	put_scores(&writer, parts, policy->nparts);
	if (has_second)
	{
		put_scores(&writer, parts + policy->nparts, policy->nparts);
		put_float(&writer, scored->second_score);
		put_int(&writer, placement->ndevices > 1 ?
							 (uint32) -1 :
							 snapshot->fleet.devices[scored->second_device].device_no);
		memcpy(writer.at, worker_id, length);
		writer.at += length;
	}
	SET_VARSIZE(bytes, writer.at - (char *) bytes);
	return PointerGetDatum(bytes);
}

/* Reads a number as it was before it was kept in fewer digits. */
static double
read_float(StringInfo bytes)
{
	float number = pq_getmsgfloat4(bytes);
	char text[32];

	snprintf(text, sizeof(text), "%.7g", number);
	return strtod(text, NULL);
}

static Factor *
read_scores(StringInfo bytes, const Factor *parts, int count)
{
	Factor *factors = palloc(sizeof(Factor) * (count + 1));

	for (int p = 0; p < count; p++)
	{
		factors[p] = parts[p];
		factors[p].score = read_float(bytes);
		factors[p].value = read_float(bytes);
	}
	return factors;
}

/* Reads what was kept of a decision; nothing of what another version has written. */
DecisionDetail
decision_detail_read(bytea *stored)
{
	DecisionDetail detail = {0};
	StringInfoData bytes;
	bool has_second;
	Factor *parts;
	int32 device_no;

	initStringInfo(&bytes);
	appendBinaryStringInfo(&bytes, VARDATA_ANY(stored), VARSIZE_ANY_EXHDR(stored));
	if (bytes.len == 0 || pq_getmsgbyte(&bytes) != DETAIL_VERSION)
		return detail;
	detail.nfactors = pq_getmsgbyte(&bytes);
	has_second = pq_getmsgbyte(&bytes) != 0;
	parts = palloc0(sizeof(Factor) * (detail.nfactors + 1));
	for (int p = 0; p < detail.nfactors; p++)
	{
		int algorithm = pq_getmsgbyte(&bytes);

		parts[p].algorithm = Min(algorithm, (int) ALGORITHM_FUNCTION);
		parts[p].weight = read_float(&bytes);
		if (parts[p].algorithm == ALGORITHM_FUNCTION)
			parts[p].function = pq_getmsgint(&bytes, 4);
	}
	detail.chosen = read_scores(&bytes, parts, detail.nfactors);
	if (!has_second)
		return detail;
	detail.second = read_scores(&bytes, parts, detail.nfactors);
	detail.second_score = read_float(&bytes);
	device_no = (int32) pq_getmsgint(&bytes, 4);
	detail.second_ndevices = device_no >= 0;
	detail.second_device_nos = palloc(sizeof(int32));
	detail.second_device_nos[0] = device_no;
	detail.second_worker = pstrdup(pq_getmsgrawstring(&bytes));
	return detail;
}
