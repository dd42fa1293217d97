#!/usr/bin/env bash
# The aws command line against CLEAVE_ENDPOINT: local and global indexes.
set -euo pipefail

# shellcheck source=tests/api/cli_client.sh
. "$(dirname "${BASH_SOURCE[0]}")/cli_client.sh"
table=cli-index-$$-$(date +%s)

# scan_index_until COUNT INDEX: a cluster feeds a global index a moment after the write.
scan_index_until()
{
	local deadline=$((SECONDS + 30)) count

	while :; do
		count=$(db scan --table-name "$table" --index-name "$2" --select COUNT | field '["Count"]')
		[ "$count" != "$1" ] || return 0
		[ "$SECONDS" -lt "$deadline" ] || fail "$2 holds $count rows and not $1"
		sleep 0.1
	done
}

make_table()
{
	db create-table --table-name "$table" --billing-mode PAY_PER_REQUEST --attribute-definitions \
		AttributeName=pk,AttributeType=S AttributeName=sk,AttributeType=N AttributeName=l,AttributeType=N \
		AttributeName=g,AttributeType=S \
		--key-schema AttributeName=pk,KeyType=HASH AttributeName=sk,KeyType=RANGE \
		--local-secondary-indexes 'IndexName=by-l,KeySchema=[{AttributeName=pk,KeyType=HASH},{AttributeName=l,KeyType=RANGE}],Projection={ProjectionType=KEYS_ONLY}' \
		--global-secondary-indexes 'IndexName=by-g,KeySchema=[{AttributeName=g,KeyType=HASH},{AttributeName=sk,KeyType=RANGE}],Projection={ProjectionType=ALL}' \
		'IndexName=by-t,KeySchema=[{AttributeName=g,KeyType=HASH},{AttributeName=pk,KeyType=HASH},{AttributeName=l,KeyType=RANGE},{AttributeName=sk,KeyType=RANGE}],Projection={ProjectionType=KEYS_ONLY}' \
		>/dev/null
	wait_until "$table" ACTIVE
	for sk in 1 2 3 4 5 6 7; do
		db put-item --table-name "$table" --item "{\"pk\": {\"S\": \"q\"}, \"sk\": {\"N\": \"$sk\"},
			\"l\": {\"N\": \"-$sk\"}, \"g\": {\"S\": \"g\"}, \"v\": {\"S\": \"v$sk\"}}"
	done
	scan_index_until 7 by-g
	scan_index_until 7 by-t
}

# Pages of any size, cut and continued by the client, are the whole: by-l has the items in the opposite order.
page_through()
{
	local by_l by_g page token size

	by_l=(query --table-name "$table" --index-name by-l --key-condition-expression 'pk = :p'
		--expression-attribute-values '{":p": {"S": "q"}}')
	by_g=(query --table-name "$table" --index-name by-g --key-condition-expression 'g = :g'
		--expression-attribute-values '{":g": {"S": "g"}}')
	for size in 1 3 7 10; do
		expect "a local index by pages of $size" 7654321 \
			"$(db "${by_l[@]}" --consistent-read --page-size "$size" | sort_keys)"
		expect "a global index by pages of $size" 1234567 "$(db "${by_g[@]}" --page-size "$size" | sort_keys)"
		expect "a scan of a global index by pages of $size" 1234567 \
			"$(db scan --table-name "$table" --index-name by-g --page-size "$size" | sort_keys)"
	done
	page=$(db "${by_g[@]}" --no-scan-index-forward --page-size 2 --max-items 3)
	token=$(field '["NextToken"]' <<<"$page")
	expect "the last items of a global index" 765 "$(sort_keys <<<"$page")"
	expect "the others of it" 4321 "$(db "${by_g[@]}" --no-scan-index-forward --starting-token "$token" | sort_keys)"
	page=$(db "${by_l[@]}" --max-items 4)
	token=$(field '["NextToken"]' <<<"$page")
	expect "the others of a local index" 321 "$(db "${by_l[@]}" --starting-token "$token" | sort_keys)"
	expect "what a local index does not project" v7 \
		"$(db "${by_l[@]}" --select ALL_ATTRIBUTES | field '["Items"][0]["v"]["S"]')"
	expect_error "a strong read of a global index" ValidationException db "${by_g[@]}" --consistent-read
	expect_error "an index that is not there" ValidationException db scan --table-name "$table" --index-name by-x
}

# by-t has two attributes of each kind in its key, and the items in the opposite order.
see_several_attributes()
{
	local by_t values

	by_t=(query --table-name "$table" --index-name by-t)
	values='":p": {"S": "q"}, ":g": {"S": "g"}'
	expect "an index of several attributes by pages" 7654321 "$(db "${by_t[@]}" --page-size 2 \
		--key-condition-expression 'g = :g AND pk = :p' --expression-attribute-values "{$values}" | sort_keys)"
	expect "a range of several attributes" 765 "$(db "${by_t[@]}" --expression-attribute-values \
		"{$values, \":l\": {\"N\": \"-4\"}}" --key-condition-expression 'l < :l AND pk = :p AND g = :g' | sort_keys)"
	expect_error "a part of a partition key" ValidationException db "${by_t[@]}" \
		--key-condition-expression 'g = :g' --expression-attribute-values '{":g": {"S": "g"}}'
}

make_table
page_through
see_several_attributes
db delete-table --table-name "$table" >/dev/null
