#!/usr/bin/env bash
# Installs what compare measures against: Debian's packages, without starting their services, and dynalite below FOLDER/npm.
#
#     install_peers.sh FOLDER
set -euo pipefail

readonly DYNALITE_VERSION=4.0.0
readonly POLICY=/usr/sbin/policy-rc.d
readonly PACKAGES=(etcd-server nginx-light redis-server redis-tools rocksdb-tools nghttp2-client wrk)

folder=${1:?usage: install_peers.sh FOLDER}
missing=()

is_installed()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

as_root()
{
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# Packages ask this file before they start a service of theirs; 101 says no.
without_services()
{
	local is_ours=no status=0

	if [ ! -e "$POLICY" ]; then
		is_ours=yes
		printf '#!/bin/sh\nexit 101\n' | as_root tee "$POLICY" >/dev/null
		as_root chmod 755 "$POLICY"
	fi
	"$@" || status=$?
	[ "$is_ours" = no ] || as_root rm -f "$POLICY"
	return "$status"
}

install_packages()
{
	as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null
	without_services as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends "$@" </dev/null
}

dynalite_version()
{
	sed -n 's/^ *"version": "\(.*\)",*$/\1/p' "$folder/npm/node_modules/dynalite/package.json" 2>/dev/null
}

for name in "${PACKAGES[@]}"; do
	is_installed "$name" || missing+=("$name")
done
for pair in node:nodejs npm:npm gcc:gcc; do
	command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
done
[ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"

if [ "$(dynalite_version)" != "$DYNALITE_VERSION" ]; then
	mkdir -p "$folder/npm"
	(cd "$folder/npm" && npm install --silent --no-audit --no-fund --no-save --prefix . "dynalite@$DYNALITE_VERSION")
fi
