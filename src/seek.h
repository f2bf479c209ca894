/*
 * seek.h
 *		The best place for one workload, without reading the whole fleet.
 */
#ifndef HWSCHED_SEEK_H
#define HWSCHED_SEEK_H

#include "fleet.h"

extern bool seek_fleet(Picture *picture, const char *pool);

#endif							/* HWSCHED_SEEK_H */
