/*
 * plausible.h
 *		What is allowed in a document and surely not meant so.
 */
#ifndef HWSCHED_DOCUMENT_PLAUSIBLE_H
#define HWSCHED_DOCUMENT_PLAUSIBLE_H

#include "document/inspection.h"

extern void doubt_capabilities(Jsonb *document, const Capabilities *capabilities,
							   Inspection *inspection);
extern void doubt_load(const LoadReport *load, Inspection *inspection);
extern bool load_says_nothing(const LoadReport *load);

#endif /* HWSCHED_DOCUMENT_PLAUSIBLE_H */
