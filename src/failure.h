/*
 * failure.h
 *		What kind of error ended an attempt.
 */
#ifndef HWSCHED_FAILURE_H
#define HWSCHED_FAILURE_H

extern const char *error_class_of(const char *error);

#endif							/* HWSCHED_FAILURE_H */
