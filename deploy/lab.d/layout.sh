# shellcheck shell=bash
# The shape of a lab: which processes it has, in which zones, on which ports. Fixed by the first `up`, kept in DIR/layout.
#
#   DIR/layout        the shape                       DIR/data/NODE/        a node's data
#   DIR/lab.env       what the cleave tool reads      DIR/logs/NAME.log     one per process
#   DIR/credentials   ACCESS_KEY_ID SECRET            DIR/run/NAME.pid,.cmd process id and its command line
#   DIR/tls/          the lab's authority and keys
#
# Ports: the first coordinator has the port the user chose. All others come from a range of 100 that was free when the lab
# was made: BASE + 2(n-1) and the next one for node n, BASE + 60 + 3(k-1) and the next two for coordinator k.

LAB_DIR=${CLEAVE_LAB_DIR:-lab}
declare -A ASKED=()
declare -A SHAPE=()

readonly PORT_RANGE_SIZE=100
readonly NODE_COUNT_MAX=30
readonly COORDINATOR_COUNT_MAX=13
readonly ZONE_COUNT_MAX=9
readonly CATALOG_SIZE=3

shape_defaults()
{
	SHAPE=([port]=8000 [zones]=3 [nodes_per_zone]=1 [coordinators]=1 [auth]=strict [tls]=no [region]=us-east-1)
}

shape_check()
{
	[ "${SHAPE[zones]}" -le "$ZONE_COUNT_MAX" ] || usage_error "at most $ZONE_COUNT_MAX zones"
	[ "$(node_count)" -le "$NODE_COUNT_MAX" ] || usage_error "at most $NODE_COUNT_MAX nodes in all"
	[ "${SHAPE[coordinators]}" -le "$COORDINATOR_COUNT_MAX" ] ||
		usage_error "at most $COORDINATOR_COUNT_MAX coordinators"
	[ "${SHAPE[port]}" -le 65535 ] || usage_error "a port is at most 65535"
	[[ ${SHAPE[auth]} =~ ^(strict|open)$ ]] || usage_error "--auth is strict or open, not '${SHAPE[auth]}'"
	[[ ${SHAPE[region]} =~ ^[a-z0-9-]{1,32}$ ]] || usage_error "'${SHAPE[region]}' is not a region's name"
}

shape_apply_asked()
{
	local name

	for name in "${!ASKED[@]}"; do
		SHAPE[$name]=${ASKED[$name]}
	done
	shape_check
}

# A lab that exists keeps its shape; asking for another is an error, asking for the same is not.
shape_compare_asked()
{
	local name

	for name in "${!ASKED[@]}"; do
		[ "${SHAPE[$name]}" = "${ASKED[$name]}" ] ||
			die "the lab in $LAB_DIR has $name ${SHAPE[$name]}, not ${ASKED[$name]}:" \
				"use another --dir, or deploy/lab down --wipe first"
	done
}

lab_exists()
{
	[ -f "$LAB_DIR/layout" ]
}

# Find the lab's folder and read its shape.
lab_load()
{
	local name value

	lab_exists || die "there is no lab in $LAB_DIR (deploy/lab up makes one; --dir names another folder)"
	LAB_DIR=$(cd "$LAB_DIR" && pwd)
	while IFS='=' read -r name value; do
		SHAPE[$name]=$value
	done <"$LAB_DIR/layout"
}

# One `up` or `down` at a time per lab.
lab_lock()
{
	exec {LOCK_FD}>"$LAB_DIR/.lock"
	flock -w 300 "$LOCK_FD" || die "another deploy/lab is busy with $LAB_DIR"
}

layout_write()
{
	local name

	for name in "${!SHAPE[@]}"; do
		printf '%s=%s\n' "$name" "${SHAPE[$name]}"
	done | sort >"$LAB_DIR/layout.tmp"
	mv "$LAB_DIR/layout.tmp" "$LAB_DIR/layout"
}

tool_env_write()
{
	cat >"$LAB_DIR/lab.env" <<END
CLEAVE_SEEDS=$(seeds)
CLEAVE_CLUSTER_ID=${SHAPE[cluster_id]}
CLEAVE_TLS_CA=$LAB_DIR/tls/ca.crt
CLEAVE_TLS_CERT=$LAB_DIR/tls/tool.crt
CLEAVE_TLS_KEY=$LAB_DIR/tls/tool.key
END
}

# An access key id has the shape that clients expect; the secret is 40 characters.
credentials_write()
{
	local id secret

	id=AKIA$(openssl rand 10 | base32 -w0)
	secret=$(openssl rand -hex 20)
	(umask 077 && printf '%s %s\n' "$id" "$secret" >"$LAB_DIR/credentials")
}

# Make the folder of a new lab. The layout is written last: a lab that has one is whole.
lab_create()
{
	mkdir -p "$LAB_DIR"
	LAB_DIR=$(cd "$LAB_DIR" && pwd)
	lab_lock
	! lab_exists || return 0
	[ -z "$(find "$LAB_DIR" -mindepth 1 -maxdepth 1 ! -name .lock ! -name tls ! -name credentials ! -name lab.env \
		! -name run ! -name logs ! -name data -print -quit)" ] || die "$LAB_DIR exists and is not a lab"
	say "making a lab in $LAB_DIR"
	shape_defaults
	shape_apply_asked
	python3 "$ROOT/deploy/lab.d/ports.py" taken "${SHAPE[port]}" >/dev/null ||
		die "something listens on port ${SHAPE[port]} already: choose another one with --port"
	SHAPE[cluster_id]=$(openssl rand -hex 16)
	SHAPE[port_base]=$(free_port_range)
	mkdir -p "$LAB_DIR"/{data,logs,run,tls}
	credentials_write
	certificates_create
	tool_env_write
	layout_write
}

free_port_range()
{
	python3 "$ROOT/deploy/lab.d/ports.py" range "$PORT_RANGE_SIZE" "$LAB_DIR" ||
		die "no free range of $PORT_RANGE_SIZE ports on the loopback address"
}

node_count()
{
	printf '%s\n' $((SHAPE[zones] * SHAPE[nodes_per_zone]))
}

node_names()
{
	seq -f 'node-%.0f' 1 "$(node_count)"
}

coordinator_names()
{
	seq -f 'coordinator-%.0f' 1 "${SHAPE[coordinators]}"
}

process_names()
{
	node_names
	coordinator_names
}

# process_name WORD: node-2 for 2 or node-2; an error for what the lab does not have.
process_name()
{
	local name=$1 names

	mapfile -t names < <(process_names)
	[[ ! $name =~ ^[0-9]+$ ]] || name=node-$name
	is_among "$name" "${names[@]}" || die "there is no '$1' here; there are: ${names[*]}"
	printf '%s\n' "$name"
}

zone_names()
{
	local letters=abcdefghi
	local i

	for ((i = 0; i < SHAPE[zones]; i++)); do
		printf 'az-%s\n' "${letters:i:1}"
	done
}

# Numbers go round the zones: node-1 in az-a, node-2 in az-b, ...; coordinators alike.
zone_of()
{
	local number=${1##*-} names

	mapfile -t names < <(zone_names)
	printf '%s\n' "${names[(number - 1) % SHAPE[zones]]}"
}

zone_name()
{
	local name=$1 names

	mapfile -t names < <(zone_names)
	[[ $name == az-* ]] || name=az-$name
	is_among "$name" "${names[@]}" || die "there is no zone '$1' here; there are: ${names[*]}"
	printf '%s\n' "$name"
}

names_in_zone()
{
	local name

	for name in $(process_names); do
		[ "$(zone_of "$name")" != "$1" ] || printf '%s\n' "$name"
	done
}

node_port()
{
	printf '%s\n' $((SHAPE[port_base] + 2 * (${1##*-} - 1)))
}

# coordinator_port NAME: where its clients connect.
coordinator_port()
{
	local number=${1##*-}

	if [ "$number" = 1 ]; then
		printf '%s\n' "${SHAPE[port]}"
	else
		printf '%s\n' $((SHAPE[port_base] + 60 + 3 * (number - 1)))
	fi
}

# The plain port beside the https one, in a lab with --tls.
coordinator_plain_port()
{
	printf '%s\n' $((SHAPE[port_base] + 60 + 3 * (${1##*-} - 1) + 1))
}

status_port()
{
	local number=${1##*-}

	case $1 in
	node-*) printf '%s\n' $((SHAPE[port_base] + 2 * (number - 1) + 1)) ;;
	*) printf '%s\n' $((SHAPE[port_base] + 60 + 3 * (number - 1) + 2)) ;;
	esac
}

# The nodes that hold the catalog: three in three zones where there are as many, otherwise one.
seeds()
{
	local count=1 list='' number

	[ "$(node_count)" -lt "$CATALOG_SIZE" ] || count=$CATALOG_SIZE
	for ((number = 1; number <= count; number++)); do
		list+=,$number@127.0.0.1:$(node_port "node-$number")
	done
	printf '%s\n' "${list#,}"
}

scheme()
{
	if [ "${SHAPE[tls]}" = yes ]; then echo https; else echo http; fi
}

endpoint()
{
	printf '%s://127.0.0.1:%s\n' "$(scheme)" "$(coordinator_port "${1:-coordinator-1}")"
}
