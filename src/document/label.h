/*
 * label.h
 *		Conditions on labels and versions.  Pure.
 */
#ifndef HWSCHED_DOCUMENT_LABEL_H
#define HWSCHED_DOCUMENT_LABEL_H

#include "document/profile.h"

extern bool label_meets(const LabelValues *values, const Condition *condition);
extern bool software_suffices(const NamedTexts *installed, const Conditions *conditions);
extern const Label *label_named(const Labels *labels, const char *name);

#endif /* HWSCHED_DOCUMENT_LABEL_H */
