/*
 * notice.h
 *		What those who listen are told, once a transaction commits.
 */
#ifndef HWSCHED_STORE_NOTICE_H
#define HWSCHED_STORE_NOTICE_H

extern void notify_assigned(const char *pool);
extern void notify_changed(const char *pool);
extern void notify_scaling(const char *pool);

#endif /* HWSCHED_STORE_NOTICE_H */
