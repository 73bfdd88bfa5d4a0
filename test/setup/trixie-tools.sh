#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fetches the registry clients that Debian 12 does not have (crane, oras, umoci 0.6) from Debian trixie and sid into a
# folder of their own. Nothing is installed: apt downloads and verifies with settings of its own, dpkg unpacks, so the
# system's packages, libc first of all, stay as they are. No root needed. Done already, or not possible here: exit 0.
set -eu

folder=${UK_TEST_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/uk/test-tools}
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
# The newest first; what a suite lacks comes from the next one.
suites='sid trixie'
tools='crane oras umoci'

missing=
for tool in $tools; do [ -x "$folder/bin/$tool" ] || missing="$missing $tool"; done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null || [ ! -e "$keyring" ]; then
	echo "setup: this is no Debian; tests that need$missing are skipped unless these are in PATH" >&2
	exit 0
fi

mkdir -p "$folder/bin"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial" "$work/debs"
mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 2>/dev/null | grep '/debian/*$' | head -n 1)
if [ -z "$mirror" ]; then
	echo "setup: apt knows no mirror of Debian; tests that need$missing are skipped" >&2
	exit 0
fi
for suite in $suites; do
	echo "deb [signed-by=$keyring] $mirror $suite main"
done >"$work/sources.list"

# A mirror that stands still is good enough for tools of tests, so the age of its lists is not checked.
# Under root apt drops to its own user for downloads, which cannot read this folder; here there is no need to.
apt() {
	apt-get -q -q -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
		-o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" \
		-o Acquire::Languages=none -o Acquire::Check-Valid-Until=false -o APT::Sandbox::User=root "$@"
}

echo "setup: fetching$missing from Debian $suites into $folder"
if ! apt update; then
	echo "setup: Debian's mirror does not answer; tests that need$missing are skipped" >&2
	exit 0
fi

cd "$work/debs"
for tool in $missing; do
	for suite in $suites; do
		apt download "$tool/$suite" 2>/dev/null || continue
		dpkg -x "$tool"_*.deb "$work/$tool"
		binary=$work/$tool/usr/bin/$tool
		# A build for a newer libc than this machine's does not start; the next suite's may.
		if "$binary" --version >/dev/null 2>&1 || "$binary" version >/dev/null 2>&1; then
			mv "$binary" "$folder/bin/$tool"
			break
		fi
		rm -rf "$work/$tool" "$tool"_*.deb
	done
	[ -x "$folder/bin/$tool" ] || echo "setup: no $tool that runs here; tests that need it are skipped" >&2
done
