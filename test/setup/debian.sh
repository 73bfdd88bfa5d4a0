#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that the named goals need and that are missing. Elsewhere, or without the rights, it says
# what is missing and goes on: whatever needs a missing tool says so itself.
set -eu

# Compiler and sources of the kernel, the monitor, the application of the quickstart.
quickstart='linux-source-6.12 gcc make libc6-dev flex bison bc libelf-dev patch cpio xz-utils musl-tools qemu-system-x86 nginx util-linux ca-certificates'
# Clients that the tests push and pull with, the kernel to compare with, and what makes the file systems of volumes.
test='e2fsprogs openssl zstd skopeo podman buildah umoci linux-image-cloud-amd64'
# Languages and debuggers that the kernel's tests run in guests, a debugger for the guests, and what unpacks the source of
# musl.
kernel='g++ python3 gdb strace dpkg-dev'
# Docker's own package of containerd and Debian's exclude each other: where there is one, it stays.
command -v ctr >/dev/null || test="$test containerd"
# Other people's tests of the kernel, what they are compiled with, and the guest's programs.
suites='rsync busybox-static stress-ng libcap-dev libnuma-dev libmnl-dev e2fsprogs'
# What the kernel is compared with, and the servers and their load.
bench='linux-image-cloud-amd64 redis-server redis-tools nginx wrk'
# What makes container images and runs them: the tests of whole roots.
root='mmdebstrap podman runc buildah skopeo util-linux'

# The browser that looks at the registry's pages, what it writes with, and what makes pictures of them small.
web='chromium fonts-dejavu-core pngquant ca-certificates'

wanted=
for goal; do
	case $goal in
	quickstart) wanted="$wanted $quickstart" ;;
	test) wanted="$wanted $test" ;;
	kernel) wanted="$wanted $kernel" ;;
	suites) wanted="$wanted $suites" ;;
	bench) wanted="$wanted $bench" ;;
	root) wanted="$wanted $root" ;;
	web) wanted="$wanted $web" ;;
	*)
		echo "$0: $goal: none of quickstart, test, kernel, suites, bench, root, web" >&2
		exit 2
		;;
	esac
done

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
	echo "setup: this is no Debian: install yourself what \`npx --no-install uk doctor\` finds missing" >&2
	exit 0
fi

missing=
for package in $wanted; do installed "$package" || missing="$missing $package"; done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
	as_root=
elif command -v sudo >/dev/null; then
	as_root=sudo
else
	echo "setup: missing, and neither root nor sudo to install it:$missing" >&2
	exit 0
fi

apt() { $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o Dpkg::Use-Pty=0 "$@"; }

# A package's service (nginx) must not start on the machine of somebody who wants to try a unikernel. The file says whose
# it is, so that one which a kill -9 left is known, and it goes however this ends.
policy=/usr/sbin/policy-rc.d
mark='# of the set-up of uk; may be removed'
clean() { ! grep -qsF "$mark" $policy || $as_root rm -f $policy; }
clean
if [ ! -e $policy ]; then
	trap clean EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM HUP
	printf '#!/bin/sh\n%s\nexit 101\n' "$mark" | $as_root tee $policy >/dev/null
	$as_root chmod +x $policy
fi

echo "setup: installing$missing"
log=$(mktemp)
quietly() {
	"$@" >"$log" 2>&1 || {
		cat "$log" >&2
		echo "setup: failed: $*" >&2
		exit 1
	}
}
quietly apt update
# Nothing of the user's makes room for what a test wants.
quietly apt install --no-install-recommends --no-remove $missing
rm -f "$log"
