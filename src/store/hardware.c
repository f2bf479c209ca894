/*
 * hardware.c
 *		Kinds of worker: what workers with the same hardware and software share.
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "document/json.h"
#include "store/device_state.h"
#include "store/hardware.h"

/* Returns the profile_id of a device profile, after adding it if it is new. */
int64
device_profile_id(const char *pool, const DeviceProfile *profile)
{
	static SpiPlan find = {
		"SELECT profile_id FROM hwsched.device_profile"
		" WHERE pool = $1 AND digest = hwsched_internal.profile_digest($2, NULL)",
		{TEXTOID, JSONBOID}};
	static SpiPlan add = {
		"INSERT INTO hwsched.device_profile (pool, profile, digest) VALUES ($1, $2,"
		" hwsched_internal.profile_digest($2, NULL))"
		" ON CONFLICT (pool, digest) DO NOTHING RETURNING profile_id",
		{TEXTOID, JSONBOID}};
	Parameter document = VALUE(JsonbPGetDatum(document_write(&device_profile_document, profile)));

	/* The pool is locked, so only an old snapshot can hide a profile from us. */
	if (spi_plan_run(&find, false, TEXT_VALUE(pool), document) == 0 &&
		spi_plan_run(&add, false, TEXT_VALUE(pool), document) == 0)
		ereport(
			ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to a device profile that was added at the same"
					" time")));
	return column_bigint(0, 1);
}

/* Returns the hardware_id of what a worker offers, after adding it if it is new. */
int64
hardware_id_of(const char *pool, const Offer *offer)
{
#define SOFTWARE "coalesce(nullif($4 -> 'software_versions', 'null'), '{}')"
#define DIGEST "sha256(convert_to(ROW($2, $3, " SOFTWARE ", $5, $6, $7, $8)::text, 'UTF8'))"
#define TYPES \
	{ \
		TEXTOID, INT8OID, INT8OID, JSONBOID, INT8ARRAYOID, INT8ARRAYOID, BOOLARRAYOID, \
			INT4ARRAYOID \
	}
	static SpiPlan find = {
		"SELECT hardware_id FROM hwsched.hardware WHERE pool = $1 AND digest = " DIGEST, TYPES};
	static SpiPlan add = {
		"INSERT INTO hwsched.hardware (pool, cpu_millicores, memory_bytes, software_versions,"
		" device_profile_ids,"
		"  device_memory_bytes, device_uses_host_memory, device_nos, digest)"
		" VALUES ($1, $2, $3, " SOFTWARE ", $5, $6, $7, $8, " DIGEST ")"
		" ON CONFLICT (pool, digest) DO NOTHING RETURNING hardware_id",
		TYPES};
	Datum *memory = palloc(sizeof(Datum) * (offer->ndevices + 1));
	Datum *uses = palloc(sizeof(Datum) * (offer->ndevices + 1));
	Datum *numbers = palloc(sizeof(Datum) * (offer->ndevices + 1));
	Parameter parameters[8];

	for (int i = 0; i < offer->ndevices; i++)
	{
		memory[i] = Int64GetDatum(offer->specs[i].memory_bytes);
		uses[i] = BoolGetDatum(offer->specs[i].uses_host_memory);
		numbers[i] = Int32GetDatum(offer->device_nos[i]);
	}
	parameters[0] = TEXT_VALUE(pool);
	parameters[1] = BIGINT_VALUE(offer->cpu_millicores);
	parameters[2] = BIGINT_VALUE(offer->memory_bytes);
	parameters[3] = VALUE(JsonbPGetDatum(offer->capabilities));
	parameters[4] = array_value(INT8OID, offer->profile_ids, NULL, offer->ndevices);
	parameters[5] = array_value(INT8OID, memory, NULL, offer->ndevices);
	parameters[6] = array_value(BOOLOID, uses, NULL, offer->ndevices);
	parameters[7] = array_value(INT4OID, numbers, NULL, offer->ndevices);

	/* The pool is locked, so only an old snapshot can hide a row from us. */
	if (spi_plan_execute(&find, false, parameters, lengthof(parameters)) == 0 &&
		spi_plan_execute(&add, false, parameters, lengthof(parameters)) == 0)
		ereport(
			ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg(
				 "could not serialize access due to a kind of hardware that was added at the same"
				 " time")));
	return column_bigint(0, 1);
}

/*
 * Makes a worker that has registered again one of a kind of hardware: what its
 * devices reported may mean something else now.  It may have room again.
 */
void
hardware_assign(const char *pool, const char *worker_id, int64 hardware_id)
{
	static SpiPlan usage = {
		"UPDATE hwsched.worker_usage SET hardware_id = $3, is_full = false"
		" WHERE pool = $1 AND worker_id = $2 AND (hardware_id <> $3 OR is_full)",
		{TEXTOID, TEXTOID, INT8OID}};
	/* what was modelled was that of other devices */
	static SpiPlan forget = {
		"UPDATE hwsched.worker_load SET temperatures = NULL, throttles_at = NULL"
		" WHERE pool = $1 AND worker_id = $2 AND hardware_id <> $3 AND (temperatures IS NOT NULL"
		" OR throttles_at IS NOT NULL)",
		{TEXTOID, TEXTOID, INT8OID}};

	spi_plan_run(&usage, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id), BIGINT_VALUE(hardware_id));
	spi_plan_run(&forget, false, TEXT_VALUE(pool), TEXT_VALUE(worker_id),
				 BIGINT_VALUE(hardware_id));
	device_states_renew(pool, worker_id, hardware_id);
}

/* Returns the memory of the largest device that a pool ever had, in bytes; 0: it had none. */
static int64
read_greatest_memory(const char *pool, bool read_only)
{
	static SpiPlan statement = {
		"SELECT memory_total_bytes FROM hwsched.device_profile WHERE pool = $1"
		" AND memory_total_bytes IS NOT NULL ORDER BY memory_total_bytes DESC LIMIT 1",
		{TEXTOID}};

	return spi_plan_run(&statement, read_only, TEXT_VALUE(pool)) == 0 ? 0 : column_bigint(0, 1);
}

/*
 * Returns the memory of the largest device that a pool ever had if that is below
 * some, in bytes; else, and if there never was a device, 0.
 *
 * Profiles of devices stay when devices go.  So what a session knows of the pool it
 * used last can only be too little, and is read again where that would matter.
 */
int64
greatest_memory_below(const char *pool, int64 bytes, bool read_only)
{
	static char *known_pool = NULL;
	static int64 known = 0;

	if (known_pool == NULL || strcmp(known_pool, pool) != 0 || known < bytes)
	{
		char *copy = MemoryContextStrdup(TopMemoryContext, pool);

		known = read_greatest_memory(pool, read_only);
		if (known_pool != NULL)
			pfree(known_pool);
		known_pool = copy;
	}
	return known < bytes ? known : 0;
}
