/*
 * history.h
 *		What maintain() does for history.
 */
#ifndef HWSCHED_API_HISTORY_H
#define HWSCHED_API_HISTORY_H

#include "support/compat.h"

extern void history_roll_up(const char *pool, int most_seconds);
extern int64 history_forget(const char *pool, int max_rows);
extern void history_renew(const char *pool);

#endif /* HWSCHED_API_HISTORY_H */
