/*
 * explain.h
 *		What the answers about candidates share.
 */
#ifndef HWSCHED_API_EXPLAIN_H
#define HWSCHED_API_EXPLAIN_H

#include "snapshot/snapshot.h"

extern const char *refusal_reason(Refusal refusal);
extern void picture_candidates(Picture *picture, const char *pool, const char *workload_id);

#endif							/* HWSCHED_API_EXPLAIN_H */
