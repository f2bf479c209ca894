/*
 * device_state.h
 *		The condition of a worker's devices, at any time, from what it reported
 *		last: load, thermal phase and temperature.
 *
 * A temperature that was reported holds until the next report.  What is not
 * reported is modelled: from the temperature that a device had when its load
 * was reported, by the law of thermal_at().
 */
#ifndef HWSCHED_STORE_DEVICE_STATE_H
#define HWSCHED_STORE_DEVICE_STATE_H

#include "document/document.h"
#include "model/thermal.h"
#include "store/profile_cache.h"
#include "store/settings.h"
#include "support/spi_plan.h"

/* A number for each device of a worker, by device_no; those behind the last are absent. */
typedef struct DeviceNumbers
{
	int count;
	double *values; /* NAN: absent */
} DeviceNumbers;

/* What a worker reported, for its devices to be judged by. */
typedef struct Reported
{
	Utilization utilization;
	double temperature; /* NAN: none */
	double celsius; /* NAN: none */
	ThermalPhase phase;
	double performance_level;
	double elapsed; /* seconds since the report */
	bool is_stale; /* it counts as none */
	DeviceNumbers temperatures; /* 0..1, modelled, at the time of the report */
	DeviceNumbers throttles_at;
} Reported;

/* What the tables hold of a worker's reports. */
typedef struct DeviceStates
{
	int64 hardware_id;
	LoadReport load; /* the last one, without its power */
	TimestampTz reported_at; /* 0: never */
	DeviceNumbers temperatures;
	DeviceNumbers throttles_at;
	TimestampTz busy_at; /* the last report of one that was not idle; 0: none */
	TimestampTz high_since; /* the first of the reports of a high load; 0: none */
	bool in_phase;
	ThermalPhase begins; /* with this report; PHASE_NORMAL: none */
} DeviceStates;

/*
 * What load and temperature leave of the efficiency of a worker's devices,
 * 0..1: the most of any CPU, and of any other device; NAN: there is none.
 */
typedef struct Readiness
{
	double cpu;
	double accelerator;
	int64 state_hash; /* of load and temperature of all devices */
} Readiness;

extern double zero_if_absent(double x);
extern DeviceNumbers device_numbers(Datum array);
extern Parameter device_numbers_value(const DeviceNumbers *numbers);
extern void set_device_state(const DeviceProfile *profile, const Reported *report,
							 double utilization, double celsius, Device *device);

extern bool device_states_lock(const char *pool, const char *worker_id, DeviceStates *condition);
extern void device_states_begin(DeviceStates *condition, int64 hardware_id);
extern void device_states_report(const PoolSettings *settings, const Hardware *hardware,
								 const DeviceStates *before, const LoadReport *load,
								 DeviceStates *after);
extern Readiness device_states_readiness(const Hardware *hardware, const DeviceStates *condition);
extern bool device_states_may_expire(const char *pool, const PoolSettings *settings);
extern void device_states_expire(const char *pool, const PoolSettings *settings);
extern void device_states_renew(const char *pool, const char *worker_id, int64 hardware_id);

#endif /* HWSCHED_STORE_DEVICE_STATE_H */
