# shellcheck shell=bash
# Everything CI runs, in stages. A stage is a function stage_NAME, run as a process of its own so that its first error ends it.
# A stage whose subject is not in the tree leaves itself out; a stage whose subject is there must pass.

readonly STAGES=(deps lint format dev clang asan tsan fuzz sim api-local api-cluster cluster bench docker)
readonly LEFT_OUT=77
readonly FUZZ_SECONDS=${CLEAVE_FUZZ_SECONDS:-8}
readonly SIM_SEEDS=${CLEAVE_SIM_SEEDS:-200}
readonly CLUSTER_TESTS_AT_ONCE=2
readonly AT_ONCE=$ROOT/deploy/lab.d/at_once.py
readonly TEST_LOGS=$ROOT/build/test-logs

test_run()
{
	local stages=("$@") name

	if [ "$LIST_STAGES" = yes ]; then
		printf '%s\n' "${STAGES[@]}"
		return 0
	fi
	[ ${#stages[@]} -gt 0 ] || stages=("${STAGES[@]}")
	for name in "${stages[@]}"; do
		is_among "$name" "${STAGES[@]}" ||
			usage_error "there is no stage '$name'; there are: ${STAGES[*]}"
	done
	mkdir -p "$TEST_LOGS"
	test_run_stages "${stages[@]}"
}

# Runs each stage, then prints one line per stage and the count.
test_run_stages()
{
	local passed=0 failed=0 lines=() name begin status

	for name in "$@"; do
		begin=$SECONDS
		say "== $name"
		status=0
		"$ROOT/deploy/lab" test-stage "$name" </dev/null >"$TEST_LOGS/$name.log" 2>&1 || status=$?
		lines+=("$(stage_line "$name" "$status" $((SECONDS - begin)))")
		case $status in
		0) passed=$((passed + 1)) ;;
		"$LEFT_OUT") ;;
		*) failed=$((failed + 1)); stage_show_failure "$name" ;;
		esac
		say "${lines[-1]}"
		[ "$name" != deps ] || [ "$status" = 0 ] || break
	done
	printf '\n'
	printf '%s\n' "${lines[@]}"
	printf '%d passed, %d failed\n' "$passed" "$failed"
	[ "$failed" = 0 ]
}

stage_line()
{
	local name=$1 status=$2 seconds=$3

	case $status in
	0) printf '%-12s passed    %4d s\n' "$name" "$seconds" ;;
	"$LEFT_OUT") printf '%-12s left out  %s\n' "$name" "$(tail -n 1 "$TEST_LOGS/$name.log")" ;;
	*) printf '%-12s FAILED    %4d s  (build/test-logs/%s.log)\n' "$name" "$seconds" "$name" ;;
	esac
}

stage_show_failure()
{
	say "the last lines of build/test-logs/$1.log:"
	tail -n 60 "$TEST_LOGS/$1.log" >&2
}

# Entry of the process that runs one stage. What it starts in the background ends with it.
test_stage()
{
	export CLEAVE_TEST_ROOT=$ROOT
	SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/cleave-test.XXXXXX")
	trap stage_cleanup EXIT
	cd "$ROOT"
	"stage_${1//-/_}"
}

stage_cleanup()
{
	local lab

	for lab in "$SCRATCH"/lab*; do
		[ ! -f "$lab/layout" ] || "$ROOT/deploy/lab" down --dir "$lab" || true
	done
	[ -z "${LOCAL_PID:-}" ] || stop_local || true
	rm -rf "$SCRATCH"
}

leave_out()
{
	echo "$*"
	exit "$LEFT_OUT"
}

# True if a file of the tree matches.
tree_has()
{
	compgen -G "$ROOT/$1" >/dev/null
}

# All files of ours with one of the endings given, without what was built or installed.
tree_files()
{
	local conditions=() ending

	for ending in "$@"; do
		conditions+=(-o -name "*.$ending")
	done
	find . \( -path ./build -o -path ./.git -o -path ./lab -o -name node_modules \) -prune -o \
		-type f \( "${conditions[@]:1}" \) -print | sort
}

# The parts in lab.d are checked as part of deploy/lab.
shell_files()
{
	tree_files sh | grep -v '^\./deploy/lab\.d/'
	printf '%s\n' ./deploy/lab ./.ci/run
}

stage_deps()
{
	WITH_TEST_DEPS=yes
	deps_install
}

stage_lint()
{
	python3 tests/lint/test_lint.py
	python3 tests/lint/check_layers.py
	python3 tests/lint/check_style.py
	tree_files py | xargs -r python3 -W error -m py_compile
	shell_files | xargs -r shellcheck -x -a
}

stage_format()
{
	tree_files c h | xargs -r clang-format --dry-run -Werror
}

unit_tests()
{
	ctest --test-dir "build/$1" --output-on-failure --no-tests=error -j "$(nproc)" "${@:2}"
}

stage_dev()
{
	build dev
	unit_tests dev
}

stage_clang()
{
	build clang
}

stage_asan()
{
	build asan
	ASAN_OPTIONS=detect_leaks=1:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1 unit_tests asan
}

# The unit tests that start threads, as one regular expression for ctest.
threaded_tests()
{
	grep -lE 'runtime_uv|pthread_|uv_thread|uv_queue_work' tests/unit/*.c tests/fault/*.c 2>/dev/null |
		sed -E 's|.*/(.*)\.c$|\1|' | paste -sd'|'
}

stage_tsan()
{
	local tests

	tests=$(threaded_tests)
	[ -n "$tests" ] || leave_out "no unit test starts threads"
	build tsan
	TSAN_OPTIONS="halt_on_error=1 ignore_noninstrumented_modules=1 suppressions=$ROOT/deploy/lab.d/tsan.supp" unit_tests tsan -R "^($tests)\$"
}

# Each target over its committed corpus, and then on from there for some seconds.
stage_fuzz()
{
	local source

	tree_has 'tests/fuzz/fuzz_*.c' || leave_out "there is no fuzz target"
	build fuzz
	mkdir -p build/fuzz/failures
	for source in tests/fuzz/fuzz_*.c; do
		fuzz_command "$(basename "$source" .c)"
	done >"$SCRATCH/targets"
	python3 "$AT_ONCE" "$(nproc)" <"$SCRATCH/targets"
}

# A line for at_once.py.
fuzz_command()
{
	local name=$1 corpus=tests/fuzz/corpus/$1

	[ -d "$corpus" ] || die "$name has no committed corpus in $corpus"
	mkdir -p "$SCRATCH/found/$name"
	printf '%s ' "$name" "build/fuzz/fuzz/$name" "-max_total_time=$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=2048 \
		-print_final_stats=1 -verbosity=1 "-artifact_prefix=build/fuzz/failures/$name-" "$SCRATCH/found/$name" "$corpus"
	printf '\n'
}

stage_sim()
{
	tree_has 'tests/sim/*.c' || leave_out "there is no simulator"
	lab_sim --seeds "$SIM_SEEDS"
}

# Credentials for a test server; exported for the clients.
make_credentials()
{
	export AWS_ACCESS_KEY_ID=AKIATESTTESTTESTTEST AWS_DEFAULT_REGION=us-east-1
	AWS_SECRET_ACCESS_KEY=$(openssl rand -hex 20)
	export AWS_SECRET_ACCESS_KEY
	printf '%s %s\n' "$AWS_ACCESS_KEY_ID" "$AWS_SECRET_ACCESS_KEY" >"$1"
}

free_port()
{
	python3 deploy/lab.d/ports.py one
}

wait_local()
{
	local endpoint=$1 deadline=$((SECONDS + 30))

	until curl -fsS --noproxy '*' "$endpoint/" >/dev/null 2>&1; do
		kill -0 "$LOCAL_PID" 2>/dev/null || { cat "$SCRATCH/local.log"; die "cleave local ended while starting"; }
		[ "$SECONDS" -lt "$deadline" ] || { cat "$SCRATCH/local.log"; die "cleave local did not answer"; }
		sleep 0.1
	done
}

stop_local()
{
	local pid=$LOCAL_PID

	LOCAL_PID=
	kill -TERM "$pid" && wait "$pid"
}

stage_api_local()
{
	local port

	tree_has 'deploy/cleave/*.c' || leave_out "the cleave tool is not in the tree"
	build_binaries
	make_credentials "$SCRATCH/credentials"
	port=$(free_port)
	"$(binary cleave)" local --port "$port" --memory --auth strict --credentials "$SCRATCH/credentials" \
		--region us-east-1 >"$SCRATCH/local.log" 2>&1 &
	LOCAL_PID=$!
	wait_local "http://127.0.0.1:$port"
	tests/api/run.sh "http://127.0.0.1:$port" || { tail -n 40 "$SCRATCH/local.log"; return 1; }
	stop_local || die "cleave local did not stop cleanly"
}

require_cluster_sources()
{
	tree_has node/main.c || leave_out "cleave-node is not in the tree"
	tree_has coordinator/main.c || leave_out "cleave-coordinator is not in the tree"
	tree_has deploy/cleave/cleave.c || leave_out "the cleave tool is not in the tree"
}

# Once over http and once over https, each against a lab of its own.
stage_api_cluster()
{
	require_cluster_sources
	build_binaries
	CLEAVE_BIN=$ROOT/build/release
	export CLEAVE_BIN
	api_against_lab "$SCRATCH/lab-http"
	api_against_lab "$SCRATCH/lab-https" --tls
}

api_against_lab()
{
	local dir=$1

	shift
	deploy/lab up --dir "$dir" --port "$(free_port)" "$@"
	(
		eval "$(deploy/lab env --dir "$dir")"
		tests/api/run.sh "$AWS_ENDPOINT_URL"
	) || { deploy/lab logs --dir "$dir"; return 1; }
	deploy/lab down --wipe --dir "$dir"
}

# The tests wait more than they work, so two run at a time, each with labs of its own.
stage_cluster()
{
	local test

	require_cluster_sources
	tree_has 'tests/cluster/test_*.py' || leave_out "there is no cluster test"
	build_binaries
	build_chaos_programs
	export CLEAVE_BIN=$ROOT/build/release
	for test in tests/cluster/test_*.py tests/chaos/test_*.py; do
		printf '%s python3 %s\n' "$test" "$test"
	done | python3 "$AT_ONCE" "$CLUSTER_TESTS_AT_ONCE"
}

# Does every load of ours still run?  No figures: other machines, other days.
stage_bench()
{
	require_cluster_sources
	build_for_bench
	CLEAVE_BIN=$ROOT/build/release CLEAVE_BENCH_DIR=$SCRATCH/bench
	export CLEAVE_BIN CLEAVE_BENCH_DIR
	tests/bench/compare --help >/dev/null
	tests/bench/compare --own-only --seconds 1
}

stage_docker()
{
	require_cluster_sources
	tests/cluster/docker_test.sh
}
