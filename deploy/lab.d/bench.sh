# shellcheck shell=bash
# Measuring: a load on this lab, or our figures beside those of other systems.

# lab_bench [compare] WORD...: the words go to `cleave bench`, or to tests/bench/compare.
lab_bench()
{
	if [ "${1:-}" = compare ]; then
		shift
		[ -n "${CLEAVE_BIN:-}" ] || build_for_bench
		exec "$ROOT/tests/bench/compare" "$@"
	fi
	bench_lab "$@"
}

build_for_bench()
{
	build_binaries
	build release append_sync chain_sync
}

bench_lab()
{
	local program

	program=$(binary cleave)
	lab_load
	eval "$(lab_env)"
	[ "${SHAPE[tls]}" = no ] || AWS_ENDPOINT_URL=http://127.0.0.1:$(coordinator_plain_port coordinator-1)
	exec "$program" bench --target "$AWS_ENDPOINT_URL" --server-pids "$(bench_pids)" "$@"
}

# The processes whose CPU time is counted, as 12,34.
bench_pids()
{
	local name

	for name in $(process_names); do
		running_pid "$name" || die "$name does not run: a lab is measured whole"
	done | paste -sd,
}
