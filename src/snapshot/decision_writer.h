/*
 * decision_writer.h
 *		Writes down what was decided on a snapshot.
 */
#ifndef HWSCHED_SNAPSHOT_DECISION_WRITER_H
#define HWSCHED_SNAPSHOT_DECISION_WRITER_H

#include "snapshot/snapshot.h"

extern int64 write_decisions(PoolSnapshot *snapshot, const char *pool, bool returning);

#endif /* HWSCHED_SNAPSHOT_DECISION_WRITER_H */
