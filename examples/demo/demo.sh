#!/usr/bin/env bash
# Shows hwsched at work in the database that PGHOST, PGDATABASE etc. name, where
# the extension has been created.  `make demo` provides one.
#
#   EXAMPLE=fleet        five kinds of worker and a day's mix of tests
#   EXAMPLE=openb        a production GPU cluster: 1,213 nodes, 8,152 tasks
#   EXAMPLE=efficiency   which hardware suits which work
#   EXAMPLE=thermal      warm-up, load and cool-down over six hours
#   EXAMPLE=integrated   register, submit, run, complete
#
# Without EXAMPLE the first two are run.  Fails if what was placed breaks a rule.
# If OUT names a directory, leaves report.html in it: what summary_report() says of
# the last example.
#
#   demo.sh            runs them, and draws the report
#   demo.sh --report   only draws it
#   demo.sh --check    only looks whether there is such an example
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly known="fleet openb efficiency thermal integrated" usual="fleet openb"

title_of() {
	case $1 in
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
