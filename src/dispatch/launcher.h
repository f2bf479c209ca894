/*
 * launcher.h
 *		Starts a dispatcher in each database that has the extension.
 */
#ifndef HWSCHED_DISPATCH_LAUNCHER_H
#define HWSCHED_DISPATCH_LAUNCHER_H

extern void launcher_init(void);

#endif /* HWSCHED_DISPATCH_LAUNCHER_H */
