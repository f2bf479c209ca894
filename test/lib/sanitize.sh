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
	local number=0
	echo 1..5
	step "builds with the sanitizers" build_variant "$tmp/sanitize" "$sanitize_flags" || return
	step "the server starts" start_sanitized || return
	step "the regression tests pass" regression_tests
	step "the isolation tests pass" isolation_tests
	stop_servers
	step "nothing was reported" no_reports
	back_to_plain
}

# The libraries go into postgres alone: what else is started would take them, too.
start_sanitized() {
	local preload="$tmp/sanitize/asan_first.so"
	as_user gcc -shared -fPIC -Wl,-z,initfirst -o "$preload" test/lib/asan_first.c &&
		start_wrapped "$tmp/log/sanitized" "LD_PRELOAD=$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so) $preload" \
			"ASAN_OPTIONS=detect_leaks=0:detect_stack_use_after_return=0:use_sigaltstack=0:handle_segv=0:log_path=$tmp/log/asan" \
			"UBSAN_OPTIONS=print_stacktrace=1:log_path=$tmp/log/ubsan"
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
