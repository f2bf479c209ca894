# shellcheck shell=bash
# shellcheck disable=SC2154 # run.sh and its other parts share variables
# What stages need that run the tests with another build or in another server,
# and put the plain ones back afterwards.

# step <description> <command...>: prints one line of TAP.  Sets $output.
step() {
	local description=$1
	shift
	number=$((number + 1))
	if output=$("$@" 2>&1); then
		echo "ok $number - $description"
	else
		echo "not ok $number - $description"
		tail -n 60 <<<"$output" | sed 's/^/# /'
		return 1
	fi
}

# build_variant <directory> <compiler's flags>: builds a copy of the source there,
# and installs it in the place of the plain one.
build_variant() {
	local directory=$1 flags=$2
	as_user cp -r "$tmp/src" "$directory" &&
		as_user make -s -C "$directory" clean PG_CONFIG="$bin/pg_config" &&
		as_user make -s -C "$directory" -j"$(nproc)" all PG_CONFIG="$bin/pg_config" RUNTIME= ASSERT=1 COPT="$flags" &&
		as_user make -s -C "$directory" install PG_CONFIG="$bin/pg_config" RUNTIME= ASSERT=1 COPT="$flags"
}

# start_wrapped <log> <VARIABLE=value...>: the server, in such an environment.
start_wrapped() {
	local log=$1
	shift
	as_user tee "$tmp/postgres" >/dev/null <<-SCRIPT
		#!/bin/sh
		exec env $(printf '%q ' "$@") "$bin/postgres" "\$@"
	SCRIPT
	as_user chmod +x "$tmp/postgres"
	stop_servers
	as_user timeout 60 pg_ctl start -w -D "$tmp/data" -l "$log" -p "$tmp/postgres" >/dev/null
}

# The plain build in the plain server.
back_to_plain() {
	stop_servers
	as_user make -s install PG_CONFIG="$bin/pg_config" RUNTIME= ASSERT=1 WERROR=1 >/dev/null
	as_user pg_ctl start -w -D "$tmp/data" -l "$tmp/log/server" >/dev/null
}

# With what differs, if they fail.
regression_tests() {
	as_user make installcheck ISOLATION= PG_CONFIG="$bin/pg_config" || { cat "$tmp/src/regression.diffs"; return 1; }
}

isolation_tests() {
	as_user make installcheck REGRESS= PG_CONFIG="$bin/pg_config" ||
		{ cat "$tmp/src/test/isolation/regression.diffs"; return 1; }
}
