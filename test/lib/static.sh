#!/usr/bin/env bash
# Checks that files agree with each other: tests and the lists of them, and the
# README's tour and what the tour really prints.  Prints TAP.
set -euo pipefail
shopt -s nullglob
number=0

# check <description> <command...>
check() {
	local description=$1 output
	shift
	number=$((number + 1))
	if output=$("$@" 2>&1); then
		echo "ok $number - $description"
	else
		echo "not ok $number - $description"
		if [ -n "$output" ]; then echo "# ${output//$'\n'/$'\n'# }"; fi
	fi
}

listed() { grep -qxF "$1" <<<"$regress"; }

# What stands between the two marker comments, without the code fence.
readme_tour() {
	sed -n '/^<!-- tour -->$/,/^<!-- \/tour -->$/p' README.md | sed -e '/^<!-- .*tour -->$/d' -e '/^```/d' -e '1{/^$/d}' -e '${/^$/d}'
}

tour_is_printed() { diff -u --label README.md --label expected/tour.out <(readme_tour) expected/tour.out; }

version_is_the_same() {
	[ "$(sed -nE "s/^default_version *= *'(.*)'/\1/p" hwsched.control)" = "$(sed -nE '1,/"version"/s/.*"version": "(.*)",?/\1/p' META.json)" ]
}

# The names that users call: functions, views and settings.
public_names() {
	sed -nE 's/^CREATE (FUNCTION|VIEW) hwsched\.([a-z_]+).*/\2/p' src/sql/*.sql | grep -v '^taxonomy_changed$'
	sed -nE "s/^    \\('([a-z_]+)', .*/\\1/p" src/sql/50_fleet.sql
}

readme_names_all() {
	local name missing=
	while read -r name; do
		grep -qwF "$name" README.md || missing+="$name "
	done < <(public_names)
	[ -z "$missing" ] || { echo "missing: $missing"; return 1; }
}

regress=$(make -s list-regress | tr ' ' '\n')

for file in sql/*.sql; do
	name=$(basename "$file" .sql)
	check "$file is named in REGRESS" listed "$name"
	check "$file has its expected output" test -s "expected/$name.out"
done
for name in $regress; do
	check "$name of REGRESS is in sql" test -s "sql/$name.sql"
done
for file in test/isolation/specs/*.spec; do
	name=$(basename "$file" .spec)
	check "$file has its expected output" test -s "test/isolation/expected/$name.out"
done
check "hwsched.control and META.json name the same version" version_is_the_same
check "the README's tour is what the tour prints" tour_is_printed
check "README names every function, view and setting" readme_names_all
echo "1..$number"
