# shellcheck shell=bash
# What the tests of the aws command line share.

db()
{
	aws --endpoint-url "$CLEAVE_ENDPOINT" --output json dynamodb "$@"
}

fail()
{
	echo "FAILED: $*" >&2
	exit 1
}

# expect WHAT WANTED GOT
expect()
{
	[ "$2" = "$3" ] || fail "$1: wanted '$2', got '$3'"
	echo "ok: $1"
}

# expect_error WHAT ERROR COMMAND...
expect_error()
{
	local what=$1 error=$2 output

	shift 2
	if output=$("$@" 2>&1); then
		fail "$what: it worked"
	fi
	[[ $output == *"($error)"* ]] || fail "$what: wanted $error, got: $output"
	echo "ok: $what"
}

field()
{
	/usr/bin/python3 -S -c 'import json, sys; print(eval("document" + sys.argv[1], {"document": json.load(sys.stdin)}))' "$1"
}

# wait_until TABLE STATUS: the command line's waiters sleep 20 s between two looks, so they are asked when it is time.
wait_until()
{
	local deadline=$((SECONDS + 30)) status

	while :; do
		status=$(db describe-table --table-name "$1" 2>/dev/null | field '["Table"]["TableStatus"]' 2>/dev/null) ||
			status=GONE
		[ "$status" != "$2" ] || return 0
		[ "$SECONDS" -lt "$deadline" ] || fail "the table is $status and not $2"
		sleep 0.2
	done
}

# The sort keys of the items in an answer, one after the other.
sort_keys()
{
	/usr/bin/python3 -S -c 'import json, sys; print("".join(item["sk"]["N"] for item in json.load(sys.stdin)["Items"]))'
}
