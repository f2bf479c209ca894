# shellcheck shell=bash
# shellcheck disable=SC2154 # tmp is set by run.sh
# What has to be installed before anything can be built: chooses the PostgreSQL
# to use (sets pg_bindir and pg_major) and gets the packages it lacks.  Things
# are probed for by file rather than by package, so that a PostgreSQL built from
# source (PG_CONFIG) or a system without dpkg will do as well.

readonly supported_majors="18 17 16 15"

has_server() { [ -x "/usr/lib/postgresql/$1/bin/postgres" ]; }
has_headers() { [ -e "/usr/include/postgresql/$1/server/postgres.h" ]; }

# No grep -q here or below: it would end apt-cache by SIGPIPE, a failure under
# pipefail.
obtainable() {
	LC_ALL=C apt-cache policy "$1" 2>/dev/null | grep '^  Candidate: [0-9]' >/dev/null
}

# An installed server comes before a newer one that would have to be fetched.
choose_postgresql() {
	local major
	if [ -n "${PG_CONFIG:-}" ]; then
		pg_bindir=$("$PG_CONFIG" --bindir) || die "cannot run PG_CONFIG=$PG_CONFIG"
		pg_major=$("$PG_CONFIG" --version | sed -E 's/^PostgreSQL ([0-9]+).*/\1/')
		[ "$pg_major" -ge 15 ] || die "PostgreSQL 15 or later is needed, $PG_CONFIG is of $pg_major"
		return
	fi
	for major in $supported_majors; do
		if has_server "$major" && has_headers "$major"; then
			use_major "$major"
			return
		fi
	done
	for major in $supported_majors; do
		if has_server "$major" && obtainable "postgresql-server-dev-$major"; then
			use_major "$major"
			return
		fi
	done
	for major in $supported_majors; do
		if obtainable "postgresql-$major" && obtainable "postgresql-server-dev-$major"; then
			use_major "$major"
			return
		fi
	done
	return 1
}

use_major() {
	pg_major=$1
	pg_bindir=/usr/lib/postgresql/$1/bin
}

pg_config_value() { "$pg_bindir/pg_config" "$1" 2>/dev/null || echo /nonexistent; }

header_exists() { [ -e "/usr/include/$1" ] || [ -e "/usr/local/include/$1" ]; }

# Prints the names of the packages that are missing for the given mode.
missing_packages() {
	command -v gcc >/dev/null || echo gcc
	command -v make >/dev/null || echo make
	header_exists stdio.h || echo libc6-dev
	header_exists cjson/cJSON.h || echo libcjson-dev
	[ -x "$pg_bindir/initdb" ] && [ -x "$pg_bindir/postgres" ] || echo "postgresql-$pg_major"
	[ -e "$(pg_config_value --includedir-server)/postgres.h" ] || echo "postgresql-server-dev-$pg_major"
	[ "$1" = test ] || return 0
	command -v prove >/dev/null || echo perl
	command -v pg_prove >/dev/null || echo libtap-parser-sourcehandler-pgtap-perl
	perl -MIPC::Run -e 1 2>/dev/null || echo libipc-run-perl
	[ -e "$(pg_config_value --sharedir)/extension/pgtap.control" ] || echo "postgresql-$pg_major-pgtap"
}

# Whether clang can build a fuzz target.
has_fuzzer() {
	echo 'int LLVMFuzzerTestOneInput(const char *d, long n); int LLVMFuzzerTestOneInput(const char *d, long n) { return 0; }' |
		clang -fsanitize=fuzzer,address,undefined -x c -o /dev/null - 2>/dev/null
}

find_chromium() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

# Prints those without which reports have no charts, or some tests are skipped.
optional_packages() {
	[ "$1" != bench ] || return 0
	command -v npm >/dev/null || echo npm
	[ "$1" = test ] || return 0
	find_chromium >/dev/null || echo chromium
	/usr/bin/python3 -c "import jsonschema" 2>/dev/null || echo python3-jsonschema
	/usr/bin/python3 -c "import psycopg" 2>/dev/null || echo python3-psycopg
	[ -e "$(pg_config_value --sharedir)/extension/pg_cron.control" ] || echo "postgresql-$pg_major-cron"
	compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || echo libfaketime
	command -v sqlsmith >/dev/null || echo sqlsmith
	if ! has_fuzzer; then
		echo clang
		apt-cache depends clang 2>/dev/null | sed -nE 's/^ *Depends: clang-([0-9]+)$/libclang-rt-\1-dev/p'
	fi
}

try_apt() {
	DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=400 \
		-o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold "$@" >>"$tmp/apt.log" 2>&1
}

apt() { try_apt "$@" || { tail -n 20 "$tmp/apt.log"; die "apt-get $1 failed"; }; }

install_packages() {
	# Debian's package starts a server of its own when it is installed.  Nobody
	# asked for one here; somebody who has the package already did decide.
	local conf=/etc/postgresql-common/createcluster.conf
	if [ ! -e "$conf" ] && ! dpkg-query -W -f '${Status}' postgresql-common 2>/dev/null | grep ' installed$' >/dev/null; then
		mkdir -p "${conf%/*}"
		echo "create_main_cluster = false" >"$conf"
		echo "wrote $conf, so that no system-wide server is started"
	fi
	echo "installing $*"
	apt install --no-install-recommends "$@"
}

# install_optional <package...>: those that can be had; it is no failure if none can.
install_optional() {
	local name wanted=()
	[ $# != 0 ] || return 0
	[ -s "$tmp/apt.log" ] || try_apt update || true
	for name; do
		if obtainable "$name"; then wanted+=("$name"); fi
	done
	[ "${#wanted[@]}" != 0 ] || return 0
	echo "installing ${wanted[*]}"
	try_apt install --no-install-recommends "${wanted[@]}" || echo "not installed: ${wanted[*]}"
}

# Gets Prometheus and its exporter for one test.  They are not installed, as they
# would then run as services from now on; server.sh unpacks them for the test.
fetch_prometheus() {
	local name
	for name in prometheus prometheus-sql-exporter; do
		if command -v "$name" >/dev/null || compgen -G ".cache/debs/${name}_*.deb" >/dev/null || ! obtainable "$name"; then continue; fi
		mkdir -p .cache/debs
		(cd .cache/debs && timeout 120 apt-get -q download "$name" >>"$tmp/apt.log" 2>&1) || echo "not fetched: $name"
	done
}

# prepare_packages <mode>: afterwards everything needed is there.
prepare_packages() {
	local missing
	heading "packages"
	if ! choose_postgresql; then
		# A fresh container has empty package lists.
		if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then apt update; fi
		if ! choose_postgresql; then
			echo "No PostgreSQL (${supported_majors// /, }) is installed or known to apt. On Debian or Ubuntu:"
			echo "  apt-get update && apt-get install gcc make libc6-dev libcjson-dev postgresql postgresql-server-dev-all"
			die "no PostgreSQL found"
		fi
	fi
	missing=$(missing_packages "$1" | xargs)
	if [ -n "$missing" ]; then
		if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
			echo "These packages are missing: $missing"
			echo "As root, on Debian or Ubuntu:"
			echo "  apt-get update && apt-get install $missing"
			die "packages are missing"
		fi
		[ -s "$tmp/apt.log" ] || apt update
		# shellcheck disable=SC2086 # a list of words
		install_packages $missing
		missing=$(missing_packages "$1" | xargs)
		[ -z "$missing" ] || die "still missing after installation: $missing"
	fi
	if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
		# shellcheck disable=SC2046 # a list of words
		install_optional $(optional_packages "$1")
	fi
	if [ "$1" = test ]; then fetch_prometheus; fi
	echo "$("$pg_bindir/postgres" --version) in $pg_bindir"
}
