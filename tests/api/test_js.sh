#!/usr/bin/env bash
# The JavaScript SDK against CLEAVE_ENDPOINT: js/test_*.mjs, in a copy that has the SDK installed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
copy=${CLEAVE_JS_DIR:-$here/../../build/api-js}

mkdir -p "$copy"
cp "$here"/js/package.json "$here"/js/package-lock.json "$here"/js/*.mjs "$copy/"
cd "$copy"
if ! cmp -s package-lock.json .installed-lock.json; then
	npm ci --omit=dev --no-audit --no-fund --loglevel=error
	cp package-lock.json .installed-lock.json
fi
NODE_EXTRA_CA_CERTS=${AWS_CA_BUNDLE:-${NODE_EXTRA_CA_CERTS:-}} node --test test_http.mjs test_sdk.mjs test_writes.mjs test_indexes.mjs
