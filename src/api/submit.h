/*
 * submit.h
 *		Workloads as they are submitted and closed.
 */
#ifndef HWSCHED_API_SUBMIT_H
#define HWSCHED_API_SUBMIT_H

#include "postgres.h"

#endif /* HWSCHED_API_SUBMIT_H */
