/*
 * subtransaction.h
 *		Work whose failure is reported instead of ending the transaction, or that is
 *		undone if it came to nothing.
 */
#ifndef HWSCHED_SUPPORT_SUBTRANSACTION_H
#define HWSCHED_SUPPORT_SUBTRANSACTION_H

#include "postgres.h"

typedef void (*Work)(void *argument);

/* Work that tells whether it is to be kept. */
typedef bool (*Trial)(void *argument);

extern ErrorData *attempt(Work work, void *argument);
extern bool keep_if(Trial trial, void *argument);

#endif /* HWSCHED_SUPPORT_SUBTRANSACTION_H */
