#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that the named goals need and that are missing. Elsewhere, or without the rights, it says
# what is missing and goes on: whatever needs a missing tool says so itself.
set -eu

# Compiler and sources of the kernel, the monitor, the application of the quickstart.
quickstart='linux-source-6.12 gcc make libc6-dev flex bison bc libelf-dev patch cpio xz-utils musl-tools nginx util-linux ca-certificates'
# Clients that the tests push and pull with, the kernel to compare with, and g++ for the C++ programs.
test='g++ skopeo podman buildah containerd umoci linux-image-cloud-amd64 curl'

wanted=
for goal; do
	case $goal in
	quickstart) wanted="$wanted $quickstart" ;;
	test) wanted="$wanted $test" ;;
	*)
		echo "$0: $goal: neither quickstart nor test" >&2
		exit 2
		;;
	esac
done

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# microvm needs the ELF kernel by PVH and a virtio-serial that loses nothing: QEMU 9 or newer.
qemu_is_new() {
	version=$(qemu-system-x86_64 --version 2>/dev/null | sed -n 's/.*version \([0-9]*\)\..*/\1/p')
	[ "${version:-0}" -ge 9 ]
}

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
	echo "setup: this is no Debian: install yourself what \`npx --no-install uk doctor\` finds missing" >&2
	exit 0
fi

missing=
for package in $wanted; do installed "$package" || missing="$missing $package"; done
qemu_is_new && qemu= || qemu=qemu-system-x86
[ -n "$missing$qemu" ] || exit 0

if [ "$(id -u)" = 0 ]; then
	as_root=
elif command -v sudo >/dev/null; then
	as_root=sudo
else
	echo "setup: missing, and neither root nor sudo to install it:$missing $qemu" >&2
	exit 0
fi

apt() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@"; }

# A package's service (nginx) must not start on the machine of somebody who wants to try a unikernel.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
	trap '$as_root rm -f $policy' EXIT
	printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
	$as_root chmod +x $policy
fi

echo "setup: installing$missing $qemu"
log=$(mktemp)
quietly() {
	"$@" >"$log" 2>&1 || {
		cat "$log" >&2
		echo "setup: failed: $*" >&2
		exit 1
	}
}
quietly apt update
[ -z "$missing" ] || quietly apt install --no-install-recommends $missing

if [ -n "$qemu" ]; then
	. /etc/os-release
	newest=$(apt-cache madison qemu-system-x86 | sed 's/^[^|]*| *\([0-9]*:\)\{0,1\}\([0-9]*\).*/\2/' | sort -n | tail -n 1)
	if [ "${newest:-0}" -lt 9 ]; then
		# Backports come from the mirror that the machine already uses.
		mirror=$(apt-get indextargets --format '$(REPO_URI)' "Codename: $VERSION_CODENAME" | head -n 1)
		echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:?no Debian mirror in the sources of apt} $VERSION_CODENAME-backports main" |
			$as_root tee /etc/apt/sources.list.d/uk-backports.list >/dev/null
		quietly apt update
	fi
	release=$(apt-cache madison qemu-system-x86 | grep -o "$VERSION_CODENAME-backports" | head -n 1)
	quietly apt install --no-install-recommends ${release:+-t "$release"} qemu-system-x86
fi
rm -f "$log"
