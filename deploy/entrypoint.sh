#!/usr/bin/env bash
# What a container of the image does:
#   secrets              once per cluster: authority, certificates, cluster id and a key for clients, into /secrets
#   node ID ZONE         a storage node
#   coordinator ZONE     an HTTP front end
#   anything else        is run as it is
# NODES is the number of nodes, REGION the region's name, AUTH strict or open.
set -euo pipefail

readonly SECRETS=/secrets
readonly NODES=${NODES:-3}
readonly PEER_PORT=7000
readonly STATUS_PORT=9000

# shellcheck source=deploy/lab.d/common.sh
. /usr/local/lib/cleave/common.sh
# shellcheck source=deploy/lab.d/certificates.sh
. /usr/local/lib/cleave/certificates.sh

node_names()
{
	seq -f 'node-%.0f' 1 "$NODES"
}

# The last file written says that all the others are there.
make_secrets()
{
	local key_id secret

	if [ -f "$SECRETS/cluster-id" ]; then
		say "the cluster has its secrets"
		return 0
	fi
	LAB_DIR=$SECRETS
	mkdir -p "$SECRETS/tls"
	certificates_create
	key_id=AKIA$(openssl rand 10 | base32 -w0)
	secret=$(openssl rand -hex 20)
	(umask 077 && printf '%s %s\n' "$key_id" "$secret" >"$SECRETS/credentials")
	openssl rand -hex 16 >"$SECRETS/cluster-id.tmp"
	mv "$SECRETS/cluster-id.tmp" "$SECRETS/cluster-id"
	say "made the cluster's secrets"
}

# The first three nodes hold the catalog, or the first alone where there are fewer.
seeds()
{
	local count=1 list='' number

	[ "$NODES" -lt 3 ] || count=3
	for ((number = 1; number <= count; number++)); do
		list+=,$number@node-$number:$PEER_PORT
	done
	printf '%s\n' "${list#,}"
}

run_node()
{
	local number=$1 zone=$2

	exec cleave-node --dir /data --cluster-id "$(<"$SECRETS/cluster-id")" --node-id "$number" --zone "$zone" \
		--listen "0.0.0.0:$PEER_PORT" --advertise "node-$number:$PEER_PORT" --seeds "$(seeds)" \
		--tls-ca "$SECRETS/tls/ca.crt" --tls-cert "$SECRETS/tls/node-$number.crt" \
		--tls-key "$SECRETS/tls/node-$number.key" --status "0.0.0.0:$STATUS_PORT"
}

run_coordinator()
{
	exec cleave-coordinator --cluster-id "$(<"$SECRETS/cluster-id")" --zone "$1" --region "${REGION:-us-east-1}" \
		--listen 0.0.0.0:8000 --https-listen 0.0.0.0:8443 \
		--https-cert "$SECRETS/tls/https.crt" --https-key "$SECRETS/tls/https.key" \
		--seeds "$(seeds)" --auth "${AUTH:-strict}" --credentials "$SECRETS/credentials" \
		--tls-ca "$SECRETS/tls/ca.crt" --tls-cert "$SECRETS/tls/coordinator.crt" \
		--tls-key "$SECRETS/tls/coordinator.key" --status "0.0.0.0:$STATUS_PORT"
}

case ${1:-} in
secrets) make_secrets ;;
node) run_node "$2" "$3" ;;
coordinator) run_coordinator "$2" ;;
'') die "say what to run: secrets, node ID ZONE, coordinator ZONE" ;;
*) exec "$@" ;;
esac
