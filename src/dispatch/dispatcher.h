/*
 * dispatcher.h
 *		The settings of dispatchers.
 */
#ifndef HWSCHED_DISPATCH_DISPATCHER_H
#define HWSCHED_DISPATCH_DISPATCHER_H

#include "support/compat.h"

extern bool dispatcher_enabled; /* hwsched.dispatcher */
extern char *dispatcher_databases; /* hwsched.database */

extern bool dispatcher_register(Oid database, struct BackgroundWorkerHandle **handle);

#endif /* HWSCHED_DISPATCH_DISPATCHER_H */
