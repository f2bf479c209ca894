/*
 * failure_test.c
 *		What kind of error a text tells of.
 */
#include "document/error_class.h"
#include "tap.h"

static void
is_class(const char *error, const char *expected)
{
	const char *class = error_class_of(error);

	if (!ok(strcmp(class, expected) == 0, "\"%s\" is of class %s", error ? error : "NULL",
			expected))
		diag("got %s", class);
}

int
main(void)
{
	is_class(NULL, "other");
	is_class("", "other");
	is_class("segmentation fault", "other");
	is_class("CUDA out of memory", "memory");
	is_class("CUDA_ERROR_OUT_OF_MEMORY: 2", "memory");
	is_class("RuntimeError: CUDA Out  of\tMemory.", "memory");
	is_class("java.lang.OutOfMemoryError", "memory");
	is_class("OOM", "memory");
	is_class("the room is full", "other");
	is_class("oomph", "other");
	is_class("std::bad_alloc", "memory");
	is_class("exit code 137", "memory");
	is_class("exit code 1370", "other");
	is_class("exit 137", "memory");
	is_class("exit 124", "timeout");
	is_class("Network is unreachable", "connection");
	is_class("host unreachable", "connection");
	is_class("ECONNABORTED", "connection");
	is_class("exit code: 137", "memory");
	is_class("timed out", "timeout");
	is_class("mistimed outing", "other");
	is_class("TimeoutError", "timeout");
	is_class("connection timeout", "timeout");
	is_class("exit status 124", "timeout");
	is_class("Connection refused", "connection");
	is_class("[Errno 104] Connection reset by peer", "connection");
	is_class("ECONNRESET", "connection");
	is_class("broken-pipe", "connection");
	is_class("out of", "other");
	is_class("out of ", "other");
	is_class("\xff\xfe out of memory \xff", "memory");
	return done_testing();
}
