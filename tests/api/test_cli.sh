#!/usr/bin/env bash
# The aws command line against CLEAVE_ENDPOINT: a table's life with its waiters, items, pages, indexes, errors.
set -euo pipefail

table=cli-$$-$(date +%s)

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
	python3 -c 'import json, sys; print(eval("document" + sys.argv[1], {"document": json.load(sys.stdin)}))' "$1"
}

create_table()
{
	db create-table --table-name "$table" --attribute-definitions AttributeName=pk,AttributeType=S \
		AttributeName=sk,AttributeType=N --key-schema AttributeName=pk,KeyType=HASH AttributeName=sk,KeyType=RANGE \
		--billing-mode PAY_PER_REQUEST >/dev/null
}

# wait_until TABLE_STATUS: the command line's waiters sleep 20 s between two looks, so they are asked when it is time.
wait_until()
{
	local deadline=$((SECONDS + 30)) status

	while :; do
		status=$(db describe-table --table-name "$table" 2>/dev/null | field '["Table"]["TableStatus"]' 2>/dev/null) ||
			status=GONE
		[ "$status" != "$1" ] || return 0
		[ "$SECONDS" -lt "$deadline" ] || fail "the table is $status and not $1"
		sleep 0.2
	done
}

make_table()
{
	create_table
	wait_until ACTIVE
	db wait table-exists --table-name "$table"
	expect "the table is active" ACTIVE "$(db describe-table --table-name "$table" | field '["Table"]["TableStatus"]')"
	expect "the table is listed" True "$(db list-tables | field "['TableNames'].count('$table') == 1")"
}

use_tags()
{
	local arn

	arn=$(db describe-table --table-name "$table" | field '["Table"]["TableArn"]')
	expect "a tag is put" '' "$(db tag-resource --resource-arn "$arn" --tags Key=team,Value=blue Key=cost,Value=7)"
	expect "it is listed" blue "$(db list-tags-of-resource --resource-arn "$arn" | field '["Tags"][0]["Value"]')"
	db untag-resource --resource-arn "$arn" --tag-keys team
	expect "it is gone" cost "$(db list-tags-of-resource --resource-arn "$arn" | field '["Tags"][0]["Key"]')"
	expect "the ARN names the table" "$table" "$(db describe-table --table-name "$arn" | field '["Table"]["TableName"]')"
	expect_error "a table that is not" ResourceNotFoundException db list-tags-of-resource --resource-arn "${arn}x"
}

write_on_condition()
{
	local key='{"pk": {"S": "c"}, "sk": {"N": "1"}}' one='{":one": {"N": "1"}}' update

	update=(update-item --table-name "$table" --key "$key" --update-expression 'ADD n :one'
		--expression-attribute-values "$one" --return-values UPDATED_NEW)
	expect "a counter begins" 1 "$(db "${update[@]}" | field '["Attributes"]["n"]["N"]')"
	expect "a counter counts" 2 "$(db "${update[@]}" | field '["Attributes"]["n"]["N"]')"
	expect_error "an item that must not be there" ConditionalCheckFailedException \
		db put-item --table-name "$table" --item "$key" --condition-expression 'attribute_not_exists(pk)'
	expect_error "the wrong version" ConditionalCheckFailedException \
		db delete-item --table-name "$table" --key "$key" --condition-expression 'n = :one' \
		--expression-attribute-values "$one"
	expect_error "a key that is updated" ValidationException \
		db update-item --table-name "$table" --key "$key" --update-expression 'SET sk = :one' \
		--expression-attribute-values "$one"
	expect "an old condition that holds" 2 "$(db delete-item --table-name "$table" --key "$key" \
		--expected '{"n": {"Value": {"N": "2"}}}' --return-values ALL_OLD | field '["Attributes"]["n"]["N"]')"
	expect "a batch leaves nothing" '{}' "$(db batch-write-item \
		--request-items "{\"$table\": [{\"PutRequest\": {\"Item\": $key}}]}" | field '["UnprocessedItems"]')"
	expect "a batch deletes" '{}' "$(db batch-write-item \
		--request-items "{\"$table\": [{\"DeleteRequest\": {\"Key\": $key}}]}" | field '["UnprocessedItems"]')"
	expect "it is gone" '' "$(db get-item --table-name "$table" --key "$key" --consistent-read)"
}

use_items()
{
	local key='{"pk": {"S": "a"}, "sk": {"N": "1"}}'

	db put-item --table-name "$table" --item '{"pk": {"S": "a"}, "sk": {"N": "1"}, "v": {"L": [{"BOOL": true}]}}'
	expect "a put is read back" True \
		"$(db get-item --table-name "$table" --key "$key" --consistent-read | field '["Item"]["v"]["L"][0]["BOOL"]')"
	expect "a delete returns the item" a \
		"$(db delete-item --table-name "$table" --key "$key" --return-values ALL_OLD | field '["Attributes"]["pk"]["S"]')"
	expect "a missing item is no item" '' "$(db get-item --table-name "$table" --key "$key" --consistent-read)"
}

# The sort keys of the items in an answer, one after the other.
sort_keys()
{
	python3 -c 'import json, sys; print("".join(item["sk"]["N"] for item in json.load(sys.stdin)["Items"]))'
}

# Pages of any size, cut and continued by the client, are the whole.
page_through()
{
	local query page token size

	for sk in 1 2 3 4 5 6 7; do
		db put-item --table-name "$table" --item "{\"pk\": {\"S\": \"q\"}, \"sk\": {\"N\": \"$sk\"}}"
	done
	query=(query --table-name "$table" --consistent-read --key-condition-expression 'pk = :p'
		--expression-attribute-values '{":p": {"S": "q"}}')
	for size in 1 2 3 7 10; do
		expect "a query by pages of $size" 1234567 \
			"$(db "${query[@]}" --page-size "$size" | sort_keys)"
		expect "a scan by pages of $size" 1234567 \
			"$(db scan --table-name "$table" --consistent-read --page-size "$size" | sort_keys)"
	done
	page=$(db "${query[@]}" --page-size 2 --max-items 3)
	token=$(field '["NextToken"]' <<<"$page")
	expect "the first items" 123 "$(sort_keys <<<"$page")"
	expect "the others" 4567 "$(db "${query[@]}" --starting-token "$token" | sort_keys)"
	expect "backward" 7654321 "$(db "${query[@]}" --no-scan-index-forward --page-size 3 | sort_keys)"
	expect "a count" 7 "$(db scan --table-name "$table" --consistent-read --select COUNT | field '["Count"]')"
	expect "a batch" 2 "$(db batch-get-item --request-items \
		"{\"$table\": {\"Keys\": [{\"pk\": {\"S\": \"q\"}, \"sk\": {\"N\": \"2\"}},
		{\"pk\": {\"S\": \"q\"}, \"sk\": {\"N\": \"5\"}}], \"ConsistentRead\": true}}" |
		field "['Responses']['$table'].__len__()")"
}

# scan_index_until COUNT INDEX: a cluster feeds a global index a moment after the write.
scan_index_until()
{
	local deadline=$((SECONDS + 30)) count

	while :; do
		count=$(db scan --table-name "$indexed" --index-name "$2" --select COUNT | field '["Count"]')
		[ "$count" != "$1" ] || return 0
		[ "$SECONDS" -lt "$deadline" ] || fail "$2 holds $count rows and not $1"
		sleep 0.1
	done
}

make_indexed_table()
{
	db create-table --table-name "$indexed" --billing-mode PAY_PER_REQUEST --attribute-definitions \
		AttributeName=pk,AttributeType=S AttributeName=sk,AttributeType=N AttributeName=l,AttributeType=N \
		AttributeName=g,AttributeType=S \
		--key-schema AttributeName=pk,KeyType=HASH AttributeName=sk,KeyType=RANGE \
		--local-secondary-indexes 'IndexName=by-l,KeySchema=[{AttributeName=pk,KeyType=HASH},{AttributeName=l,KeyType=RANGE}],Projection={ProjectionType=KEYS_ONLY}' \
		--global-secondary-indexes 'IndexName=by-g,KeySchema=[{AttributeName=g,KeyType=HASH},{AttributeName=sk,KeyType=RANGE}],Projection={ProjectionType=ALL}' \
		>/dev/null
	table=$indexed wait_until ACTIVE
	for sk in 1 2 3 4 5 6 7; do
		db put-item --table-name "$indexed" --item "{\"pk\": {\"S\": \"q\"}, \"sk\": {\"N\": \"$sk\"},
			\"l\": {\"N\": \"-$sk\"}, \"g\": {\"S\": \"g\"}, \"v\": {\"S\": \"v$sk\"}}"
	done
	scan_index_until 7 by-g
}

# The same of indexes: by-l has the items in the opposite order.
page_through_indexes()
{
	local indexed=$table-i by_l by_g page token size

	make_indexed_table
	by_l=(query --table-name "$indexed" --index-name by-l --key-condition-expression 'pk = :p'
		--expression-attribute-values '{":p": {"S": "q"}}')
	by_g=(query --table-name "$indexed" --index-name by-g --key-condition-expression 'g = :g'
		--expression-attribute-values '{":g": {"S": "g"}}')
	for size in 1 3 7 10; do
		expect "a local index by pages of $size" 7654321 \
			"$(db "${by_l[@]}" --consistent-read --page-size "$size" | sort_keys)"
		expect "a global index by pages of $size" 1234567 "$(db "${by_g[@]}" --page-size "$size" | sort_keys)"
		expect "a scan of a global index by pages of $size" 1234567 \
			"$(db scan --table-name "$indexed" --index-name by-g --page-size "$size" | sort_keys)"
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
	expect_error "an index that is not there" ValidationException db scan --table-name "$indexed" --index-name by-x
	db delete-table --table-name "$indexed" >/dev/null
}

see_errors()
{
	expect_error "a table that is there" ResourceInUseException create_table
	expect_error "a table that is not" ResourceNotFoundException db describe-table --table-name nowhere-cli
	expect_error "half a key" ValidationException db get-item --table-name "$table" --key '{"pk": {"S": "a"}}'
}

drop_table()
{
	db delete-table --table-name "$table" >/dev/null
	wait_until GONE
	db wait table-not-exists --table-name "$table"
	expect_error "the table is gone" ResourceNotFoundException db describe-table --table-name "$table"
}

make_table
use_tags
write_on_condition
use_items
page_through
page_through_indexes
see_errors
drop_table
