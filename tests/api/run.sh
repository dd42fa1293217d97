#!/usr/bin/env bash
# All API tests against one endpoint: tests/api/run.sh ENDPOINT [CLIENT...]
#   CLIENT  python, javascript, cli (default: all three)
# Key, secret, region and, for https, the authority come from the AWS_* environment that `deploy/lab env` prints.
# CLEAVE_AUTH=open leaves out the tests that need signatures to be checked.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Debian's own: its boto3 is the one that is installed.
readonly PYTHON=/usr/bin/python3

# At most so many tests at a time: each waits for the server and for itself in turn, and has tables of its own.
AT_ONCE=$(($(nproc) + 1))
readonly AT_ONCE

# print_tests COMMAND TEST...: one a line, as at_once.py takes them.
print_tests()
{
	local command=$1 test

	shift
	for test in "$@"; do
		printf '%s %s %q\n' "${test##*/}" "$command" "$test"
	done
}

tests_of()
{
	case $1 in
	python) print_tests "$PYTHON -W ignore::DeprecationWarning" "$here"/test_*.py ;;
	javascript) print_tests bash "$here"/test_js.sh ;;
	cli) print_tests bash "$here"/test_cli*.sh ;;
	*) echo "run.sh: there is no client '$1'" >&2; return 1 ;;
	esac
}

main()
{
	local client

	[ $# -ge 1 ] || { sed -n '2,5p' "${BASH_SOURCE[0]}" >&2; exit 2; }
	export CLEAVE_ENDPOINT=$1
	# Loopback is never reached through a proxy, and no settings of the user's take part.
	export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost
	export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
	export AWS_PAGER='' PYTHONDONTWRITEBYTECODE=1
	unset AWS_PROFILE AWS_SESSION_TOKEN
	shift
	[ $# -gt 0 ] || set -- cli javascript python # the slow ones first
	for client in "$@"; do
		tests_of "$client"
	done | python3 "$here/../../deploy/lab.d/at_once.py" "$AT_ONCE"
	echo "all API tests passed"
}

main "$@"
