/*
 * version.h
 *		Order of software versions.  Pure.
 */
#ifndef HWSCHED_DOCUMENT_VERSION_H
#define HWSCHED_DOCUMENT_VERSION_H

#include "document/profile.h"

extern int version_compare(const char *a, const char *b);
extern const char *version_least(const char *text);
extern bool software_suffices(const NamedTexts *installed, const NamedTexts *least);

#endif /* HWSCHED_DOCUMENT_VERSION_H */
