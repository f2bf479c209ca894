# shellcheck shell=bash
# shellcheck disable=SC2154 # run.sh and its other parts share variables
# The stage coverage: which lines of src the unit, regression, isolation and pgTAP
# tests run, and whether they are 90 %.

stage_coverage() {
	if ! command -v gcov >/dev/null || ! perl -MJSON::PP -e 1 2>/dev/null; then
		skip_stage coverage "there is no gcov, or no JSON::PP of perl"
		return
	fi
	run_stage coverage '^(ok|not ok|#)' coverage_steps
	finish_tap
}

coverage_steps() {
	local number=0 directory=$tmp/coverage
	echo 1..6
	step "builds with counters" build_variant "$directory" "--coverage -O0 -fprofile-update=atomic" || return
	stop_servers
	as_user pg_ctl start -w -D "$tmp/data" -l "$tmp/log/server" >/dev/null
	step "the unit tests pass" as_user make -C "$directory/test/unit" clean check SANITIZE=--coverage
	step "the regression tests pass" regression_tests
	step "the isolation tests pass" isolation_tests
	if command -v pg_prove >/dev/null && has_extension pgtap; then
		step "the pgTAP tests pass" pgtap_steps
	else
		number=$((number + 1))
		echo "ok $number # skip there is no pgTAP"
	fi
	stop_servers
	step "they run 90 % of the lines" as_user perl test/lib/coverage.pl "$directory" 90
	sed 's/^/# /' <<<"$output"
	back_to_plain
}
