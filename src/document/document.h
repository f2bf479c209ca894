/*
 * document.h
 *		The JSON documents of the SQL face, as tables of fields: one table says
 *		how a document is read, checked, written and which keys it knows.
 */
#ifndef HWSCHED_DOCUMENT_DOCUMENT_H
#define HWSCHED_DOCUMENT_DOCUMENT_H

#include "lib/stringinfo.h"
#include "utils/jsonb.h"

#include "document/taxonomy.h"
#include "support/compat.h"
#include "support/nearest.h"

/* The most that a number of seconds may say, 100 years: what is added to a time stays one. */
#define MOST_SECONDS 3153600000.0

typedef enum FieldKind
{
	FIELD_TEXT, /* const char *, as given */
	FIELD_WORD, /* const char *, a text, or "true" or "false" for a boolean */
	FIELD_NAME, /* const char *, lower-cased, a taxonomy name */
	FIELD_NAMES, /* NameSet of taxonomy names, lower-cased */
	FIELD_TEXTS, /* NameSet of texts, as and in the order given */
	FIELD_BOOLEAN, /* bool */
	FIELD_NEGATION, /* bool, the opposite of what is given: absent means true */
	FIELD_INTEGER, /* int32, a whole number */
	FIELD_BIGINT, /* int64, a whole number below 2^53 */
	FIELD_NUMBER, /* double */
	FIELD_SECONDS, /* double; a number of seconds or an interval, of at most MOST_SECONDS */
	FIELD_TIME, /* TimestampTz, in an int64 */
	FIELD_NUMBERS, /* NamedNumbers {name: number} */
	FIELD_UNITS, /* NamedNumbers in order; a text, [texts] (1 each) or {text: whole number} */
	FIELD_COUNTS, /* NamedNumbers {taxonomy name: whole number} */
	FIELD_TABLES, /* NamedTables {taxonomy name: {name: number}} */
	FIELD_VERSIONS, /* NamedTexts {name: text} */
	FIELD_LABELS, /* Labels {name: text, number, boolean or [texts]} */
	FIELD_CONDITIONS, /* Conditions {name: value, [values] or {min, max, not, exists}} */
	FIELD_SOFTWARE, /* the same, but a text is the least version */
	FIELD_OBJECT, /* nested document, a struct in place */
	FIELD_OPTION, /* the same, or false: then all of it is zeros */
	FIELD_LIST, /* DocumentList of nested documents */
	FIELD_MAP, /* DocumentMap {name: nested document} */
	FIELD_ANY_OBJECT, /* checked to be an object, not read */
	FIELD_ANY /* neither checked nor read */
} FieldKind;

struct Document;

typedef struct Field
{
	const char *key;
	FieldKind kind;
	size_t offset; /* in the struct the document is read into */
	TaxonomyKind names; /* of FIELD_NAME, FIELD_NAMES, FIELD_COUNTS, FIELD_TABLES */
	double least; /* of the numbers; both 0: not negative */
	double most;
	const struct Document *child; /* of FIELD_OBJECT, FIELD_OPTION, FIELD_LIST, FIELD_MAP */
	bool sparse; /* a number or boolean not written when 0 or false */
	const char *unit; /* of a number, for messages: "GB" */
	const char *hint; /* with the refusal of a number */
} Field;

typedef struct Document
{
	const char *name; /* as messages call it: "requirements" */
	size_t size; /* of the struct */
	const Field *fields;
	int nfields;
	void (*preset)(void *values); /* sets what absent means; may be NULL */
	bool open; /* it may have keys of the user's */
	const char *own; /* the key that those belong into, where it is not; NULL: none */
} Document;

/* The values of a FIELD_LIST, palloc'd one behind the other. */
typedef struct DocumentList
{
	int count;
	void *items;
} DocumentList;

/* The values of a FIELD_MAP in the order of the document, with their names. */
typedef struct DocumentMap
{
	int count;
	const char **names;
	void *items;
} DocumentMap;

/* Requirements: a test as a load balancer states it. */
typedef struct RequestedProperties
{
	int32 quorum;
	bool share_worker;
	bool checkpointable;
	bool mixed_accelerators;
	bool is_shardable;
	int32 min_shards;
	int32 max_shards;
	const char *allocation_strategy;
} RequestedProperties;

/* Attempts after the first, where a test does not say. */
#define DEFAULT_RETRIES 3

typedef struct Requirements
{
	const char *test_id;
	const char *test_type;
	const char *model_id;
	const char *model_family;
	double minimum_memory;
	double expected_duration;
	int32 priority;
	const char *required_backend;
	const char *preferred_backend;
	NamedNumbers required_accelerators;
	double accelerator_share;
	double cpu_cores;
	double host_memory;
	NameSet required_models;
	Conditions required_software;
	Conditions required_labels;
	Conditions preferred_labels;
	NameSet tolerations;
	bool exclusive;
	const char *group;
	bool group_apart;
	const char *spread_by;
	double timeout;
	double start_timeout; /* NAN: the pool's */
	int32 retries;
	NamedNumbers concurrency_key; /* keys and how much of each */
	const char *tenant;
	int64 deadline;
	int64 run_at; /* DT_NOBEGIN: at once */
	int64 expires_at; /* DT_NOEND: never */
	NameSet depends_on;
	const char *on_failed_dependency; /* wait, cancel or run; NULL: wait */
	RequestedProperties properties;
} Requirements;

/* One entry of the devices of a worker: a profile and how many there are. */
typedef struct DeviceEntry
{
	DeviceProfile profile; /* first, so that its fields can be shared */
	int32 count;
	const char *device_id; /* NULL: its place in the list tells it */
	Labels labels;
} DeviceEntry;

/* Capabilities: a worker as it registers. */
typedef struct Capabilities
{
	const char *worker_id; /* NULL, or that of the worker */
	const char *hostname;
	const char *incarnation; /* NULL: the host name tells it */
	double cpu_cores;
	int32 cpu_threads;
	double available_memory; /* NAN when unknown */
	NameSet supported_backends; /* in the order given, as given */
	NamedNumbers available_accelerators;
	NamedTexts software_versions;
	double network_bandwidth;
	double cost_per_hour;
	int32 max_concurrent;
	DocumentList devices; /* of DeviceEntry */
	Labels labels;
	Labels taints;
} Capabilities;

/* Load: what a worker reports of itself. NAN: not reported. */
typedef struct DeviceLoadReport
{
	int32 device_no;
	double utilization;
	double temperature_celsius;
	double power_w;
} DeviceLoadReport;

typedef struct LoadReport
{
	double cpu_utilization;
	double memory_utilization;
	double gpu_utilization;
	double io_utilization;
	double network_utilization;
	int32 active_tests;
	int32 queue_depth;
	double temperature;
	double temperature_celsius;
	double power_w;
	DocumentList devices; /* of DeviceLoadReport */
} LoadReport;

/* A run elsewhere, as teach() takes it. */
typedef struct TaughtRun
{
	const char *workload_type;
	const char *model_id;
	const char *model_family;
	const char *worker_id;
	double expected_duration; /* NAN: not known */
	double seconds; /* NAN: not known */
	int64 at; /* 0 where it is absent, which who reads the run looks at */
	bool ok;
} TaughtRun;

extern const Document requirements_document;
extern const Document properties_document;
extern const Document gang_document;
extern const Document workload_profile_document;
extern const Document capabilities_document;
extern const Document device_profile_document;
extern const Document placement_profile_document;
extern const Document demand_document;
extern const Document load_document;
extern const Document taught_run_document;

extern const char *document_path(const char *path, const char *key);
extern const Field *document_field(const Document *document, const char *key, int keylen);
extern void document_nearest_field(const Document *document, NearestName *nearest);
extern void document_list_keys(const Document *document, StringInfo list);

#endif /* HWSCHED_DOCUMENT_DOCUMENT_H */
