/*
 * label.c
 *		Conditions on labels and versions.
 *
 * A label that is not there meets what only says what it must not be, as it does
 * among Kubernetes' selectors.  Bounds are inclusive.  Two numbers are compared as
 * numbers, everything else as versions; an upper bound with fewer parts covers all
 * that begin with it: 115.0.5790 is within "115".
 */
#include "document/label.h"
#include "document/version.h"

/* Returns whether two values are the same: of versions, whatever the spelling. */
static bool
same_value(const LabelValue *a, const LabelValue *b, bool version)
{
	return strcmp(a->text, b->text) == 0 || (!isnan(a->number) && a->number == b->number) ||
		   (version && version_compare(a->text, b->text) == 0);
}

static bool
among(const LabelValue *value, const LabelValues *values, bool version)
{
	for (int i = 0; i < values->count; i++)
		if (same_value(value, &values->items[i], version))
			return true;
	return false;
}

static bool
within_bounds(const LabelValue *value, const Condition *condition)
{
	const LabelValue *least = &condition->least;
	const LabelValue *most = &condition->most;

	if (least->text != NULL && (!isnan(value->number) && !isnan(least->number) ?
									value->number < least->number :
									version_compare(value->text, least->text) < 0))
		return false;
	return most->text == NULL || (!isnan(value->number) && !isnan(most->number) ?
									  value->number <= most->number :
									  version_within(value->text, most->text));
}

/* Returns whether values, 0 of them: the label is not there, meet a condition. */
static bool
values_meet(const LabelValues *values, const Condition *condition, bool version)
{
	bool asks =
		condition->any.count > 0 || condition->least.text != NULL || condition->most.text != NULL;

	if (condition->exists >= 0 && (values->count > 0) != (condition->exists == 1))
		return false;
	for (int i = 0; i < values->count; i++)
		if (among(&values->items[i], &condition->none, version))
			return false;
	for (int i = 0; i < values->count && asks; i++)
		if ((condition->any.count == 0 || among(&values->items[i], &condition->any, version)) &&
			within_bounds(&values->items[i], condition))
			return true;
	return !asks;
}

/* Returns whether a label's values, 0 of them: it is not there, meet a condition. */
bool
label_meets(const LabelValues *values, const Condition *condition)
{
	return values_meet(values, condition, false);
}

/* Returns the label of a name, or NULL. */
const Label *
label_named(const Labels *labels, const char *name)
{
	for (int i = 0; i < labels->count; i++)
		if (strcmp(labels->items[i].name, name) == 0)
			return &labels->items[i];
	return NULL;
}

/* Returns whether a version of a name, whatever its case, meets a condition. */
static bool
version_installed(const NamedTexts *installed, const Condition *condition)
{
	bool any = false;

	for (int i = 0; i < installed->count; i++)
	{
		LabelValue version = {installed->items[i].value, NAN};
		LabelValues values = {1, &version};

		if (!same_text(installed->items[i].name, condition->name))
			continue;
		any = true;
		if (values_meet(&values, condition, true))
			return true;
	}
	return !any && values_meet(&(LabelValues){0, NULL}, condition, true);
}

/* Returns whether what is installed meets each condition on software. */
bool
software_suffices(const NamedTexts *installed, const Conditions *conditions)
{
	for (int i = 0; i < conditions->count; i++)
		if (!version_installed(installed, &conditions->items[i]))
			return false;
	return true;
}
