#!/usr/bin/env bash
# Shows hwsched at work in the database that PGHOST, PGDATABASE etc. name, where
# the extension has been created.  `make demo` provides one.
#
#   EXAMPLE=fleet   five kinds of worker and a day's mix of tests
#   EXAMPLE=openb   a production GPU cluster: 1,213 nodes, 8,152 tasks
#
# Without EXAMPLE both are run.  Fails if what was placed breaks a rule.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly known="fleet openb"

title_of() {
	case $1 in
		fleet) echo "Five kinds of worker and a day's mix of tests" ;;
		openb) echo "A production GPU cluster: 1,213 nodes with 6,212 GPUs, 8,152 tasks" ;;
	esac
}

run_example() {
	local started=$SECONDS title
	title=$(title_of "$1")
	printf '\n%s\n%s\n' "$title" "${title//?/=}"
	psql -X -q -v ON_ERROR_STOP=1 -f "examples/demo/$1.sql"
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
for name in ${example:-$known}; do
	run_example "$name"
done
