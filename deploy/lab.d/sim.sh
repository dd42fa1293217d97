# shellcheck shell=bash
# The simulator: whole clusters in virtual time, each decided by its seed (tests/sim/README.md).

readonly SIM_SECONDS=${CLEAVE_SIM_SECONDS:-60}

# sim_build PRESET: builds what it needs; says where the program is.
sim_build()
{
	[ -f "$ROOT/tests/sim/sim.c" ] || die "this tree has no simulator"
	build "$1" sim
	printf '%s\n' "$ROOT/build/$1/tests/sim"
}

# lab_sim OPTION...: the options are the program's own; without any, 20 seeds of 60 virtual seconds.
lab_sim()
{
	local program

	program=$(sim_build release)
	"$program" --jobs "$(nproc)" --seconds "$SIM_SECONDS" "$@"
}
