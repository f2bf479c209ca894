/*
 * attempt.h
 *		Work whose failure is reported instead of ending the transaction.
 */
#ifndef HWSCHED_SUPPORT_ATTEMPT_H
#define HWSCHED_SUPPORT_ATTEMPT_H

#include "postgres.h"

typedef void (*Work)(void *argument);

extern ErrorData *attempt(Work work, void *argument);

#endif /* HWSCHED_SUPPORT_ATTEMPT_H */
