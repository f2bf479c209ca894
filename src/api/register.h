/*
 * register.h
 *		How workers come.
 */
#ifndef HWSCHED_API_REGISTER_H
#define HWSCHED_API_REGISTER_H

#include "document/inspection.h"

extern void inspect_capabilities(Jsonb *capabilities, const char *pool, Inspection *inspection);

#endif /* HWSCHED_API_REGISTER_H */
