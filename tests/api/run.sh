#!/usr/bin/env bash
# All API tests against one endpoint: tests/api/run.sh ENDPOINT [CLIENT...]
#   CLIENT  python, javascript, cli (default: all three)
# Key, secret, region and, for https, the authority come from the AWS_* environment that `deploy/lab env` prints.
# CLEAVE_AUTH=open leaves out the tests that need signatures to be checked.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Debian's own: its boto3 is the one that is installed.
readonly PYTHON=/usr/bin/python3

run_python()
{
	local test failed=0

	for test in "$here"/test_*.py; do
		echo "-- $(basename "$test")"
		"$PYTHON" -W ignore::DeprecationWarning "$test" || failed=1
	done
	return "$failed"
}

run_javascript()
{
	local copy

	copy=${CLEAVE_JS_DIR:-$here/../../build/api-js}
	mkdir -p "$copy"
	cp "$here"/js/package.json "$here"/js/package-lock.json "$here"/js/*.mjs "$copy/"
	cd "$copy"
	if ! cmp -s package-lock.json .installed-lock.json; then
		npm ci --omit=dev --no-audit --no-fund --loglevel=error
		cp package-lock.json .installed-lock.json
	fi
	NODE_EXTRA_CA_CERTS=${AWS_CA_BUNDLE:-${NODE_EXTRA_CA_CERTS:-}} node --test test_sdk.mjs test_writes.mjs test_indexes.mjs
}

run_cli()
{
	"$here/test_cli.sh"
}

main()
{
	local client failed=()

	[ $# -ge 1 ] || { sed -n '2,5p' "${BASH_SOURCE[0]}" >&2; exit 2; }
	export CLEAVE_ENDPOINT=$1
	# Loopback is never reached through a proxy, and no settings of the user's take part.
	export NO_PROXY=127.0.0.1,localhost no_proxy=127.0.0.1,localhost
	export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true
	export AWS_PAGER='' PYTHONDONTWRITEBYTECODE=1
	unset AWS_PROFILE AWS_SESSION_TOKEN
	shift
	[ $# -gt 0 ] || set -- python javascript cli
	for client in "$@"; do
		echo "== $client"
		(set -e; "run_$client") || failed+=("$client")
	done
	if [ ${#failed[@]} -gt 0 ]; then
		echo "FAILED: ${failed[*]}"
		exit 1
	fi
	echo "all API tests passed"
}

main "$@"
