#!/usr/bin/env bash
# Shows hwsched at work in the database that PGHOST, PGDATABASE etc. name, where
# the extension has been created.  `make demo` provides one.
#
#   EXAMPLE=story        submit, place, run, learn, compare; a week of history beside it
#   EXAMPLE=fleet        five kinds of worker and a day's mix of tests
#   EXAMPLE=openb        a production GPU cluster: 1,213 nodes, 8,152 tasks
#   EXAMPLE=efficiency   which hardware suits which work
#   EXAMPLE=thermal      warm-up, load and cool-down over six hours
#   EXAMPLE=integrated   register, submit, run, complete
#
# Without EXAMPLE the published cluster and the story are run.  Fails if what was placed breaks a rule.
# If OUT names a directory, leaves report.html in it: what summary_report() says of
# the last example.
#
#   demo.sh            runs them, and draws the report
#   demo.sh --report   only draws it
#   demo.sh --page     leaves the cockpit running, with the story going on; prints its address
#   demo.sh --check    only looks whether there is such an example
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly known="story fleet openb efficiency thermal integrated" usual="openb story"

title_of() {
	case $1 in
		story) echo "A story: submit, place, run, learn, compare" ;;
		fleet) echo "Five kinds of worker and a day's mix of tests" ;;
		openb) echo "A production GPU cluster: 1,213 nodes with 6,212 GPUs, 8,152 tasks" ;;
		efficiency) echo "Which hardware suits which work" ;;
		thermal) echo "Warm-up, load and cool-down over six hours" ;;
		integrated) echo "From registering to the report" ;;
	esac
}

run_example() {
	local started=$SECONDS title
	title=$(title_of "$1")
	printf '\n%s\n%s\n' "$title" "${title//?/=}"
	psql -X -q -v ON_ERROR_STOP=1 -f "examples/demo/$1.sql"
	printf '(%s: %d s)\n' "$1" "$((SECONDS - started))"
}

draw_report() {
	[ -n "${OUT:-}" ] || return 0
	psql -X -q -A -t -v ON_ERROR_STOP=1 -o "$OUT/report.html" -c "SELECT hwsched.summary_report(pool => 'demo_$1')"
}

# The page and the story's crew outlive us; to end them is up to who reads the address.
leave_page() {
	local log=${OUT:-.}/cockpit.log crew='' page i
	psql -X -q -c "CREATE ROLE operator LOGIN IN ROLE hwsched_admin" 2>/dev/null || true
	if [ "$(psql -X -A -t -c "SELECT count(*) FROM hwsched.pool WHERE pool = 'demo_story'")" = 1 ]; then
		setsid psql -X -q -v seconds=86400 -f examples/demo/crew.sql >"${OUT:-.}/crew.log" 2>&1 </dev/null &
		crew=$!
	fi
	setsid dashboards/cockpit/cockpit.py --guest --port "${PORT:-8737}" >"$log" 2>&1 </dev/null &
	page=$!
	for ((i = 0; i < 50; i++)); do
		if grep -q http: "$log"; then
			printf '\nThe cockpit: %s\n' "$(grep -o 'http:.*' "$log")"
			echo "To act in it, log in as operator, with any password: this server trusts whoever reaches it."
			echo "To end it: kill $page $crew"
			return
		fi
		sleep 0.1
	done
	cat "$log" >&2
	return 1
}

# shellcheck disable=SC2086 # a list of words
set -- ${EXAMPLE:-$usual} "$@"
examples=()
while [ $# -gt 0 ] && [[ $1 != --* ]]; do
	if [[ " $known " != *" $1 "* ]]; then
		echo "demo.sh: no such example: $1 (there are: ${known// /, })" >&2
		exit 2
	fi
	examples+=("$1")
	shift
done

case ${1:-} in
	--check) ;;
	--report) draw_report "${examples[-1]}" ;;
	--page) leave_page ;;
	'')
		for name in "${examples[@]}"; do
			run_example "$name"
		done
		draw_report "${examples[-1]}"
		;;
	*)
		echo "demo.sh: no such option: $1" >&2
		exit 2
		;;
esac
