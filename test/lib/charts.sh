# shellcheck shell=bash
# shellcheck disable=SC2154 # run.sh and its other parts share variables
# What draws the charts of reports is fetched by npm, and Debian's npm comes with
# hundreds of packages.  That happens beside all else; only what shows charts
# waits for it.  Reports do without if it cannot be had.

charts_job=

charts_begin() {
	if src/report/runtime.sh --cached; then return; fi
	if ! command -v npm >/dev/null; then
		may_install && obtainable npm || return 0
		echo "npm, which fetches what draws charts, is installed beside all else"
	fi
	: >"$tmp/log/charts.progress"
	set -m
	charts_steps >"$tmp/log/charts" 2>&1 3>>"$tmp/log/charts.progress" &
	charts_job=$!
	set +m
}

# An installation that is broken off leaves a system that takes no other, so it is
# in a session of its own and is not ended with us; a download may be.
charts_steps() {
	local install=(apt-get "${apt_options[@]}" -o APT::Status-Fd=3 --no-install-recommends install npm)
	export DEBIAN_FRONTEND=noninteractive
	if ! command -v npm >/dev/null; then
		"${install[@]}" --download-only && setsid "${install[@]}" || return
	fi
	echo "npmstatus" >&3
	src/report/runtime.sh >/dev/null
}

is_installing_npm() { [[ $(tail -n 1 "$tmp/log/charts.progress") = pmstatus:* ]]; }

charts_progress() { tail -n +1 -f --pid="$charts_job" "$tmp/log/charts.progress" | show_progress; }

# Waits for it, and installs it beside the extension.
charts_finish() {
	if [ -n "$charts_job" ]; then
		if kill -0 "$charts_job" 2>/dev/null; then echo "waiting for what draws charts"; fi
		run_job charts_progress
		wait "$charts_job" || true
		charts_job=
	fi
	if ! src/report/runtime.sh --cached; then
		[ ! -e "$tmp/log/charts" ] || tail -n 3 "$tmp/log/charts"
		echo "what draws charts is not to be had: reports have tables alone"
		return
	fi
	cp -r .cache "$tmp/src/"
	if [ -n "$run_as" ]; then chown -R "$run_as:" "$tmp/src/.cache"; fi
	as_user make -s install PG_CONFIG="$bin/pg_config" >>"$tmp/log/build" 2>&1 || { tail -n 20 "$tmp/log/build"; die "what draws charts is not installed"; }
}

charts_end() {
	[ -n "$charts_job" ] || return 0
	if is_installing_npm; then echo "apt-get still installs npm, and ends by itself"; fi
	kill -TERM -- "-$charts_job" 2>/dev/null || true
	charts_job=
}
