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
# to demonstrate, and KEEP=1 keeps the temporary directory.
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
# shellcheck source=test/lib/server.sh
. test/lib/server.sh
# shellcheck source=test/lib/stages.sh
. test/lib/stages.sh
# shellcheck source=test/lib/smith.sh
. test/lib/smith.sh
# shellcheck source=test/lib/sanitize.sh
. test/lib/sanitize.sh

mode=${1:-}
case $mode in
	test | demo | bench) shift ;;
	*) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac

job=
complete=no
# Not $TMPDIR: the path of a unix socket must not exceed 107 bytes, and root's
# may well be closed to others.
tmp=$(mktemp -d /tmp/hwsched.XXXXXX)

# However the tests end, the last line says how many passed.
on_exit() {
	local status=$?
	trap '' INT TERM HUP PIPE
	remove_sandbox || true
	if [ "$mode" = test ]; then
		if [ "$complete" = no ]; then failed=$((failed + 1)); fi
		if [ "$failed" != 0 ] || [ "$passed" = 0 ]; then status=$((status ? status : 1)); fi
		printf '\ntotal time: %d s\n' "$SECONDS"
		echo "$passed passed, $failed failed"
	fi
	exit "$status"
}
trap on_exit EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM

# run_script <database> <script> [argument...]: the demonstration or benchmark.
# The files it puts in $OUT end up in the checkout's top directory.
run_script() {
	local database=$1 script=$2 status=0 file
	shift 2
	[ -f "$tmp/src/$script" ] || die "there is no $script"
	create_database "$database" hwsched
	heading "$mode"
	run_job as_user env OUT="$tmp/out" EXAMPLE="${EXAMPLE:-}" bash "$script" "$@" || status=$?
	while IFS= read -r file; do
		cp "$file" "$top/"
		echo "wrote $(basename "$file")"
	done < <(find "$tmp/out" -maxdepth 1 -type f)
	[ "$status" = 0 ] || die "$script failed (exit status $status)"
	printf '\ntotal time: %d s\n' "$SECONDS"
}

prepare_packages "$mode"
make_sandbox
case $mode in
	test)
		build WERROR=1 ASSERT=1
		start_server off
		run_stages "$@"
		complete=yes
		;;
	demo)
		build
		start_server on
		run_script demo examples/demo/demo.sh "$@"
		;;
	bench)
		build
		start_server on
		run_script bench bench/bench.sh "$@"
		;;
esac
