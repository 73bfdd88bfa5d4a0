#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the official conformance suite, in the version that test/conformance/go.mod names, into the user's cache.
# Done already, or not possible here: exit 0; the tests that need it say that it is missing.
set -eu
cd "$(dirname "$0")/../conformance"

module=github.com/opencontainers/distribution-spec/conformance
version=$(sed -n "s|.*$module \(v[^ ]*\).*|\1|p" go.mod)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/uk
binary=$cache/conformance/$version
[ -x "$binary" ] && exit 0

if ! go=$(sh ../setup/go.sh); then
	echo "setup: the conformance suite is skipped" >&2
	exit 0
fi
echo "setup: building the conformance suite $version"
mkdir -p "$cache/conformance"
# Whatever the user has set for work of his own: no other toolchain, no vendor folder, no workspace, no C compiler. Who
# has no Go gets no ~/go from this either.
unset GOROOT
[ "$go" = "$(command -v go || true)" ] || export GOPATH="$cache/go" GOCACHE="$cache/go-build"
export GOTOOLCHAIN=local GOFLAGS=-mod=readonly GOWORK=off CGO_ENABLED=0
part=$binary.$$
trap 'rm -f "$part"' EXIT
if ! "$go" build -trimpath -buildvcs=false -o "$part" $module; then
	echo "setup: the conformance suite could not be built (see above); it is skipped" >&2
	exit 0
fi
# What earlier versions left.
find "$cache/conformance" -maxdepth 1 -name 'v*' ! -name "*.$$" -exec rm -f {} +
mv "$part" "$binary"
