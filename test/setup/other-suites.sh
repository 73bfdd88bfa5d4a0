# SPDX-License-Identifier: Apache-2.0
# For scripts to source: Debian packages of suites that this machine does not follow, unpacked and never installed. apt
# downloads and verifies with settings of its own, dpkg unpacks, so the system's packages, libc first of all, stay as
# they are. No root needed.

# open_suites WORK SUITES...: lists of these suites under the folder WORK. Not possible here: $why says it, returns 1.
open_suites() {
	suites_work=$1
	shift
	suites_keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	if ! command -v apt-get >/dev/null || ! command -v dpkg >/dev/null || [ ! -e "$suites_keyring" ]; then
		why="this is no Debian"
		return 1
	fi
	suites_mirror=$(apt-get indextargets --format '$(REPO_URI)' 'Origin: Debian' 2>/dev/null | grep '/debian/*$' | head -n 1)
	if [ -z "$suites_mirror" ]; then
		why="apt knows no mirror of Debian"
		return 1
	fi
	mkdir -p "$suites_work/lists/partial" "$suites_work/cache/archives/partial"
	for suite; do
		echo "deb [signed-by=$suites_keyring] $suites_mirror $suite main"
	done >"$suites_work/sources.list"
	if ! suites_apt update; then
		why="Debian's mirror does not answer"
		return 1
	fi
}

# unpack PACKAGE/SUITE FOLDER: returns 1 where the suite has no such package.
unpack() {
	suites_debs=$(mktemp -d "$suites_work/debs.XXXXXX")
	(cd "$suites_debs" && suites_apt download "$1" 2>/dev/null) || return 1
	mkdir -p "$2"
	dpkg -x "$suites_debs"/*.deb "$2"
	rm -rf "$suites_debs"
}

# A mirror that stands still is good enough for tools of tests, so the age of its lists is not checked.
# Under root apt drops to its own user for downloads, which cannot read this folder; here there is no need to.
suites_apt() {
	apt-get -q -q -o Dir::Etc::SourceList="$suites_work/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
		-o Dir::State::Lists="$suites_work/lists" -o Dir::Cache="$suites_work/cache" \
		-o Acquire::Languages=none -o Acquire::Check-Valid-Until=false -o APT::Sandbox::User=root "$@"
}
