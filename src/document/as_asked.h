/*
 * as_asked.h
 *		The worker that work asks for, where no worker is like that.
 */
#ifndef HWSCHED_DOCUMENT_AS_ASKED_H
#define HWSCHED_DOCUMENT_AS_ASKED_H

#include "document/profile.h"
#include "utils/jsonb.h"

extern Jsonb *capabilities_as_asked(const WorkloadProfile *profile, const Demand *demand);

#endif /* HWSCHED_DOCUMENT_AS_ASKED_H */
