#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints the go command of a toolchain that builds what the tests need: the system's where it is new enough, else that of
# Debian trixie, unpacked into the tools' folder. Not possible here: says why, exit 1.
set -eu
. "$(dirname "$0")/other-suites.sh"

major=1 minor=24
folder=${UK_TEST_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/uk/test-tools}/go
own=$folder/usr/lib/go-$major.$minor/bin/go

# Without GOTOOLCHAIN=local an old one would answer for a newer one that it would have to fetch first.
version=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null | sed -n 's/^go\([0-9]*\)\.\([0-9]*\).*/\1 \2/p')
if [ -n "$version" ] && [ "${version% *}" -eq $major ] && [ "${version#* }" -ge $minor ]; then
	command -v go
	exit 0
fi
if [ -x "$own" ]; then
	echo "$own"
	exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "setup: fetching Go $major.$minor from Debian trixie into $folder" >&2
if ! open_suites "$work" trixie; then
	echo "setup: no Go $major.$minor here, and $why" >&2
	exit 1
fi
for package in go src; do
	if ! unpack "golang-$major.$minor-$package/trixie" "$work/go"; then
		echo "setup: Debian trixie does not give out golang-$major.$minor-$package" >&2
		exit 1
	fi
done
rm -rf "$folder"
mkdir -p "$(dirname "$folder")"
mv "$work/go" "$folder"
echo "$own"
