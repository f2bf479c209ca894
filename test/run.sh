#!/usr/bin/env bash
# Builds hwsched and runs its tests, its demonstration or its benchmark on a
# throw-away PostgreSQL server:
#
#   test/run.sh test [stage...]
#   test/run.sh demo [argument...]
#   test/run.sh bench [argument...]
#
# As root it installs missing packages and does the rest as an unprivileged
# user.  Environment: PG_CONFIG names the PostgreSQL to use, EXAMPLE the example
# to demonstrate, PORT the port of its page, PGMQ_SQL the file that pgmq is made of, to
# measure beside it; KEEP=1 keeps the temporary directory, and the server and page of a
# demonstration.
set -euo pipefail
export LC_ALL=C.UTF-8
unset CDPATH

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$top"

heading() { printf '\n== %s\n' "$1"; }

die() {
	echo "hwsched: $1" >&2
	exit 1
}

# shellcheck source=test/lib/packages.sh
. test/lib/packages.sh
# shellcheck source=test/lib/charts.sh
. test/lib/charts.sh
# shellcheck source=test/lib/server.sh
. test/lib/server.sh
# shellcheck source=test/lib/stages.sh
. test/lib/stages.sh
# shellcheck source=test/lib/variants.sh
. test/lib/variants.sh
# shellcheck source=test/lib/smith.sh
. test/lib/smith.sh
# shellcheck source=test/lib/sanitize.sh
. test/lib/sanitize.sh
# shellcheck source=test/lib/slow.sh
. test/lib/slow.sh
# shellcheck source=test/lib/coverage.sh
. test/lib/coverage.sh
# shellcheck source=test/lib/versions.sh
. test/lib/versions.sh

mode=${1:-}
case $mode in
	test | demo | bench) shift ;;
	*) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac

# What is asked for is looked at before anything is installed.
case $mode in
	test)
		# shellcheck disable=SC2086 # a list of words
		[ $# -gt 0 ] || set -- $all_stages
		check_stages "$@"
		stages=("$@")
		;;
	demo) script=examples/demo/demo.sh ;;
	bench) script=bench/bench.sh ;;
esac
if [ "$mode" != test ]; then bash "$script" --check "$@" || exit; fi

job=
complete=no
# Not $TMPDIR: the path of a unix socket must not exceed 107 bytes, and root's
# may well be closed to others.
tmp=$(mktemp -d /tmp/hwsched.XXXXXX)
mkdir "$tmp/log"

# However the tests end, the last line says how many passed.
on_exit() {
	local status=$?
	trap '' INT TERM HUP PIPE
	remove_sandbox || true
	if [ "$mode" = test ]; then
		if [ "$complete" = no ]; then failed=$((failed + 1)); fi
		if [ "$failed" != 0 ] || [ "$passed" = 0 ]; then status=$((status ? status : 1)); fi
		echo
		if [ "${#left_out[@]}" != 0 ]; then printf 'skipped %s\n' "${left_out[@]}"; fi
		echo "total time: $SECONDS s"
		echo "$passed passed, $failed failed"
	fi
	exit "$status"
}
trap on_exit EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM

# run_script <argument...>: the demonstration or benchmark, in a database of its own.
run_script() {
	local status=0
	database=$mode run_job as_user env OUT="${out:-}" EXAMPLE="${EXAMPLE:-}" PORT="${PORT:-}" PGMQ_SQL="${PGMQ_SQL:+$tmp/pgmq.sql}" bash "$script" "$@" || status=$?
	[ "$status" = 0 ] || die "$script failed (exit status $status)"
}

case $mode in
	test)
		prepare_packages "$@"
		if [[ " $* " = *" tap "* ]]; then charts_begin; fi
		make_sandbox
		if needs_server; then
			build WERROR=1 ASSERT=1
			start_server off
		fi
		run_stages "$@"
		complete=yes
		;;
	demo)
		prepare_packages
		charts_begin
		make_sandbox
		build
		start_server on
		create_database "$mode" hwsched
		heading "$mode"
		run_script "$@"
		charts_finish
		out=$tmp/out run_script --report
		cp "$tmp/out/report.html" "$top/"
		echo "wrote report.html"
		if [ "${KEEP:-0}" = 1 ]; then
			out=$tmp/out run_script --page
			leave_servers=yes
			echo "then: ${run_as:+setpriv --reuid=$run_as --regid=$run_as --init-groups }$bin/pg_ctl stop -D $tmp/data -m fast; rm -rf $tmp"
		fi
		printf '\ntotal time: %d s\n' "$SECONDS"
		;;
	bench)
		prepare_packages
		make_sandbox
		build
		start_server on
		create_database "$mode" hwsched
		if [ -n "${PGMQ_SQL:-}" ]; then install -m 644 "$PGMQ_SQL" "$tmp/pgmq.sql"; fi
		heading "$mode"
		run_script "$@"
		printf '\ntotal time: %d s\n' "$SECONDS"
		;;
esac
