/*
 * reservation.h
 *		Places kept for work that has to wait, and what may use them meanwhile.
 */
#ifndef HWSCHED_PLACE_RESERVATION_H
#define HWSCHED_PLACE_RESERVATION_H

#include "place/placement.h"

/* What is, or will be, held of one device. */
typedef struct DeviceAmount
{
	int32 slots;
	int32 share;
	int64 memory;
} DeviceAmount;

/* What is, or will be, held of one worker. */
typedef struct Amount
{
	int32 assignments;
	int64 cpu;
	int64 memory;
	DeviceAmount *devices; /* by device of the worker */
} Amount;

/* A live assignment, and when it is expected to end. */
typedef struct Running
{
	int64 assignment_id; /* 0: decided in this search */
	int32 worker;
	double ends_in; /* seconds from now: P90, at most the timeout */
	int64 cpu_millicores;
	int64 host_memory_bytes;
	int32 ndevices;
	const int32 *devices; /* indices in Fleet.devices */
	int32 slots; /* held on each of the devices */
	int32 share;
	int64 device_memory_bytes;
} Running;

/* The part of a reservation that is on one worker. */
typedef struct ReservedPlace
{
	int32 worker;
	Amount wanted; /* by who waits */
	Amount ends; /* what is held now and is expected to be over by then */
	Amount booked; /* what is kept from others for now: wanted, less what ends */
} ReservedPlace;

typedef struct Reservation
{
	int32 item; /* for which it is; -1: it is not among the items */
	int32 from; /* the first item that stands behind it */
	KeyDemand keys; /* what these may not take of concurrency keys */
	bool keys_taken;
	const char *workload_id; /* whose it is, where that was read; or NULL */
	bool alone; /* its workers have nothing beside it */
	bool booked;
	double starts_in; /* seconds from now; INFINITY: nobody knows */
	double backfill_in; /* what stands behind and ends by then may use it meanwhile */
	int nmembers; /* 1, or the parts of a gang */
	Running *members; /* what each is to hold; devices of their own */
	int nplaces;
	ReservedPlace *places; /* of these, by worker */
} Reservation;

/* A reservation of an earlier decision: what it promised. */
typedef struct Promise
{
	int32 item;
	double backfill_in;
	int32 nworkers;
	const int32 *workers;
} Promise;

extern void reserve_place(Search *search, const QueueItem *items, int index);
extern void reservations_book(Search *search, const QueueItem *items, int index);
extern void reservations_give_back(Search *search);
extern void reservations_copy(Search *search);
extern int reservation_boundary(const Search *search, int first, int last);
extern void running_prepare(Search *search, const QueueItem *items, int index);
extern void running_ended(Search *search, int64 assignment_id);
extern bool is_reserved_for(const Search *search, int item);
extern Reservation *reservation_lift(Search *search, int item);
extern void reservation_restore(Search *search, Reservation *reservation);
extern void reservation_drop(Search *search, Reservation *reservation);
extern bool backfill(Search *search, const QueueItem *items, int index);
extern Placement *backfill_reserve(Search *search, WorkKind *kind, int item,
								   const Candidate *candidate, double score);
extern void reservation_add_member(const Fleet *fleet, Reservation *reservation,
								   const Running *wanted);
extern bool reservation_ends(const Fleet *fleet, Reservation *reservation, const Running *running);

#endif /* HWSCHED_PLACE_RESERVATION_H */
