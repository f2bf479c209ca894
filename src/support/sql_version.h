/*
 * sql_version.h
 *		Whether the database's objects are of this library's version.
 */
#ifndef HWSCHED_SUPPORT_SQL_VERSION_H
#define HWSCHED_SUPPORT_SQL_VERSION_H

/*
 * Raises ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, with a hint that says which of the two is
 * to be brought up to date, if they are not; asks the catalog once in a session, and again when
 * functions have changed.  To be called in a transaction.
 */
extern void require_sql_version(void);

#endif /* HWSCHED_SUPPORT_SQL_VERSION_H */
