#!/usr/bin/env bash
# The aws command line against CLEAVE_ENDPOINT: a table's life with its waiters, items, pages, errors.
set -euo pipefail

# shellcheck source=tests/api/cli_client.sh
. "$(dirname "${BASH_SOURCE[0]}")/cli_client.sh"
table=cli-$$-$(date +%s)

create_table()
{
	db create-table --table-name "$table" --attribute-definitions AttributeName=pk,AttributeType=S \
		AttributeName=sk,AttributeType=N --key-schema AttributeName=pk,KeyType=HASH AttributeName=sk,KeyType=RANGE \
		--billing-mode PAY_PER_REQUEST >/dev/null
}

make_table()
{
	create_table
	wait_until "$table" ACTIVE
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

see_errors()
{
	expect_error "a table that is there" ResourceInUseException create_table
	expect_error "a table that is not" ResourceNotFoundException db describe-table --table-name nowhere-cli
	expect_error "half a key" ValidationException db get-item --table-name "$table" --key '{"pk": {"S": "a"}}'
}

drop_table()
{
	db delete-table --table-name "$table" >/dev/null
	wait_until "$table" GONE
	db wait table-not-exists --table-name "$table"
	expect_error "the table is gone" ResourceNotFoundException db describe-table --table-name "$table"
}

make_table
use_tags
write_on_condition
use_items
page_through
see_errors
drop_table
