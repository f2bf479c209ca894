#!/usr/bin/env bash
# Checks that files agree with each other: tests and the lists of them, and the
# documentation and what the source has names for.  Prints TAP.
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

version_is_the_same() {
	[ "$(sed -nE "s/^default_version *= *'(.*)'/\1/p" hwsched.control)" = "$(sed -nE '1,/"version"/s/.*"version": "(.*)",?/\1/p' META.json)" ]
}

# names_all <file> <name...>: what the catalog cannot tell the documentation.
names_all() {
	local file=$1 name missing=
	shift
	if [ $# = 0 ] || [ ! -f "$file" ]; then echo "no $file, or nothing to look for in it"; return 1; fi
	for name; do
		grep -qwF -- "$name" "$file" || missing+="$name "
	done
	[ -z "$missing" ] || { echo "missing: $missing"; return 1; }
}

# Columns, not bytes, and a tab to the next multiple of 4.
lines_are_short() {
	local file long
	long=$(find src -name '*.[ch]' -o -name '*.sql' | sort | while read -r file; do
		expand -t 4 "$file" | awk -v file="$file" 'length > 100 { print file ":" NR ": " length }'
	done)
	[ -z "$long" ] || { echo "$long"; return 1; }
}

is_short() { [ "$(wc -c <"$1")" -le "$2" ] || { wc -c "$1"; return 1; }; }

# Keys of documents, as the tables of fields have them.
document_keys() { grep -v '(Demand,' src/document/document.c | sed -nE 's/^\t([A-Z_]+\([A-Za-z]+, |METRIC\(|\{"|ANY_OBJECT\(")([a-z_]+)[,")].*/\2/p'; }

# Conditions, as PL/pgSQL names them.
conditions() {
	grep -rhoE 'errcode\(ERRCODE_[A-Z_]+' src | sed 's/.*ERRCODE_//' | tr '[:upper:]' '[:lower:]'
	grep -rhoE "ERRCODE = '[a-z_]+'" src/sql | cut -d"'" -f2
}

# A header stands for itself only where it has no .c file.
source_files() {
	local file
	while read -r file; do
		case $file in *.h) [ ! -e "${file%.h}.c" ] || continue ;; esac
		echo "$file"
	done < <(find src -name '*.[ch]' -o -name '*.sql' -o -path 'src/report/*')
}

# The first column of the tables below a heading with a folder of src.
described_files() {
	awk '/^#/ { folder = $1 == "###" && $2 ~ /^src/ ? $2 : "" }
		folder != "" && /^\| `/ {
			split($0, cells, "|")
			for (i = split(cells[2], names, "`"); i > 1; i--)
				if (i % 2 == 0) print folder "/" names[i]
		}' docs/architecture.md
}

architecture_is_true() { diff -u --label src --label docs/architecture.md <(source_files | sort) <(described_files | sort); }

channels() { grep -rhoE 'Async_Notify\("[a-z_]+"' src | cut -d'"' -f2; }

# What leaves the library are the entry points that SQL names, and no others.
exports_are_entry_points() {
	diff -u --label 'named in SQL or as background workers' --label exported \
		<({ grep -hoE "'MODULE_PATHNAME', *'[a-z_]+'" src/sql/*.sql | sed -E "s/.*'([a-z_]+)'/\1/" &&
			sed -nE 's/.*bgw_function_name = "([a-z_]+)".*/\1/p' src/*/*.c; } | sort -u) \
		<(nm -D --defined-only hwsched.so | awk '{ print $NF }' | grep -vxE 'Pg_magic_func|_PG_init|pg_finfo_.*' | sort)
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
check "the library exports its entry points only" exports_are_entry_points
check "src refers from layer to layer before it, without circles" perl test/lib/layers.pl
if command -v clang-format >/dev/null; then
	check "src is formatted" clang-format --dry-run -Werror src/*.c src/*/*.[ch]
fi
check "no line of src has more than 100 columns" lines_are_short
check "hwsched.control and META.json name the same version" version_is_the_same
check "README has 10 KB at most" is_short README.md 10240
mapfile -t documentation < <(find README.md CHANGELOG.md docs -name '*.md')
check "links lead somewhere" perl test/lib/links.pl "${documentation[@]}"
mapfile -t names < <(document_keys)
check "documents.md names every key of a document" names_all docs/documents.md "${names[@]}"
mapfile -t names < <(conditions)
check "errors.md names every condition" names_all docs/errors.md "${names[@]}"
mapfile -t names < <(channels)
check "the reference names every channel" names_all docs/reference/README.md "${names[@]}"
check "architecture.md has a line for every file of src" architecture_is_true
names=(bench/*.s* test/t/*.pl test/lib/* examples/*/*.py)
check "development.md names every benchmark and test" names_all docs/development.md "${names[@]##*/}"
echo "1..$number"
