# shellcheck shell=bash
# Building, and finding what was built.

# build PRESET [TARGET...]: two builds of one preset wait for each other.
build()
{
	local preset=$1
	local folder=$ROOT/build/$preset
	local targets=() name

	shift
	for name in "$@"; do
		targets+=(--target "$name")
	done
	mkdir -p "$folder"
	(
		flock 9
		cd "$ROOT"
		cmake --preset "$preset" -B "$folder" --log-level=WARNING >/dev/null
		cmake --build "$folder" -j "$(nproc)" "${targets[@]}" >&2 9>&-
	) 9>"$folder/.lock"
}

build_all()
{
	[[ $1 =~ ^[a-z]+$ ]] || usage_error "'$1' is not the name of a preset"
	grep -q "\"name\": \"$1\"" "$ROOT/CMakePresets.json" || usage_error "there is no preset '$1'"
	say "building build/$1"
	build "$1"
	say "built build/$1"
}

# The binaries a lab runs; nothing of the tests.
build_binaries()
{
	local source

	for source in node/main.c coordinator/main.c deploy/cleave/cleave.c; do
		[ -f "$ROOT/$source" ] || die "this tree cannot run a cluster: it has no $source"
	done
	say "building build/release (the first time takes some minutes)"
	build release cleave-node cleave-coordinator cleave
}

binary()
{
	local path=${CLEAVE_BIN:-$ROOT/build/release}/$1

	[ -x "$path" ] || die "there is no $path: run deploy/lab build"
	printf '%s\n' "$path"
}
