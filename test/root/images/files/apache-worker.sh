#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Says which of Apache's processes started it, after a while in which that one can take no other request.
sleep 5
printf 'Content-Type: text/plain\r\n\r\nworker %s %s\n' "$PPID" "$(id -un)"
