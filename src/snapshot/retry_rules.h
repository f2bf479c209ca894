/*
 * retry_rules.h
 *		What the next attempt of failed work avoids, where the fleet has something
 *		else to offer.
 */
#ifndef HWSCHED_SNAPSHOT_RETRY_RULES_H
#define HWSCHED_SNAPSHOT_RETRY_RULES_H

#include "snapshot/snapshot.h"

extern bool others_could(Search *search, const QueueItem *item);
extern void consider_retries(PoolSnapshot *snapshot, const char *pool, bool read_only);

#endif /* HWSCHED_SNAPSHOT_RETRY_RULES_H */
