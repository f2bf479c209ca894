# Runs fuzz targets one after the other and prints TAP.
#   sh run.sh <build directory> <libFuzzer options> <target>...
# With KEEP_CORPUS=1 what a target learns is kept for its next run.
build=$1
options=$2
shift 2
# freed memory is watched for a while, but not for all of it
export ASAN_OPTIONS="quarantine_size_mb=8:$ASAN_OPTIONS"
number=0
status=0
for target; do
	number=$((number + 1))
	name=${target%_fuzz}
	corpus=$build/corpus/$name
	[ "${KEEP_CORPUS:-0}" = 1 ] || rm -rf "$corpus"
	mkdir -p "$corpus" "$build/found" "$build/seeds/$name"
	dict=
	if [ -e "$build/$name.dict" ]; then dict=-dict=$build/$name.dict; fi
	# shellcheck disable=SC2086 # lists of options
	if "$build/$target" $options $dict -max_len=4096 -timeout=20 -rss_limit_mb=2048 -detect_leaks=0 -print_final_stats=1 \
		-artifact_prefix="$build/found/$name-" "$corpus" "$build/seeds/$name" >"$build/$name.log" 2>&1; then
		executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$name.log")
		echo "ok $number - $name: $executions executions"
	else
		status=1
		echo "not ok $number - $name"
		grep -E -A 12 '^FINDING|ERROR: AddressSanitizer|ERROR: libFuzzer: [^d]|runtime error' "$build/$name.log" | head -n 40 | sed 's/^/# /'
		for found in "$build/found/$name"-*; do
			if [ -s "$found" ]; then echo "# $(base64 <"$found" | tr -d '\n')"; fi
		done
	fi
done
echo "1..$number"
exit $status
