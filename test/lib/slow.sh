# shellcheck shell=bash
# shellcheck disable=SC2154 # run.sh and its other parts share variables
# The stage slow: the regression and isolation tests in a server whose clock runs
# thirty times as fast, as on a machine that takes half a minute for what takes others a
# second.  A test may not assume that little time passes between its statements.

stage_slow() {
	local library
	library=$(compgen -G '/usr/lib/*/faketime/libfaketime.so.1') || {
		skip_stage slow "there is no libfaketime"
		return
	}
	run_stage slow '^(ok|not ok|#)' slow_steps "$library"
	finish_tap
}

slow_steps() {
	local number=0
	echo 1..3
	step "the server starts" start_wrapped "$tmp/log/slow_server" "LD_PRELOAD=$1" "FAKETIME=+0 x30" DONT_FAKE_MONOTONIC=1 NO_FAKE_STAT=1 || return
	step "the regression tests pass" regression_tests
	step "the isolation tests pass" isolation_tests
	back_to_plain
}
