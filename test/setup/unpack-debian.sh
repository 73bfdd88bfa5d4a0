#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# unpack-debian.sh FOLDER SUITE PACKAGE...: unpacks packages of a Debian suite into a folder; nothing is installed, and what
# they depend on is not fetched. Not possible here: says why, exit 1.
set -eu
. "$(dirname "$0")/other-suites.sh"

folder=$1 suite=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if ! open_suites "$work" "$suite"; then
	echo "setup: $why" >&2
	exit 1
fi
for package; do
	if ! unpack "$package/$suite" "$folder"; then
		echo "setup: Debian $suite does not give out $package" >&2
		exit 1
	fi
done
