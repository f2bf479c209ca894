/*
 * submission.c
 *		One document of requirements: what it amounts to, what is refused, and what is doubted.
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "api/submission.h"
#include "document/json.h"
#include "store/hardware.h"
#include "store/worker.h"

/* Refuses an allocation strategy that there is none of. */
static void
check_strategy(const WorkloadProfile *profile)
{
	if (strcmp(profile->allocation_strategy, "single") != 0 &&
		strcmp(profile->allocation_strategy, "sharded") != 0 &&
		strcmp(profile->allocation_strategy, "replicated") != 0)
		ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
						errmsg("allocation strategy \"%s\" is not supported in this version",
							   profile->allocation_strategy)));
}

/* Raises an error for a name that is empty or too long. */
static void
check_name(const char *name, const char *path, const char *key)
{
	if (name[0] == '\0' || strlen(name) > 1000)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for \"%s\": \"%.80s\"", document_path(path, key), name),
				 errdetail("Expected 1 to 1000 bytes."), errpath(document_path(path, key))));
}

/* Refuses times that would keep a workload from ever running, and unknown words. */
static void
check_conditions(const Requirements *read, const char *path)
{
	const char *word = read->on_failed_dependency;

	if (TIMESTAMP_IS_NOEND(read->run_at))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("invalid value for \"%s\": infinity", document_path(path, "run_at")),
				 errdetail("Expected a time that comes."), errpath(document_path(path, "run_at"))));
	if (read->expires_at <= read->run_at && !TIMESTAMP_IS_NOBEGIN(read->run_at))
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"%s\": %s", document_path(path, "expires_at"),
							   timestamptz_to_str(read->expires_at)),
						errdetail("Expected a time after \"run_at\", which is %s.",
								  pstrdup(timestamptz_to_str(read->run_at))),
						errpath(document_path(path, "expires_at"))));
	if (word != NULL && strcmp(word, "wait") != 0 && strcmp(word, "cancel") != 0 &&
		strcmp(word, "run") != 0)
		ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
						errmsg("invalid value for \"%s\": \"%s\"",
							   document_path(path, "on_failed_dependency"), word),
						errhint("It is one of: wait, cancel, run."),
						errpath(document_path(path, "on_failed_dependency"))));
}

/*
 * Reads and checks the requirements of a Submission, whose first three members are set; raises
 * an error for what submit() refuses.
 */
void
submission_read(void *argument)
{
	Submission *submission = argument;
	Requirements *read = &submission->read;
	const char *path = submission->path;

	infer_workload_profile(submission->requirements, path, submission->inspection, read,
						   &submission->profile);
	infer_demand(submission->requirements, path, submission->inspection, read, &submission->profile,
				 &submission->demand);
	check_strategy(&submission->profile);
	if (read->test_id != NULL)
		check_name(read->test_id, path, "test_id");
	for (int i = 0; i < read->concurrency_key.count; i++)
		check_name(read->concurrency_key.items[i].name, path, "concurrency_key");
	if (read->group != NULL)
		check_name(read->group, path, "group");
	if (read->spread_by != NULL)
		check_name(read->spread_by, path, "spread_by");
	/* an empty one is none */
	if (read->tenant != NULL && read->tenant[0] != '\0')
		check_name(read->tenant, path, "tenant");
	/* an empty one is none; a longer one would not fit into an index */
	if (read->model_id != NULL && read->model_id[0] != '\0')
		check_name(read->model_id, path, "model_id");
	if (read->model_family != NULL && read->model_family[0] != '\0')
		check_name(read->model_family, path, "model_family");
	check_conditions(read, path);
}

/* Warns of work that needs a larger device than the pool ever had. */
void
doubt_memory(const char *pool, int64 bytes, const char *path, Inspection *inspection)
{
	int64 greatest = bytes == 0 ? 0 : greatest_memory_below(pool, bytes, inspection->lists);

	if (greatest > 0)
		inspection_warn(inspection, document_path(path, "minimum_memory"),
						"It is a number of GB. The workload waits until such a device registers.",
						"\"%s\" is %.15g GB, and the largest device that the pool ever had has"
						" %.15g GB",
						document_path(path, "minimum_memory"), bytes / BYTES_PER_GB,
						greatest / BYTES_PER_GB);
}

/* Warns of labels that describe the work where they were probably meant to choose its worker. */
void
doubt_labels(const char *pool, Jsonb *requirements, const char *path, Inspection *inspection)
{
	Jsonb *labels = object_at(requirements, "labels");
	JsonbIterator *iterator;
	JsonbValue key;
	JsonbValue value;

	if (labels == NULL)
		return;
	iterator = JsonbIteratorInit(&labels->root);
	(void) JsonbIteratorNext(&iterator, &key, true);
	while (JsonbIteratorNext(&iterator, &key, true) == WJB_KEY)
	{
		const char *name = pnstrdup(key.val.string.val, key.val.string.len);
		const char *place = document_path(document_path(path, "labels"), name);

		(void) JsonbIteratorNext(&iterator, &value, true);
		if (is_label_name(pool, name, inspection->lists))
			inspection_warn(inspection, place, "\"required_labels\" chooses workers.",
							"\"%s\" describes the work and chooses no worker, though workers have"
							" a label of that name",
							place);
	}
}

/* Lists what submit() would find in requirements, and what it would infer from them. */
void
inspect_requirements(Jsonb *requirements, const char *pool, Inspection *inspection)
{
	Submission submission = {requirements, NULL, inspection};
	const WorkloadProfile *profile = &submission.profile;

	inspection_try(inspection, submission_read, &submission);
	doubt_memory(pool, profile->min_memory_bytes, NULL, inspection);
	doubt_labels(pool, requirements, NULL, inspection);
	if (submission.read.test_id == NULL)
		inspection_inform(inspection, "test_id", "is generated");
	if (profile->workload_type != NULL)
		inspection_inform(inspection, "test_type", "the workload type is %s",
						  profile->workload_type);
	if (profile->allocation_strategy != NULL && strcmp(profile->allocation_strategy, "single") != 0)
		inspection_inform(inspection, "allocation_strategy", "%s: %d to %d at once",
						  profile->allocation_strategy, gang_least(profile, &submission.demand),
						  gang_most(profile, &submission.demand));
}

/* Reads requirements as submit() does; returns false where it would refuse them. */
bool
requirements_read(Jsonb *requirements, WorkloadProfile *profile, Demand *demand)
{
	Inspection inspection;
	Submission submission = {requirements, NULL, &inspection};

	inspection_begin(&inspection, UNKNOWN_KEEP);
	inspection_list(&inspection);
	inspection_try(&inspection, submission_read, &submission);
	for (int i = 0; i < inspection.count; i++)
		if (strcmp(inspection.findings[i].severity, "error") == 0)
			return false;
	*profile = submission.profile;
	*demand = submission.demand;
	return true;
}
