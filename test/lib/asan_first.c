/*
 * asan_first.c
 *		Brings up the address sanitizer before any other library of the stock
 *		server: one of them takes a lock too early, and would wait for ever.
 *		Linked with -z initfirst and preloaded behind libasan.
 */
extern void __asan_init(void);

__attribute__((constructor)) static void
asan_first(void)
{
	__asan_init();
}
