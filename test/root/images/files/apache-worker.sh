#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Says which of Apache's processes started it. Before that it waits until 20 of its kind are there at once, so no process of
# Apache can have started two.
: >"/tmp/workers/$$"
for n in $(seq 150); do
	set -- /tmp/workers/*
	[ $# -lt 20 ] || break
	sleep 2
done
printf 'Content-Type: text/plain\r\n\r\nworker %s %s of %s\n' "$PPID" "$(id -un)" $#
