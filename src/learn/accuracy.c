/*
 * accuracy.c
 *		How well durations were foretold: by hour and type of work, sketches of
 *		the errors of predictions and, beside them, of the profiles' formula.
 */
#include "postgres.h"

#include "learn/accuracy.h"
#include "support/ddsketch_array.h"

/* What is foretold beyond this counts as this, so that sums and means stay numbers. */
#define MOST_SECONDS 1e10

/* What is added to one type of work. */
typedef struct Errors
{
	const char *workload_type;
	int64 runs;
	double predicted; /* sums of seconds */
	double formula;
	double actual;
	Sketch errors; /* as shares of the actual duration */
	Sketch formula_errors;
} Errors;

static Errors *
errors_of(Errors **list, int *count, const char *workload_type)
{
	for (int i = 0; i < *count; i++)
		if (strcmp(list[i]->workload_type, workload_type) == 0)
			return list[i];
	list[*count] = palloc0(sizeof(Errors));
	list[*count]->workload_type = workload_type;
	return list[(*count)++];
}

/*
 * Returns by what share of the actual duration a prediction was off; less than a thousandth
 * does not matter.
 */
static double
error_ratio(double predicted, double actual)
{
	return Max(0.001, fabs(predicted - actual) / actual);
}

/* Notes how far completed runs were from their predictions; the pool is locked. */
void
note_errors(const char *pool, const EndedAssignment *ended, int count)
{
	static SpiPlan statement = {
		"INSERT INTO hwsched.prediction_error AS e (pool, workload_type, hour, runs,"
		" predicted_seconds, formula_seconds,"
		"  actual_seconds, errors, formula_errors)"
		" SELECT $1, n.workload_type, date_trunc('hour', now(), 'UTC'), n.runs, n.predicted,"
		" n.formula, n.actual,"
		"  ($7)[n.first:n.last], ($10)[n.formula_first:n.formula_last]"
		" FROM unnest($2, $3, $4, $5, $6, $8, $9, $11, $12) n(workload_type, runs, predicted,"
		" formula, actual, first, last,"
		"  formula_first, formula_last)"
		" ON CONFLICT (pool, workload_type, hour) DO UPDATE SET runs = e.runs + EXCLUDED.runs,"
		"  predicted_seconds = e.predicted_seconds + (EXCLUDED.predicted_seconds -"
		" e.predicted_seconds)"
		"   * (EXCLUDED.runs::float8 / (e.runs + EXCLUDED.runs)),"
		"  formula_seconds = e.formula_seconds + (EXCLUDED.formula_seconds - e.formula_seconds)"
		"   * (EXCLUDED.runs::float8 / (e.runs + EXCLUDED.runs)),"
		"  actual_seconds = e.actual_seconds + (EXCLUDED.actual_seconds - e.actual_seconds)"
		"   * (EXCLUDED.runs::float8 / (e.runs + EXCLUDED.runs)),"
		"  errors = hwsched_internal.sketch_merge(e.errors, EXCLUDED.errors),"
		"  formula_errors = hwsched_internal.sketch_merge(e.formula_errors,"
		"   EXCLUDED.formula_errors)",
		{TEXTOID, TEXTARRAYOID, INT8ARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID, FLOAT8ARRAYOID,
		 INT8ARRAYOID, INT4ARRAYOID, INT4ARRAYOID, INT8ARRAYOID, INT4ARRAYOID, INT4ARRAYOID}};
	Errors **list = palloc(sizeof(Errors *) * (count + 1));
	int n = 0;
	const char **types;
	const Sketch **errors;
	const Sketch **formula_errors;
	Datum *columns[4];
	SketchArrays sketches;
	SketchArrays formula_sketches;

	for (int i = 0; i < count; i++)
	{
		double actual = ended[i].actual_seconds;
		Errors *of_type;

		if (!(actual > 0))
			continue;
		of_type = errors_of(list, &n, ended[i].workload_type);
		of_type->runs++;
		of_type->predicted += Min(ended[i].predicted_seconds, MOST_SECONDS);
		of_type->formula += Min(ended[i].formula_seconds, MOST_SECONDS);
		of_type->actual += actual;
		sketch_add(&of_type->errors, error_ratio(ended[i].predicted_seconds, actual));
		sketch_add(&of_type->formula_errors, error_ratio(ended[i].formula_seconds, actual));
	}
	if (n == 0)
		return;
	types = palloc(sizeof(char *) * n);
	errors = palloc(sizeof(Sketch *) * n);
	formula_errors = palloc(sizeof(Sketch *) * n);
	for (int c = 0; c < lengthof(columns); c++)
		columns[c] = palloc(sizeof(Datum) * n);
	for (int i = 0; i < n; i++)
	{
		types[i] = list[i]->workload_type;
		errors[i] = &list[i]->errors;
		formula_errors[i] = &list[i]->formula_errors;
		columns[0][i] = Int64GetDatum(list[i]->runs);
		columns[1][i] = Float8GetDatum(list[i]->predicted / list[i]->runs);
		columns[2][i] = Float8GetDatum(list[i]->formula / list[i]->runs);
		columns[3][i] = Float8GetDatum(list[i]->actual / list[i]->runs);
	}
	sketches = sketch_arrays(errors, n);
	formula_sketches = sketch_arrays(formula_errors, n);
	spi_plan_run(
		&statement, false, TEXT_VALUE(pool), text_array(types, n),
		array_value(INT8OID, columns[0], NULL, n), array_value(FLOAT8OID, columns[1], NULL, n),
		array_value(FLOAT8OID, columns[2], NULL, n), array_value(FLOAT8OID, columns[3], NULL, n),
		sketches.numbers, sketches.first, sketches.last, formula_sketches.numbers,
		formula_sketches.first, formula_sketches.last);
}
