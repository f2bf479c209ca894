/*
 * version.h
 *		Order of software versions.  Pure.
 */
#ifndef HWSCHED_VERSION_H
#define HWSCHED_VERSION_H

#include "profile.h"

extern int	version_compare(const char *a, const char *b);
extern bool software_suffices(const NamedTexts *installed, const NamedTexts *least);

#endif							/* HWSCHED_VERSION_H */
