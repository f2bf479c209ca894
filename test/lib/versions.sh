# shellcheck shell=bash
# shellcheck disable=SC2154 # run.sh and its other parts share variables
# The stage versions: the regression, isolation and pgTAP tests with every other
# PostgreSQL that is there: those of Debian's packages, and those that
# PG_CONFIGS names:
#
#   make test STAGES=versions PG_CONFIGS="/opt/pg17/bin/pg_config /opt/pg18/bin/pg_config"

stage_versions() {
	local others
	mapfile -t others < <(other_versions)
	if [ "${#others[@]}" = 0 ]; then
		skip_stage versions "there is no PostgreSQL but $pg_bindir (see PG_CONFIGS)"
		return
	fi
	run_stage versions '^(ok|not ok|#)' versions_steps "${others[@]}"
	finish_tap
}

# Prints the pg_config of each.
other_versions() {
	local major
	{
		for major in $supported_majors; do
			if has_server "$major" && has_headers "$major"; then echo "/usr/lib/postgresql/$major/bin/pg_config"; fi
		done
		# shellcheck disable=SC2086 # a list of words
		[ -z "${PG_CONFIGS:-}" ] || printf '%s\n' $PG_CONFIGS
	} | grep -vxF "$pg_bindir/pg_config" || true
}

versions_steps() {
	local number=0 config
	echo "1..$#"
	for config; do
		step "$("$config" --version) of $config" env PG_CONFIG="$config" "$top/test/run.sh" test regress isolation pgtap log || true
		# what it lacks
		sed -n 's/^skipped /# skipped /p' <<<"$output"
	done
}
