# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # run.sh and its other parts share variables
# A throw-away PostgreSQL: a copy of the source, a copy of the server that the
# extension can be installed into without touching the system, and a database
# cluster; all of it below $tmp, and all of it run by an unprivileged user, as
# PostgreSQL refuses to run as root.

# Fills $tmp.  Sets $run_as, which is empty when we are unprivileged already.
make_sandbox() {
	run_as=
	if [ "$(id -u)" = 0 ]; then
		run_as=nobody
		if id postgres >/dev/null 2>&1; then run_as=postgres; fi
	fi
	mkdir "$tmp/src" "$tmp/home" "$tmp/out"
	copy_source
	bin=$tmp/bin
	if needs_server; then
		bin=$tmp$pg_bindir
		copy_postgresql
	fi
	if [ -n "$run_as" ]; then chown -R "$run_as:" "$tmp"; fi
	if needs_server && ! as_user "$bin/psql" --version >/dev/null; then
		die "$run_as cannot run what is in $pg_bindir"
	fi
}

# as_user <command...>: as the unprivileged user, in the copy of the source, and
# with nothing of our environment (PG*, MAKEFLAGS) that could mislead it.
as_user() {
	local drop=()
	if [ -n "$run_as" ]; then
		drop=(setpriv "--reuid=$(id -u "$run_as")" "--regid=$(id -g "$run_as")" --init-groups --)
	fi
	(
		cd "$tmp/src" || exit
		exec "${drop[@]}" env -i PATH="$bin:$tmp/tools/usr/bin:$PATH" HOME="$tmp/home" TMPDIR="$tmp" TERM="${TERM:-dumb}" \
			LANG=C.UTF-8 LC_ALL=C.UTF-8 TZ=UTC PGHOST="$tmp" PGPORT=5432 PGUSER=postgres \
			PGDATABASE="${database:-postgres}" "$@"
	)
}

# run_job <command...>: in a process group of its own and in the background, so
# that a signal reaches us at once and the exit trap can end the whole group.
run_job() {
	local status=0
	set -m
	"$@" </dev/null &
	job=$!
	set +m
	wait "$job" || status=$?
	job=
	return "$status"
}

copy_source() {
	local file
	if [ -e .git ] && git -c safe.directory='*' ls-files -z -co --exclude-standard >"$tmp/files" 2>/dev/null; then
		# Files deleted but not yet committed are still listed.
		while IFS= read -r -d '' file; do
			if [ -e "$file" ] || [ -L "$file" ]; then printf '%s\0' "$file"; fi
		done <"$tmp/files" | tar --null -T - -cf - | tar -C "$tmp/src" --no-same-owner -xf -
	else
		tar --exclude=./.git --exclude='*.o' --exclude='*.so' -cf - . | tar -C "$tmp/src" --no-same-owner -xf -
	fi
	# What is fetched is kept in the checkout, for all runs.
	if [ -d .cache ]; then cp -r .cache "$tmp/src/"; fi
	# What tests run and nobody has installed: see fetch_prometheus.
	for file in .cache/debs/prometheus*.deb; do
		if [ "$mode" = test ] && [ -e "$file" ]; then dpkg-deb -x "$file" "$tmp/tools"; fi
	done
}

# PostgreSQL finds its files relative to where its programs are, so a copy of
# its directories at the same places below $tmp is a complete installation.
copy_postgresql() {
	local pkglibdir sharedir includedir
	pkglibdir=$(pg_config_value --pkglibdir)
	sharedir=$(pg_config_value --sharedir)
	includedir=$(pg_config_value --includedir)
	# Only PostgreSQL's own programs: some systems have them in /usr/bin.
	(
		shopt -s nullglob
		cd "$pg_bindir" || exit
		mkdir -p "$tmp$pg_bindir"
		cp -p postgres initdb psql pg_* pgbench* createdb dropdb createuser dropuser vacuumdb "$tmp$pg_bindir"
	)
	# The JIT compiler's bitcode is most of the size, and is not needed.
	tar -C / --exclude=bitcode -cf - "${pkglibdir#/}" "${sharedir#/}" | tar -C "$tmp" -xf -
	if [ -n "$pg_headers" ]; then
		dpkg-deb -x "$pg_headers" "$tmp"
	elif [ ! -e "$tmp$includedir" ]; then
		mkdir -p "$(dirname "$tmp$includedir")"
		ln -s "$includedir" "$tmp$includedir"
	fi
	pgxs_dir=$tmp$pkglibdir/pgxs
}

# build <make variable...>: builds the extension and installs it in the copy, but
# for what draws charts: see charts.sh.
build() {
	local status=0 started=$SECONDS
	heading "build"
	run_job build_steps "$@" >"$tmp/log/build" 2>&1 || status=$?
	if [ "$status" != 0 ]; then
		tail -n 60 "$tmp/log/build"
		die "the extension does not build"
	fi
	echo "built and installed in $((SECONDS - started)) s"
}

build_steps() {
	as_user make -s clean PG_CONFIG="$bin/pg_config" &&
		as_user make -s -j"$(nproc)" all PG_CONFIG="$bin/pg_config" RUNTIME= "$@" &&
		as_user make -s install PG_CONFIG="$bin/pg_config" RUNTIME= "$@"
}

# start_server <fsync>: listens on a unix socket in $tmp and nowhere else.
start_server() {
	local locale=C
	heading "server"
	if locale -a 2>/dev/null | grep -iE '^C\.utf-?8$' >/dev/null; then locale=C.UTF-8; fi
	as_user initdb -D "$tmp/data" -U postgres -A trust -E UTF8 --locale="$locale" -N >"$tmp/log/initdb" 2>&1 ||
		{ cat "$tmp/log/initdb"; die "initdb failed"; }
	as_user tee -a "$tmp/data/postgresql.conf" >/dev/null <<-CONF
		listen_addresses = ''
		unix_socket_directories = '$tmp'
		fsync = $1
		shared_buffers = 256MB
		max_connections = 100
		log_line_prefix = '%m [%p] %q%a '
	CONF
	as_user pg_ctl start -w -D "$tmp/data" -l "$tmp/log/server" >"$tmp/log/pg_ctl" 2>&1 ||
		{ cat "$tmp/log/pg_ctl" "$tmp/log/server"; die "the server does not start"; }
	echo "running on a socket in $tmp, fsync=$1, locale $locale"
}

# create_database <name> <extension...>
create_database() {
	local name=$1 extension
	shift
	as_user psql -qX -v ON_ERROR_STOP=1 -d postgres -c "CREATE DATABASE $name" &&
		for extension; do
			as_user psql -qX -v ON_ERROR_STOP=1 -d "$name" -c "CREATE EXTENSION $extension" || return
		done
}

# Ends every server whose cluster is in $tmp, including those of the TAP tests.
stop_servers() {
	local pidfile datadir pid
	find "$tmp" -name postmaster.pid 2>/dev/null | while IFS= read -r pidfile; do
		datadir=${pidfile%/*}
		pid=$(head -n 1 "$pidfile")
		as_user pg_ctl stop -D "$datadir" -m fast -t 20 >/dev/null 2>&1 || true
		# The number may have passed to another process: that one works elsewhere.
		if [ "$(readlink "/proc/$pid/cwd")" = "$datadir" ]; then kill -QUIT "$pid" || true; fi
	done
}

remove_sandbox() {
	local i
	[ -n "${tmp:-}" ] || return 0
	if [ -n "${job:-}" ]; then
		kill -TERM -- "-$job" 2>/dev/null || true
		for ((i = 0; i < 50; i++)); do
			kill -0 -- "-$job" 2>/dev/null || break
			sleep 0.1
		done
		kill -KILL -- "-$job" 2>/dev/null || true
	fi
	charts_end
	[ "${leave_servers:-no}" = yes ] || stop_servers
	if [ "${KEEP:-0}" = 1 ]; then
		echo "kept: $tmp"
	else
		rm -rf "$tmp"
	fi
}
