# shellcheck shell=bash
# shellcheck disable=SC2154 # run.sh and its other parts share variables
# The stages of `make test`.  Each runs one kind of test, keeps its output in
# $tmp/log/<stage>, and counts from that output what passed and what failed.  A
# stage that has files but runs no test, runs fewer than announced, or exits
# with an error without naming a failed test, counts as one failure.

readonly all_stages="static unit fuzz model regress docs isolation pgtap tap smith versions log"
# Those that take longer than CI has, and are run when asked for.
readonly extra_stages="sanitize slow coverage"
passed=0
failed=0
left_out=()

check_stages() {
	local name
	for name; do
		case " $all_stages $extra_stages " in
			*" $name "*) ;;
			*)
				echo "hwsched: no such stage: $name (there are: $all_stages $extra_stages)" >&2
				exit 2
				;;
		esac
	done
}

# Whether anything that is asked for needs a PostgreSQL.
needs_server() {
	local name
	[ "$mode" = test ] || return 0
	for name in "${stages[@]}"; do
		case $name in
			unit | fuzz | model) ;;
			*) return 0 ;;
		esac
	done
	return 1
}

# skip_stage <name> <why>: what is skipped is said again at the end.
skip_stage() {
	heading "$1"
	echo "$1: skipped, $2"
	left_out+=("$1: $2")
}

# run_stage <name> <shown> <command...>: <shown> is the pattern of those lines
# of output which are printed while the stage runs.  Sets $stage_status.
run_stage() {
	stage=$1
	local shown=$2
	shift 2
	heading "$stage"
	stage_started=$SECONDS
	stage_status=0
	run_job logged "$shown" "$@" || stage_status=$?
}

logged() {
	local shown=$1
	shift
	"$@" 2>&1 | tee "$tmp/log/$stage" | sed -nuE "/$shown/p"
}

count() { grep -cE -- "$1" "$tmp/log/$stage" || true; }

# finish_stage <passed> <failed> <announced>; counts $skipped as having run.
finish_stage() {
	local ok=$1 not_ok=$2 announced=$3 note='' why=''
	if [ $((ok + not_ok)) = 0 ]; then
		why="no test ran"
	elif [ $((ok + not_ok + skipped)) -lt "$announced" ]; then
		why="$announced tests announced, $((ok + not_ok + skipped)) ran"
	elif [ "$stage_status" != 0 ] && [ "$not_ok" = 0 ]; then
		why="exit status $stage_status"
	fi
	if [ -n "$why" ]; then
		not_ok=$((not_ok + 1))
		echo "--- end of the output of $stage:"
		tail -n 40 "$tmp/log/$stage"
		echo "--- $stage: $why"
	fi
	passed=$((passed + ok))
	failed=$((failed + not_ok))
	if [ "$skipped" != 0 ]; then note=", $skipped skipped"; fi
	echo "$stage: $ok passed, $not_ok failed$note ($((SECONDS - stage_started)) s)"
}

# The output is TAP.  What is skipped has not passed; what fails as a TODO has
# not failed.
finish_tap() {
	local ok not_ok todo announced
	skipped=$(count '^ok [0-9]+.*# *[Ss][Kk][Ii][Pp]')
	todo=$(count '^not ok [0-9]+.*# *[Tt][Oo][Dd][Oo]')
	ok=$(($(count '^ok [0-9]+') - skipped))
	not_ok=$(($(count '^not ok [0-9]+') - todo))
	skipped=$((skipped + todo))
	announced=$(awk -F'[. ]+' '/^1\.\.[0-9]/ { sum += $2 } END { print sum + 0 }' "$tmp/log/$stage")
	if [ "$not_ok" != 0 ]; then
		echo "--- failed in $stage:"
		grep -E -A 12 '^not ok' "$tmp/log/$stage" | grep -E '^(not ok|#|Bail)' || true
	fi
	finish_stage "$ok" "$not_ok" "$announced"
}

# The output is pg_regress': "test a ... ok" until PostgreSQL 15, TAP since.
# $1: directory of regression.diffs; $2: number of tests.
finish_regress() {
	local not_ok
	skipped=0
	not_ok=$(count '\.\.\. FAILED|^not ok [0-9]+')
	if [ -s "$tmp/src/$1/regression.diffs" ]; then
		head -n 400 "$tmp/src/$1/regression.diffs"
	fi
	finish_stage "$(count '^(test|    ) +[^ ]+ +\.\.\. ok|^ok [0-9]+')" "$not_ok" "$2"
}

have() {
	local files
	mapfile -t files < <(cd "$tmp/src" && compgen -G "$1")
	[ "${#files[@]}" -gt 0 ]
}

run_stages() {
	local name
	for name; do "stage_$name"; done
}

# Agreement between files, which no server is needed for.
stage_static() {
	run_stage static '^#$' as_user bash test/lib/static.sh
	finish_tap
}

stage_unit() {
	have 'test/unit/*_test.c' || return 0
	run_stage unit '^# .*_test$' as_user make --no-print-directory -C test/unit clean check
	finish_tap
}

# A short run of the fuzz targets; test/fuzz/Makefile has the long one.
stage_fuzz() {
	have 'test/fuzz/*_fuzz.c' || return 0
	if ! has_fuzzer; then
		skip_stage fuzz "there is no clang with libFuzzer (packages clang and libclang-rt-NN-dev)"
		return
	fi
	run_stage fuzz '^(ok|not ok|#)' as_user make --no-print-directory -j"$(nproc)" -C test/fuzz check
	finish_tap
}

stage_model() {
	if ! command -v spin >/dev/null; then
		skip_stage model "there is no spin (package spin)"
		return
	fi
	run_stage model '^(ok|not ok|#)' as_user bash test/model/check.sh
	finish_tap
}

# lacks <stage> <program of PGXS...>: skips the stage if the PostgreSQL has it not.
lacks() {
	local name=$1 program
	shift
	for program; do
		if [ ! -e "$pgxs_dir/src/test/$program" ]; then
			skip_stage "$name" "this PostgreSQL was installed without $program"
			return 0
		fi
	done
	return 1
}

stage_regress() {
	have 'sql/*.sql' || return 0
	! lacks regress regress/pg_regress || return 0
	run_stage regress '^(test|ok|not ok|    ) ' as_user make installcheck ISOLATION= PG_CONFIG="$bin/pg_config"
	finish_regress . "$(as_user make -s list-regress | wc -w)"
}

# With ACCEPT=1 what the documentation shows is written anew, not compared.
stage_docs() {
	local file accept=()
	if [ "${ACCEPT:-0}" = 1 ]; then accept=(--accept); fi
	run_stage docs '^(ok|not ok|#)' as_user perl test/lib/docs.pl "${accept[@]}"
	if [ "${ACCEPT:-0}" = 1 ]; then
		while read -r file; do
			cmp -s "$tmp/src/$file" "$file" || cp "$tmp/src/$file" "$file"
		done < <(find README.md docs -name '*.md')
	fi
	finish_tap
}

stage_isolation() {
	have 'test/isolation/specs/*.spec' || return 0
	! lacks isolation isolation/pg_isolation_regress isolation/isolationtester || return 0
	# who waits for the pool's lock is told so after a second, however slow the machine
	run_stage isolation '^(test|ok|not ok|    ) ' as_user env PGOPTIONS='-c client_min_messages=warning' \
		make installcheck REGRESS= PG_CONFIG="$bin/pg_config"
	finish_regress test/isolation "$(find "$tmp/src/test/isolation/specs" -name '*.spec' | wc -l)"
}

stage_pgtap() {
	have 'test/pgtap/*.sql' || return 0
	if ! command -v pg_prove >/dev/null; then
		skip_stage pgtap "there is no pg_prove (package libtap-parser-sourcehandler-pgtap-perl)"
		return
	fi
	if ! has_extension pgtap; then
		skip_stage pgtap "this PostgreSQL has no pgTAP (package postgresql-$pg_major-pgtap)"
		return
	fi
	run_stage pgtap '^test\/pgtap' pgtap_steps
	finish_tap
}

pgtap_steps() {
	create_database pgtap hwsched pgtap &&
		database=pgtap as_user pg_prove --ext .sql --merge --verbose test/pgtap
}

stage_tap() {
	have 'test/t/*.pl' || return 0
	! lacks tap perl/PostgreSQL/Test/Cluster.pm regress/pg_regress || return 0
	if ! command -v prove >/dev/null || ! has_ipc_run; then
		skip_stage tap "there is no prove or no IPC::Run (packages perl and libipc-run-perl)"
		return
	fi
	charts_finish
	# what tests are asked for more by: HWSCHED_FIRE and the like
	local name asked=()
	for name in "${!HWSCHED_@}"; do asked+=("$name=${!name}"); done
	# As PGXS does, but that one looks for t/ only.
	run_stage tap '^test\/t' as_user env "${asked[@]}" TESTDIR="$tmp/tap" TESTDATADIR="$tmp/tap/data" \
		TESTLOGDIR="$tmp/tap/log" PG_REGRESS="$pgxs_dir/src/test/regress/pg_regress" \
		bash -c "mkdir -p '$tmp/tap/tmp_check' '$tmp/tap/data' '$tmp/tap/log' && prove --jobs ${PROVE_JOBS:-2} --merge --verbose -I '$pgxs_dir/src/test/perl' ${PROVE_TESTS:-test/t/*.pl}"
	finish_tap
}

# A crash or a leaked reference is only told to the server's log.
stage_log() {
	run_stage log '^#$' check_log
	finish_tap
}

# Servers of TAP tests are killed on purpose, and one ends itself: it has no room for its log.
check_log() {
	local trouble='TRAP:|(refcount|reference|file) leak|was not closed'
	echo 1..1
	{
		grep -E "$trouble|PANIC:|was terminated by signal" "$tmp/log/server"
		grep -rE "$trouble|was terminated by signal (7|8|11)" "$tmp/tap" --include='*.log'
		grep -rE "was terminated by signal 6" "$tmp/tap" --include='*.log' --exclude='012_limits_*'
	} >"$tmp/log/trouble" 2>/dev/null || true
	if [ -s "$tmp/log/trouble" ]; then
		echo "not ok 1 - trouble in the servers' logs"
		sed 's/^/# /' "$tmp/log/trouble" | head -n 20
	else
		echo "ok 1 - no crash and no leak in the servers' logs"
	fi
}
