/*
 * rebalance.h
 *		Work that changes its place before it has started.
 */
#ifndef HWSCHED_API_REBALANCE_H
#define HWSCHED_API_REBALANCE_H

extern int64 steal(const char *pool, const char *worker_id, int n, bool read_only);

#endif /* HWSCHED_API_REBALANCE_H */
