/*
 * error_class.h
 *		What kind of error ended an attempt.
 */
#ifndef HWSCHED_DOCUMENT_ERROR_CLASS_H
#define HWSCHED_DOCUMENT_ERROR_CLASS_H

#include "support/standalone.h"

extern const char *error_class_of(const char *error);

#endif /* HWSCHED_DOCUMENT_ERROR_CLASS_H */
