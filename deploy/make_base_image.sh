#!/usr/bin/env bash
# Make the image cleave-base:bookworm: a minimal Debian 12 with what the binaries need at run time. No registry takes part:
# debootstrap and apt use the Debian archive that this machine is configured for. Needs root and a container engine.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly ROOT
readonly IMAGE=cleave-base:bookworm
readonly PACKAGES=ca-certificates,curl,openssl,libuv1,libssl3,librocksdb7.8,libh2o0.13,libprotobuf-c1,libyajl2,libxxhash0,zlib1g,libtcmalloc-minimal4,libisal2

# shellcheck source=deploy/lab.d/common.sh
. "$ROOT/deploy/lab.d/common.sh"
# shellcheck source=deploy/lab.d/deps.sh
. "$ROOT/deploy/lab.d/deps.sh"

bootstrap()
{
	local address

	address=$(archive_address)
	[ -n "$address" ] || die "no Debian archive with the suite bookworm is configured in /etc/apt"
	say "debootstrap into $1 (a minute or two)"
	debootstrap --variant=minbase --include="$PACKAGES" bookworm "$1" "$address" >"$2" 2>&1 || {
		tail -n 20 "$2" >&2
		die "debootstrap failed"
	}
}

# libraft comes from backports, which only the host knows.
add_raft()
{
	local system=$1 version

	version=$(raft_candidate)
	[ -n "$version" ] || raft_cannot_be_had "run deploy/lab deps first"
	(cd "$system/tmp" && apt-get -qq -o APT::Sandbox::User=root download "libraft0=$version")
	chroot "$system" sh -c 'dpkg -i /tmp/libraft0_*.deb && rm /tmp/libraft0_*.deb' >/dev/null
}

main()
{
	local scratch

	[ "$(id -u)" = 0 ] || die "making the base image needs root"
	have_command debootstrap || apt_install debootstrap
	scratch=$(mktemp -d "${TMPDIR:-/tmp}/cleave-base.XXXXXX")
	# shellcheck disable=SC2064
	trap "rm -rf '$scratch'" EXIT
	bootstrap "$scratch/system" "$scratch/log"
	add_raft "$scratch/system"
	rm -rf "$scratch/system"/var/cache/apt/archives/*.deb "$scratch/system"/var/lib/apt/lists/*
	say "importing $IMAGE"
	tar -C "$scratch/system" --one-file-system -c . | docker import - "$IMAGE" >/dev/null
	say "made $IMAGE"
}

main
