/*
 * progress.h
 *		What workers say of what they run.
 */
#ifndef HWSCHED_API_PROGRESS_H
#define HWSCHED_API_PROGRESS_H

extern void progress_forget(const char *pool);

#endif /* HWSCHED_API_PROGRESS_H */
