# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # run.sh and its other parts share variables
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

# Packages of PostgreSQL itself are of no use to one that was built from source.
is_packaged() { [ "$pg_bindir" = "/usr/lib/postgresql/$pg_major/bin" ]; }

pg_config_value() { "$pg_bindir/pg_config" "$1" 2>/dev/null || echo /nonexistent; }

header_exists() { [ -e "/usr/include/$1" ] || [ -e "/usr/local/include/$1" ]; }

has_extension() { [ -e "$(pg_config_value --sharedir)/extension/$1.control" ]; }

# Prints the packages without which nothing can be compiled.
compiler_packages() {
	command -v gcc >/dev/null || echo gcc
	command -v make >/dev/null || echo make
	header_exists stdio.h || echo libc6-dev
}

# Prints those without which the extension cannot be built or run.  Its headers
# are not among them: see fetch_headers.
server_packages() {
	header_exists cjson/cJSON.h || echo libcjson-dev
	[ -x "$pg_bindir/initdb" ] && [ -x "$pg_bindir/postgres" ] || echo "postgresql-$pg_major"
}

# Whether clang can build a fuzz target.
has_fuzzer() {
	echo 'int LLVMFuzzerTestOneInput(const char *d, long n); int LLVMFuzzerTestOneInput(const char *d, long n) { return 0; }' |
		clang -fsanitize=fuzzer,address,undefined -x c -o /dev/null - 2>/dev/null
}

has_ipc_run() { perl -MIPC::Run -e 1 2>/dev/null; }
find_chromium() { command -v chromium || command -v chromium-browser || command -v google-chrome; }

# stage_packages <stage>: prints those without which it, or some of it, is skipped.
stage_packages() {
	case $1 in
		static | docs) command -v prove >/dev/null || echo perl ;;
		fuzz)
			command -v perl >/dev/null || echo perl
			header_exists cjson/cJSON.h || echo libcjson-dev
			if ! has_fuzzer; then
				echo clang
				apt-cache depends clang 2>/dev/null | sed -nE 's/^ *Depends: clang-([0-9]+)$/libclang-rt-\1-dev/p'
			fi
			;;
		model) command -v spin >/dev/null || echo spin ;;
		pgtap)
			command -v pg_prove >/dev/null || echo libtap-parser-sourcehandler-pgtap-perl
			has_extension pgtap || echo "postgresql-$pg_major-pgtap"
			;;
		tap)
			command -v prove >/dev/null || echo perl
			has_ipc_run || echo libipc-run-perl
			find_chromium >/dev/null || echo chromium
			/usr/bin/python3 -c "import jsonschema" 2>/dev/null || echo python3-jsonschema
			/usr/bin/python3 -c "import psycopg" 2>/dev/null || echo python3-psycopg
			has_extension pg_cron || echo "postgresql-$pg_major-cron"
			compgen -G '/usr/lib/*/faketime/libfaketime.so.1' >/dev/null || echo libfaketime
			command -v spin >/dev/null || echo spin
			;;
		smith) command -v sqlsmith >/dev/null || echo sqlsmith ;;
	esac
}

# Only root may install, and only where there is apt.
may_install() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

# What apt-get tells of its progress, as a line each ten seconds.
show_progress() {
	local kind percent rest next=$((SECONDS + 10))
	while IFS=: read -r kind rest percent rest; do
		[ "$SECONDS" -ge "$next" ] || continue
		case $kind in
			dlstatus) echo "  downloading, ${percent%%.*} %" ;;
			pmstatus) echo "  installing, ${percent%%.*} %" ;;
			*) continue ;;
		esac
		next=$((SECONDS + 10))
	done
}

readonly apt_options=(-q -y -o DPkg::Lock::Timeout=400 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold)

try_apt() {
	{ DEBIAN_FRONTEND=noninteractive apt-get "${apt_options[@]}" -o APT::Status-Fd=3 "$@" 3>&1 >>"$tmp/apt.log" 2>&1; } | show_progress
}

apt() { try_apt "$@" || { tail -n 20 "$tmp/apt.log"; die "apt-get $1 failed"; }; }

lists_are_new=no
update_lists() {
	[ "$lists_are_new" = no ] || return 0
	echo "reading the lists of packages"
	apt update
	lists_are_new=yes
}

# An installation that was broken off keeps the next one from beginning.
mend_packages() {
	[ -n "$(dpkg --audit 2>/dev/null)" ] || return 0
	echo "finishing an installation that was broken off"
	DEBIAN_FRONTEND=noninteractive dpkg --force-confold --configure -a >>"$tmp/apt.log" 2>&1 || true
	apt install --fix-broken
}

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
	for name; do
		if [[ $name != postgresql-* ]] || is_packaged; then wanted+=("$name"); fi
	done
	[ "${#wanted[@]}" != 0 ] || return 0
	if ! may_install; then
		echo "not installed, so that tests are skipped: ${wanted[*]}"
		return
	fi
	update_lists
	set -- "${wanted[@]}"
	wanted=()
	for name; do
		if obtainable "$name"; then wanted+=("$name"); else echo "not to be had: $name"; fi
	done
	[ "${#wanted[@]}" != 0 ] || return 0
	echo "installing ${wanted[*]}"
	try_apt install --no-install-recommends "${wanted[@]}" || echo "not installed: ${wanted[*]}"
}

# fetch_deb <package> [version]: the path of its file, which is kept in .cache.
fetch_deb() {
	local file
	file=$(compgen -G ".cache/debs/$1_${2:-*}_*.deb" | tail -n 1) || true
	if [ -z "$file" ]; then
		mkdir -p .cache/debs
		(cd .cache/debs && timeout 300 apt-get -q download "$1${2:+=$2}" >>"$tmp/apt.log" 2>&1) || return
		file=$(compgen -G ".cache/debs/$1_${2:-*}_*.deb" | tail -n 1) || return
	fi
	echo "$file"
}

# Sets pg_headers, empty where the headers are installed: else to the file of
# their package, which server.sh unpacks.  To install it would bring half a
# gigabyte of compiler, which is only of use to the JIT compiler.
fetch_headers() {
	local package=postgresql-server-dev-$pg_major version
	pg_headers=
	[ ! -e "$(pg_config_value --includedir-server)/postgres.h" ] || return 0
	if is_packaged && command -v apt-get >/dev/null; then
		version=$(dpkg-query -W -f '${Version}' "postgresql-$pg_major" 2>/dev/null) || true
		if ! obtainable "$package" && may_install; then update_lists; fi
		pg_headers=$(fetch_deb "$package" "$version") || pg_headers=$(fetch_deb "$package") || true
	fi
	[ -n "$pg_headers" ] || die "there are no server headers for $pg_bindir: install $package"
}

# Gets Prometheus and its exporter for one test.  They are not installed, as they
# would then run as services from now on; server.sh unpacks them for the test.
fetch_prometheus() {
	local name
	command -v apt-get >/dev/null || return 0
	for name in prometheus prometheus-sql-exporter; do
		if command -v "$name" >/dev/null || ! obtainable "$name"; then continue; fi
		fetch_deb "$name" >/dev/null || echo "not fetched: $name"
	done
}

# prepare_packages [stage...]: afterwards everything needed is there.
prepare_packages() {
	local missing stage optional=
	heading "packages"
	if may_install; then mend_packages; fi
	if needs_server && ! choose_postgresql; then
		# A fresh container has empty package lists.
		if may_install; then update_lists; fi
		if ! choose_postgresql; then
			echo "No PostgreSQL (${supported_majors// /, }) is installed or known to apt. On Debian or Ubuntu:"
			echo "  apt-get update && apt-get install gcc make libc6-dev libcjson-dev postgresql postgresql-server-dev-all"
			die "no PostgreSQL found"
		fi
	fi
	missing=$(lacking)
	if [ -n "$missing" ]; then
		if ! may_install; then
			echo "These packages are missing: $missing"
			echo "As root, on Debian or Ubuntu:"
			echo "  apt-get update && apt-get install $missing"
			die "packages are missing"
		fi
		update_lists
		# shellcheck disable=SC2086 # a list of words
		install_packages $missing
		missing=$(lacking)
		[ -z "$missing" ] || die "still missing after installation: $missing"
	fi
	if needs_server; then fetch_headers; fi
	for stage; do optional+=" $(stage_packages "$stage")"; done
	# shellcheck disable=SC2046,SC2086 # a list of words
	install_optional $(printf '%s\n' $optional | sort -u)
	if [[ " $* " = *" tap "* ]]; then fetch_prometheus; fi
	if needs_server; then echo "$("$pg_bindir/postgres" --version) in $pg_bindir"; fi
}

lacking() { { compiler_packages; if needs_server; then server_packages; fi; page_packages; } | xargs; }

# What the page needs that a demonstration leaves behind.
page_packages() {
	[ "$mode" = demo ] && [ "${KEEP:-0}" = 1 ] || return 0
	/usr/bin/python3 -c "import psycopg" 2>/dev/null || echo python3-psycopg
}
