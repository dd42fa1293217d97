# shellcheck shell=bash
# What Debian 12 must have installed. All of it comes from the Debian archive this machine already uses.

readonly RAFT_VERSION=0.22.1

BUILD_PACKAGES=(build-essential cmake ninja-build pkg-config protobuf-c-compiler libprotobuf-c-dev libuv1-dev libssl-dev
	librocksdb-dev libh2o-dev libyajl-dev libxxhash-dev zlib1g-dev libgoogle-perftools-dev libisal-dev libcmocka-dev)
RUN_PACKAGES=(openssl curl python3 ca-certificates procps)
TEST_PACKAGES=(clang clang-format libclang-rt-14-dev llvm-14 ccache shellcheck python3-boto3 iproute2 faketime)

# Programs that another package may provide just as well: program:package.
TEST_PROGRAMS=(aws:awscli node:nodejs npm:npm)

package_is_installed()
{
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

raft_is_installed()
{
	local version

	version=$(dpkg-query -W -f '${db:Status-Status} ${Version}' libraft-dev 2>/dev/null) || return 1
	[[ $version == "installed $RAFT_VERSION-"* ]]
}

# One missing package per line.
missing_packages()
{
	local wanted=("${BUILD_PACKAGES[@]}" "${RUN_PACKAGES[@]}")
	local name pair

	[ "$WITH_TEST_DEPS" = no ] || wanted+=("${TEST_PACKAGES[@]}")
	for name in "${wanted[@]}"; do
		package_is_installed "$name" || printf '%s\n' "$name"
	done
	[ "$WITH_TEST_DEPS" = yes ] || return 0
	for pair in "${TEST_PROGRAMS[@]}"; do
		have_command "${pair%%:*}" || printf '%s\n' "${pair#*:}"
	done
}

require_debian_12()
{
	local name

	have_command apt-get ||
		die "only Debian 12 is supported: there is no apt-get here"
	name=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	[ "$name" = bookworm ] ||
		die "packages are missing and this is '${name:-not Debian}': only Debian 12 (bookworm) can install them"
}

apt_update()
{
	say "apt-get update"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq </dev/null >&2
}

apt_install()
{
	say "apt-get install $*"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" </dev/null >&2
}

# The address of the Debian archive of this machine: the one its own suite, bookworm, comes from.
archive_address()
{
	# shellcheck disable=SC2016 # the fields are apt's
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
		awk '$2 == "bookworm" && $3 == "main" && !found { print $1; found = 1 }'
}

backports_are_known()
{
	# shellcheck disable=SC2016 # the fields are apt's
	apt-get indextargets --format '$(RELEASE) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
		grep -x 'bookworm-backports main' >/dev/null
}

add_backports()
{
	local file=/etc/apt/sources.list.d/cleave-backports.list
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	local address option=''

	address=$(archive_address)
	[ -n "$address" ] || raft_cannot_be_had "no Debian archive with the suite bookworm is configured in /etc/apt"
	[ ! -f "$keyring" ] || option="[signed-by=$keyring] "
	say "adding the suite bookworm-backports in $file"
	printf 'deb %s%s bookworm-backports main\n' "$option" "$address" | as_root tee "$file" >/dev/null
}

raft_candidate()
{
	apt-cache madison libraft-dev 2>/dev/null | awk -v want="$RAFT_VERSION-" 'index($3, want) == 1 && !found { print $3; found = 1 }'
}

raft_cannot_be_had()
{
	die "libraft $RAFT_VERSION cannot be had: $1.
  Debian 12's own libraft (0.15) will not do. Put a line like
    deb ADDRESS-OF-YOUR-DEBIAN-ARCHIVE bookworm-backports main
  into a file in /etc/apt/sources.list.d/, run 'apt-get update' as root, and then deploy/lab deps again."
}

# APT_IS_FRESH: an update has been done in this run.
update_once()
{
	[ "${APT_IS_FRESH:-no}" = no ] || return 0
	apt_update || die "apt-get update failed: look at /etc/apt and at the network, then try again"
	APT_IS_FRESH=yes
}

install_raft()
{
	local version

	if ! backports_are_known; then
		add_backports
		APT_IS_FRESH=no
	fi
	version=$(raft_candidate)
	if [ -z "$version" ]; then
		update_once
		version=$(raft_candidate)
	fi
	[ -n "$version" ] || raft_cannot_be_had "the archive's bookworm-backports does not have it"
	apt_install --allow-downgrades "libraft-dev=$version" "libraft0=$version" ||
		raft_cannot_be_had "apt-get could not install it"
}

deps_install()
{
	local missing=()

	mapfile -t missing < <(missing_packages)
	if [ ${#missing[@]} -eq 0 ] && raft_is_installed; then
		say "everything needed is installed"
		return 0
	fi
	require_debian_12
	if [ ${#missing[@]} -gt 0 ]; then
		update_once
		apt_install "${missing[@]}" || die "apt-get could not install: ${missing[*]}"
	fi
	raft_is_installed || install_raft
	say "everything needed is installed now"
}
