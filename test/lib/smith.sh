# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # run.sh and its other parts share variables
# The stage smith: sqlsmith writes queries at random, as logins of few rights.
# The server must not crash, no error may be an internal one, a viewer changes
# nothing, and a worker's login nothing that is another worker's.
#
# The same seed in the same database gives the same queries.  A longer run:
#   QUERIES=20000 SEED=2 make test STAGES=smith

stage_smith() {
	have 'test/smith/*.sql' || return 0
	if ! command -v sqlsmith >/dev/null; then
		skip_stage smith "there is no sqlsmith"
		return
	fi
	run_stage smith '^(ok|not ok|#)' smith_steps
	finish_tap
}

smith_steps() {
	local number=0 role
	echo 1..5
	as_user psql -qX -d postgres -c 'CREATE DATABASE smith' || return
	as_user psql -qX -d smith -o /dev/null -f test/smith/setup.sql || return
	for role in viewer worker coordinator; do
		step "sqlsmith as a $role: its queries are answered" smith_queries "$role"
	done
	step "functions of ours were called" smith_called
	step "no crash, no internal error, and nobody wrote what he may not" smith_log
}

# sqlsmith ends with an error only if it lost its connection for good.
smith_queries() {
	as_user timeout "$((60 + ${QUERIES:-600} / 20))" sqlsmith --target="host=$tmp port=5432 dbname=smith user=smith_$1" --exclude-catalog \
		--max-queries="${QUERIES:-600}" --seed="${SEED:-1}"
}

smith_called() {
	[ "$(as_user psql -qAtX -d smith -c "SELECT count(*) >= 15 FROM pg_stat_user_functions WHERE schemaname = 'hwsched'")" = t ]
}

smith_log() {
	! grep -E -A 4 'ERROR:  XX|LOG: .*trespass|TRAP:|PANIC:|was terminated by signal' "$tmp/log/server"
}
