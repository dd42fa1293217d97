#!/usr/bin/env bash
# Make the image cleave:latest that docker-compose.yml runs: the release binaries on top of cleave-base:bookworm.
# $CLEAVE_BIN names a folder with the binaries; otherwise they are built.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly ROOT
readonly BASE=cleave-base:bookworm
readonly STAGE=$ROOT/build/image

# shellcheck source=deploy/lab.d/common.sh
. "$ROOT/deploy/lab.d/common.sh"
# shellcheck source=deploy/lab.d/build.sh
. "$ROOT/deploy/lab.d/build.sh"

# The build context holds what goes in and nothing else.
stage()
{
	local name

	rm -rf "$STAGE"
	mkdir -p "$STAGE/bin" "$STAGE/lib"
	for name in cleave-node cleave-coordinator cleave; do
		cp "$(binary "$name")" "$STAGE/bin/"
	done
	cp "$ROOT/deploy/entrypoint.sh" "$STAGE/bin/"
	cp "$ROOT"/deploy/lab.d/{common,certificates}.sh "$STAGE/lib/"
	cp "$ROOT/deploy/Dockerfile" "$STAGE/"
}

docker image inspect "$BASE" >/dev/null 2>&1 || "$ROOT/deploy/make_base_image.sh"
[ -n "${CLEAVE_BIN:-}" ] || build_binaries
stage
# The classic builder needs no plugin.
DOCKER_BUILDKIT=0 docker build -q -t cleave:latest "$STAGE" >/dev/null
say "made cleave:latest"
