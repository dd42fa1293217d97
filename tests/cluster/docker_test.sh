#!/usr/bin/env bash
# The cluster as containers: docker-compose up, an item written and read with the aws command line, a zone lost, down again.
# Uses a container engine that runs already; otherwise, as root, installs Debian's and starts one of its own for the test.
# Where there is none, says so in its last line and exits 77: left out.
set -euo pipefail

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly ROOT
readonly LEFT_OUT=77
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/cleave-docker.XXXXXX")
ENGINE_PID=
IS_UP=no

say()
{
	echo "docker_test: $*"
}

leave_out()
{
	echo "$*"
	exit "$LEFT_OUT"
}

compose()
{
	docker-compose -p "$PROJECT" -f "$ROOT/docker-compose.yml" "$@"
}

cleanup()
{
	[ "$IS_UP" = no ] || compose down -v --timeout 10 >/dev/null 2>&1 || true
	if [ -n "$ENGINE_PID" ]; then
		kill -TERM "$ENGINE_PID" 2>/dev/null || true
		wait "$ENGINE_PID" 2>/dev/null || true
	fi
	rm -rf "$SCRATCH" || true
}

install_missing()
{
	local missing=() pair

	for pair in dockerd:docker.io docker-compose:docker-compose iptables:iptables debootstrap:debootstrap; do
		command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	say "apt-get install ${missing[*]}"
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null 2>&1
}

# An engine with all its state in the scratch folder.
start_engine()
{
	local deadline=$((SECONDS + 30))

	export DOCKER_HOST=unix://$SCRATCH/docker.sock
	dockerd --data-root "$SCRATCH/data" --exec-root "$SCRATCH/exec" -p "$SCRATCH/docker.pid" -H "$DOCKER_HOST" \
		>"$SCRATCH/dockerd.log" 2>&1 </dev/null &
	ENGINE_PID=$!
	until docker info >/dev/null 2>&1; do
		if ! kill -0 "$ENGINE_PID" 2>/dev/null || [ "$SECONDS" -ge "$deadline" ]; then
			tail -n 5 "$SCRATCH/dockerd.log"
			return 1
		fi
		sleep 0.2
	done
}

# Can an image be unpacked at all?  Inside a chroot, whose root is no mount point, no engine can.
can_import()
{
	tar -C "$SCRATCH" -c -T /dev/null | docker import - cleave-probe:empty >/dev/null || return 1
	docker rmi cleave-probe:empty >/dev/null
}

find_engine()
{
	if docker info >/dev/null 2>&1 && command -v docker-compose >/dev/null; then
		say "using the container engine that runs here"
		return 0
	fi
	[ "$(id -u)" = 0 ] || leave_out "no container engine runs here, and starting one needs root"
	install_missing || leave_out "no container engine runs here, and Debian's could not be installed"
	start_engine || leave_out "no container engine runs here, and none can be started"
	can_import || leave_out "no container engine runs here, and the one started cannot unpack an image"
	say "started a container engine for the test"
}

wait_serving()
{
	local deadline=$((SECONDS + 90)) page

	until page=$(curl -fsS --noproxy '*' "$ENDPOINT/" 2>/dev/null) && [[ $page == healthy:* ]]; do
		if [ "$SECONDS" -ge "$deadline" ]; then
			compose ps
			compose logs --tail 20
			say "the cluster did not come up"
			return 1
		fi
		sleep 0.5
	done
}

client_environment()
{
	local id secret

	read -r id secret < <(compose exec -T coordinator cat /secrets/credentials)
	export AWS_ACCESS_KEY_ID=$id AWS_SECRET_ACCESS_KEY=$secret AWS_DEFAULT_REGION=us-east-1
	export AWS_PAGER='' NO_PROXY=127.0.0.1 no_proxy=127.0.0.1 AWS_CONFIG_FILE=/dev/null
}

db()
{
	aws --endpoint-url "$ENDPOINT" --output text dynamodb "$@"
}

expect_read()
{
	local got

	got=$(db get-item --table-name things --key '{"pk": {"S": "a"}}' --consistent-read --query 'Item.v.S')
	[ "$got" = "$1" ] || { say "wanted '$1', read '$got'"; return 1; }
}

# The command line's own waiter sleeps 20 s between two looks.
wait_active()
{
	local deadline=$((SECONDS + 30))

	until [ "$(db describe-table --table-name things --query Table.TableStatus)" = ACTIVE ]; do
		[ "$SECONDS" -lt "$deadline" ] || { say "the table did not become active"; return 1; }
		sleep 0.2
	done
}

write_and_read()
{
	db create-table --table-name things --attribute-definitions AttributeName=pk,AttributeType=S \
		--key-schema AttributeName=pk,KeyType=HASH --billing-mode PAY_PER_REQUEST >/dev/null
	wait_active
	db put-item --table-name things --item '{"pk": {"S": "a"}, "v": {"S": "before"}}'
	expect_read before
	say "an item was written and read"
}

# The zone of node 3 loses its link to the others; two zones of three go on.
lose_a_zone()
{
	docker network disconnect "${PROJECT}_region" "${PROJECT}_node-3_1"
	db put-item --table-name things --item '{"pk": {"S": "a"}, "v": {"S": "without az-c"}}'
	expect_read "without az-c"
	docker network connect --alias node-3 "${PROJECT}_region" "${PROJECT}_node-3_1"
	say "and again without a zone"
}

restart_everything()
{
	compose down --timeout 20
	compose up -d
	wait_serving
	expect_read "without az-c"
	say "and it was there after a restart"
}

trap cleanup EXIT
find_engine
PROJECT=cleave-test-$$
CLEAVE_PORT=$(python3 "$ROOT/deploy/lab.d/ports.py" one)
CLEAVE_HTTPS_PORT=$(python3 "$ROOT/deploy/lab.d/ports.py" one)
ENDPOINT=http://127.0.0.1:$CLEAVE_PORT
export CLEAVE_PORT CLEAVE_HTTPS_PORT
"$ROOT/deploy/make_image.sh"
IS_UP=yes
compose up -d
wait_serving
client_environment
write_and_read
lose_a_zone
restart_everything
say "passed"
