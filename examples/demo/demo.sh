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
# Leaves report.html in $OUT: what summary_report() says of the last example.
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
	if [ -n "${OUT:-}" ]; then
		psql -X -q -A -t -v ON_ERROR_STOP=1 -o "$OUT/report.html" -c "SELECT hwsched.summary_report(pool => 'demo_$1')"
	fi
	printf '(%s: %d s)\n' "$1" "$((SECONDS - started))"
}

example=${EXAMPLE:-}
case " $known " in
	*" $example "*) ;;
	*)
		if [ -n "$example" ]; then
			echo "demo.sh: no such example: $example (there are: ${known// /, })" >&2
			exit 2
		fi
		;;
esac

# shellcheck disable=SC2086 # a list of words
for name in ${example:-$usual}; do
	run_example "$name"
done
