#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Fetches the registry clients that Debian 12 does not have, or not new enough, from Debian trixie and sid into a folder
# of their own. Nothing is installed. Done already, or not possible here: exit 0.
set -eu
. "$(dirname "$0")/other-suites.sh"

folder=${UK_TEST_TOOLS:-${XDG_CACHE_HOME:-$HOME/.cache}/uk/test-tools}
# The newest first; what a suite lacks comes from the next one.
suites='sid trixie'
# Each with its package, where that is called otherwise.
tools='crane oras umoci cosign notation docker=docker-cli'

missing=
for tool in $tools; do [ -x "$folder/bin/${tool%=*}" ] || missing="$missing $tool"; done
[ -n "$missing" ] || exit 0
names=$(for tool in $missing; do printf ' %s' "${tool%=*}"; done)

mkdir -p "$folder/bin"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
echo "setup: fetching$names from Debian $suites into $folder"
if ! open_suites "$work" $suites; then
	echo "setup: $why; tests that need$names are skipped unless these are in PATH" >&2
	exit 0
fi
for tool in $missing; do
	name=${tool%=*}
	for suite in $suites; do
		unpack "${tool#*=}/$suite" "$work/$name" || continue
		binary=$work/$name/usr/bin/$name
		# A build for a newer libc than this machine's does not start; the next suite's may.
		if "$binary" --version >/dev/null 2>&1 || "$binary" version >/dev/null 2>&1; then
			mv "$binary" "$folder/bin/$name"
			break
		fi
		rm -rf "${work:?}/$name"
	done
	[ -x "$folder/bin/$name" ] || echo "setup: no $name that runs here; tests that need it are skipped" >&2
done
