/*
 * assign.h
 *		Deciding and writing the decision down.
 */
#ifndef HWSCHED_API_ASSIGN_H
#define HWSCHED_API_ASSIGN_H

#include "store/settings.h"

#endif /* HWSCHED_API_ASSIGN_H */
