/*
 * version.h
 *		Order of software versions.  Pure.
 */
#ifndef HWSCHED_DOCUMENT_VERSION_H
#define HWSCHED_DOCUMENT_VERSION_H

#include "document/profile.h"

extern int version_compare(const char *a, const char *b);
extern const char *version_least(const char *text);
extern bool version_within(const char *version, const char *most);
extern bool same_text(const char *a, const char *b);

#endif /* HWSCHED_DOCUMENT_VERSION_H */
