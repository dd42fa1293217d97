# shellcheck shell=bash
# A chaos run: tests/chaos does the work, here is what it needs.

# Built beside the binaries; the checkers and the network of the chaos tests.
readonly CHAOS_PROGRAMS=(chaos_judge chaos_switch replica_digest power_cut)

build_chaos_programs()
{
	build release "${CHAOS_PROGRAMS[@]}"
}

lab_chaos()
{
	if [ -z "${CLEAVE_BIN:-}" ]; then
		WITH_TEST_DEPS=yes
		deps_install
		build_binaries
		build_chaos_programs
	fi
	exec python3 "$ROOT/tests/chaos/run_chaos.py" "$@"
}
