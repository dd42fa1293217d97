# shellcheck shell=bash
# The commands that act on a cluster.

readonly HEALTHY_DEADLINE_S=${CLEAVE_HEALTHY_DEADLINE_S:-60}

lab_up()
{
	local name

	shape_check_early
	if [ -z "${CLEAVE_BIN:-}" ]; then
		deps_install
		build_binaries
	fi
	lab_create_or_load
	for name in $(process_names); do
		if [ "$(process_state "$name")" = paused ]; then
			say "resuming $name"
			process_signal "$name" CONT
		fi
		process_start "$name"
	done
	wait_healthy
	say "the cluster serves"
	lab_env
	print_example
}

# A shape that cannot be is refused before minutes are spent on a build.
shape_check_early()
{
	if lab_exists; then
		lab_load
		shape_compare_asked
	else
		shape_defaults
		shape_apply_asked
	fi
}

lab_create_or_load()
{
	if lab_exists; then
		lab_lock
	else
		lab_create
	fi
	lab_load
	shape_compare_asked
}

fetch()
{
	curl -fsS --max-time 2 --noproxy '*' --cacert "$LAB_DIR/tls/ca.crt" "$1" 2>/dev/null
}

# A process is healthy when its status page says so; a coordinator also when it answers its clients.
is_healthy()
{
	local page

	fetch "http://127.0.0.1:$(status_port "$1")/health" >/dev/null || return 1
	[[ $1 == coordinator-* ]] || return 0
	page=$(fetch "$(endpoint "$1")/") && [[ $page == healthy:* ]]
}

fail_with_log()
{
	say "the last lines of $LAB_DIR/logs/$1.log:"
	tail -n 20 "$LAB_DIR/logs/$1.log" >&2 || true
	die "$2"
}

# Its status page answers, be it with good news or bad.
answers()
{
	curl -sS --max-time 2 --noproxy '*' -o /dev/null "http://127.0.0.1:$(status_port "$1")/health" 2>/dev/null
}

# wait_process CHECK DEADLINE NAME: until CHECK holds, or an error with its log. DEADLINE is on the clock of $SECONDS.
wait_process()
{
	local check=$1 deadline=$2 name=$3

	until "$check" "$name"; do
		running_pid "$name" >/dev/null || fail_with_log "$name" "$name ended while starting"
		[ "$(process_state "$name")" != paused ] || die "$name is paused: deploy/lab resume $name"
		[ "$SECONDS" -lt "$deadline" ] ||
			fail_with_log "$name" "$name was not ready within $HEALTHY_DEADLINE_S s"
		sleep 0.1
	done
}

wait_healthy()
{
	local deadline=$((SECONDS + HEALTHY_DEADLINE_S)) name

	say "waiting until every process is healthy"
	for name in $(process_names); do
		wait_process is_healthy "$deadline" "$name"
	done
}

lab_env()
{
	local id secret

	lab_load
	read -r id secret <"$LAB_DIR/credentials"
	printf 'export AWS_ACCESS_KEY_ID=%s\n' "$id"
	printf 'export AWS_SECRET_ACCESS_KEY=%s\n' "$secret"
	printf 'export AWS_DEFAULT_REGION=%s\n' "${SHAPE[region]}"
	printf 'export AWS_ENDPOINT_URL=%s\n' "$(endpoint)"
	[ "${SHAPE[tls]}" = no ] || printf 'export AWS_CA_BUNDLE=%q\n' "$LAB_DIR/tls/ca.crt"
}

# A comment in the same output, so that `eval "$(deploy/lab up)"` works.
print_example()
{
	# shellcheck disable=SC2016
	echo '# try: aws --endpoint-url "$AWS_ENDPOINT_URL" dynamodb list-tables'
	have_command aws || say "the aws command line comes with: apt-get install awscli"
}

lab_down()
{
	local names

	if ! lab_exists; then
		say "there is no lab in $LAB_DIR"
		return 0
	fi
	lab_load
	lab_lock
	mapfile -t names < <(coordinator_names; node_names)
	processes_stop "${names[@]}"
	say "everything in $LAB_DIR is stopped"
	[ "$WIPE" = no ] || lab_wipe
}

# Delete what a lab consists of, and the folder if nothing else is in it.
lab_wipe()
{
	local name

	for name in data logs run tls credentials lab.env layout .lock; do
		rm -rf "${LAB_DIR:?}/$name"
	done
	rmdir "$LAB_DIR" 2>/dev/null || say "$LAB_DIR holds other files: it stays"
	say "$LAB_DIR is wiped"
}

tool_run()
{
	(
		set -a
		# shellcheck disable=SC1091
		. "$LAB_DIR/lab.env"
		exec timeout 30 "$(binary cleave)" "$@" --lab "$LAB_DIR/lab.env"
	)
}

lab_status()
{
	local name alive=no

	lab_load
	if [ "${1:-}" = --json ]; then
		tool_run status --json
		return
	fi
	[ $# -eq 0 ] || usage_error "status does not take '$1'"
	printf '%-16s %-6s %-8s %-8s %s\n' PROCESS ZONE STATE PID ADDRESS
	for name in $(process_names); do
		printf '%-16s %-6s %-8s %-8s %s\n' "$name" "$(zone_of "$name")" "$(process_state "$name")" \
			"$(running_pid "$name" || echo -)" "$(process_address "$name")"
		! running_pid "$name" >/dev/null || alive=yes
	done
	[ "$alive" = yes ] || return 0
	echo
	tool_run status
}

process_address()
{
	case $1 in
	node-*) printf '127.0.0.1:%s\n' "$(node_port "$1")" ;;
	*) endpoint "$1" ;;
	esac
}

lab_logs()
{
	local name

	lab_load
	if [ $# -eq 1 ]; then
		name=$(process_name "$1")
		cat "$LAB_DIR/logs/$name.log"
		return
	fi
	for name in $(process_names); do
		printf '==> %s <==\n' "$name"
		tail -n 10 "$LAB_DIR/logs/$name.log" 2>/dev/null || echo "(none yet)"
	done
}

lab_kill()
{
	local name

	lab_load
	lab_lock
	name=$(process_name "$1")
	process_kill "$name" || die "$name does not run"
	say "killed $name"
}

lab_start()
{
	local name

	lab_load
	lab_lock
	name=$(process_name "$1")
	process_start "$name"
	wait_process answers $((SECONDS + HEALTHY_DEADLINE_S)) "$name"
	say "$name runs"
}

lab_pause()
{
	local name

	lab_load
	lab_lock
	name=$(process_name "$1")
	process_signal "$name" STOP || die "$name does not run"
	say "paused $name"
}

lab_resume()
{
	local name

	lab_load
	lab_lock
	name=$(process_name "$1")
	process_signal "$name" CONT || die "$name does not run"
	say "resumed $name"
}

lab_zone_down()
{
	local zone name

	lab_load
	lab_lock
	zone=$(zone_name "$1")
	for name in $(names_in_zone "$zone"); do
		process_kill "$name" || continue
		say "killed $name"
	done
	say "$zone is down"
}

lab_zone_up()
{
	local zone name deadline

	lab_load
	lab_lock
	zone=$(zone_name "$1")
	for name in $(names_in_zone "$zone"); do
		process_start "$name"
	done
	deadline=$((SECONDS + HEALTHY_DEADLINE_S))
	for name in $(names_in_zone "$zone"); do
		wait_process answers "$deadline" "$name"
	done
	say "$zone is up"
}
