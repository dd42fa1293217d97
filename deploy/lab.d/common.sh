# shellcheck shell=bash
# Words to the user, and small helpers. Progress goes to stderr: stdout is for what a script may want to read.

say()
{
	printf 'lab: %s\n' "$*" >&2
}

die()
{
	printf 'lab: error: %s\n' "$*" >&2
	exit 1
}

usage_error()
{
	printf 'lab: error: %s (deploy/lab --help lists what there is)\n' "$*" >&2
	exit 2
}

have_command()
{
	command -v "$1" >/dev/null 2>&1
}

# Run a command as root: directly, or through sudo, which may ask only where somebody can answer.
as_root()
{
	if [ "$(id -u)" = 0 ]; then
		"$@"
	elif ! have_command sudo; then
		die "root is needed for: $* (there is no sudo; run it as root, then try again)"
	elif [ -t 0 ] && [ -z "${CI:-}" ]; then
		sudo "$@"
	else
		sudo -n "$@"
	fi
}

# is_among WORD WORD...: the first is one of the others.
is_among()
{
	local wanted=$1 word

	shift
	for word in "$@"; do
		[ "$word" != "$wanted" ] || return 0
	done
	return 1
}
