/*
 * progress.h
 *		What workers say of what they run.
 */
#ifndef HWSCHED_API_PROGRESS_H
#define HWSCHED_API_PROGRESS_H

/* The error of an assignment that its worker gave back while it ran. */
#define YIELDED "yielded"

extern void progress_forget(const char *pool);

#endif /* HWSCHED_API_PROGRESS_H */
