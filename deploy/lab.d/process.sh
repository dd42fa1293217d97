# shellcheck shell=bash
# One process of a lab: its command line, starting, signalling, stopping. A pid file alone proves nothing: the number may
# belong to somebody else by now, so the command line in /proc must be the one that was started.

readonly STOP_DEADLINE_S=${CLEAVE_STOP_DEADLINE_S:-15}

# Prints the pid if the process runs (a paused one runs), fails otherwise.
running_pid()
{
	local run=$LAB_DIR/run/$1 pid

	[ -f "$run.pid" ] && [ -f "$run.cmd" ] || return 1
	pid=$(<"$run.pid")
	[[ $pid =~ ^[1-9][0-9]*$ ]] || return 1
	# Through a pipe: files in /proc have no size, and cmp would compare sizes first.
	cmp -s "$run.cmd" <(cat "/proc/$pid/cmdline" 2>/dev/null) || return 1
	printf '%s\n' "$pid"
}

process_state()
{
	local pid

	if ! pid=$(running_pid "$1"); then
		echo stopped
	elif grep -q '^State:[[:space:]]*T' "/proc/$pid/status" 2>/dev/null; then
		echo paused
	else
		echo running
	fi
}

# node_arguments NAME: one word per line.
node_arguments()
{
	local name=$1

	printf '%s\n' --dir "$LAB_DIR/data/$name" --cluster-id "${SHAPE[cluster_id]}" \
		--node-id "${name#node-}" --zone "$(zone_of "$name")" \
		--listen "127.0.0.1:$(node_port "$name")" --seeds "$(seeds)" \
		--tls-ca "$LAB_DIR/tls/ca.crt" --tls-cert "$LAB_DIR/tls/$name.crt" --tls-key "$LAB_DIR/tls/$name.key" \
		--status "127.0.0.1:$(status_port "$name")"
}

coordinator_listen()
{
	local port

	port=$(coordinator_port "$1")
	if [ "${SHAPE[tls]}" = yes ]; then
		printf '%s\n' --listen "127.0.0.1:$(coordinator_plain_port "$1")" \
			--https-listen "127.0.0.1:$port" \
			--https-cert "$LAB_DIR/tls/https.crt" --https-key "$LAB_DIR/tls/https.key"
	else
		printf '%s\n' --listen "127.0.0.1:$port"
	fi
}

coordinator_arguments()
{
	local name=$1

	printf '%s\n' --cluster-id "${SHAPE[cluster_id]}" --zone "$(zone_of "$name")" --region "${SHAPE[region]}" \
		--seeds "$(seeds)" --auth "${SHAPE[auth]}" --credentials "$LAB_DIR/credentials" \
		--tls-ca "$LAB_DIR/tls/ca.crt" --tls-cert "$LAB_DIR/tls/coordinator.crt" \
		--tls-key "$LAB_DIR/tls/coordinator.key" --status "127.0.0.1:$(status_port "$name")"
	coordinator_listen "$name"
}

process_ports()
{
	case $1 in
	node-*) node_port "$1" ;;
	*) coordinator_port "$1"; [ "${SHAPE[tls]}" = no ] || coordinator_plain_port "$1" ;;
	esac
	status_port "$1"
}

refuse_taken_ports()
{
	local ports taken

	mapfile -t ports < <(process_ports "$1")
	taken=$(python3 "$ROOT/deploy/lab.d/ports.py" taken "${ports[@]}") ||
		die "$1 cannot start: something else listens on port $taken" \
			"(up --port P gives a new lab another one; --dir names its folder)"
}

process_start()
{
	local name=$1 role=${1%-*} program arguments

	if running_pid "$name" >/dev/null; then
		return 0
	fi
	program=$(binary "cleave-$role")
	mapfile -t arguments < <("${role}_arguments" "$name")
	refuse_taken_ports "$name"
	say "starting $name ($(zone_of "$name"))"
	[ "$role" != node ] || mkdir -p "$LAB_DIR/data/$name"
	mkdir -p "$LAB_DIR/run" "$LAB_DIR/logs"
	python3 "$ROOT/deploy/lab.d/spawn.py" "$LAB_DIR/run/$name.pid" "$LAB_DIR/run/$name.cmd" "$LAB_DIR/logs/$name.log" \
		"$program" "${arguments[@]}"
}

# process_signal NAME SIGNAL: false if it does not run.
process_signal()
{
	local pid

	pid=$(running_pid "$1") || return 1
	kill -s "$2" "$pid" 2>/dev/null
}

process_forget()
{
	rm -f "$LAB_DIR/run/$1.pid" "$LAB_DIR/run/$1.cmd"
}

# Wait until a process is gone: false when the time is up.
process_wait_gone()
{
	local name=$1 deadline=$((SECONDS + $2))

	while running_pid "$name" >/dev/null; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.05
	done
}

# Stop several at once: SIGTERM to all (and wake the paused ones, or they would not hear it), then SIGKILL to who is left.
processes_stop()
{
	local name

	for name in "$@"; do
		process_signal "$name" TERM || continue
		process_signal "$name" CONT || true
	done
	for name in "$@"; do
		if ! process_wait_gone "$name" "$STOP_DEADLINE_S"; then
			say "$name did not stop within $STOP_DEADLINE_S s: killing it"
			process_signal "$name" KILL || true
			process_wait_gone "$name" 10 || die "$name cannot be killed"
		fi
		process_forget "$name"
	done
}

process_kill()
{
	process_signal "$1" KILL || return 1
	process_wait_gone "$1" 10 || die "$1 cannot be killed"
	process_forget "$1"
}
