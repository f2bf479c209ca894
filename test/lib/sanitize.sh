# shellcheck shell=bash
# shellcheck disable=SC2154 # run.sh and its other parts share variables
# The stage sanitize: the regression and isolation tests in a server that has
# the extension built with the address and undefined behaviour sanitizers.  CI
# does not run it, as it takes a minute: make test STAGES=sanitize
#
# palloc hides most of a server's memory from the address sanitizer; what it
# sees are the stack, globals, and malloc.  The modules that need no server are
# under it with plain malloc, in the stages unit and fuzz.

readonly sanitize_flags="-fsanitize=address,undefined -fno-wrapv -fno-omit-frame-pointer -O1 -U_FORTIFY_SOURCE"

stage_sanitize() {
	run_stage sanitize '^(ok|not ok|#)' sanitize_steps
	finish_tap
}

sanitize_steps() {
	local number=0 library
	library=$tmp$(pg_config_value --pkglibdir)/hwsched.so
	echo 1..4
	cp -p "$library" "$tmp/plain.so"
	step "builds with the sanitizers" build_sanitized || return
	step "the regression tests pass" as_user make installcheck ISOLATION= PG_CONFIG="$bin/pg_config"
	step "the isolation tests pass" as_user make installcheck REGRESS= PG_CONFIG="$bin/pg_config"
	stop_servers
	step "nothing was reported" no_reports
	cp -p "$tmp/plain.so" "$library"
	as_user pg_ctl start -w -D "$tmp/data" -l "$tmp/log/server" >/dev/null
}

# step <description> <command...>: prints one line of TAP.
step() {
	local description=$1 output
	shift
	number=$((number + 1))
	if output=$("$@" 2>&1); then
		echo "ok $number - $description"
	else
		echo "not ok $number - $description"
		tail -n 40 <<<"$output" | sed 's/^/# /'
		return 1
	fi
}

# Builds a copy of the source, and starts the server with it.  The libraries go
# into postgres alone: what else is started would take them, too.
build_sanitized() {
	local preload="$tmp/sanitize/asan_first.so"
	as_user cp -r "$tmp/src" "$tmp/sanitize" &&
		as_user make -s -C "$tmp/sanitize" clean PG_CONFIG="$bin/pg_config" &&
		as_user make -s -C "$tmp/sanitize" -j"$(nproc)" all PG_CONFIG="$bin/pg_config" ASSERT=1 COPT="$sanitize_flags" &&
		as_user make -s -C "$tmp/sanitize" install PG_CONFIG="$bin/pg_config" ASSERT=1 COPT="$sanitize_flags" &&
		as_user gcc -shared -fPIC -Wl,-z,initfirst -o "$preload" "$tmp/sanitize/test/lib/asan_first.c" || return
	as_user tee "$tmp/sanitize/postgres" >/dev/null <<-SCRIPT
		#!/bin/sh
		LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so) $preload" \\
		ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0:use_sigaltstack=0:handle_segv=0:log_path=$tmp/log/asan \\
		UBSAN_OPTIONS=print_stacktrace=1:log_path=$tmp/log/ubsan exec "$bin/postgres" "\$@"
	SCRIPT
	as_user chmod +x "$tmp/sanitize/postgres"
	stop_servers
	as_user timeout 60 pg_ctl start -w -D "$tmp/data" -l "$tmp/log/sanitized" -p "$tmp/sanitize/postgres"
}

# A report is in a file of its own, or in the server's log.
no_reports() {
	local file found=0
	for file in "$tmp"/log/asan.* "$tmp"/log/ubsan.*; do
		if [ -s "$file" ]; then found=1; head -n 25 "$file"; fi
	done
	if grep -E 'runtime error|AddressSanitizer|was terminated by signal' "$tmp/log/sanitized"; then found=1; fi
	return "$found"
}
