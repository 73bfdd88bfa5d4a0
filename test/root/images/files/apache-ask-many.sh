#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Starts Apache, asks 40 times at once, and counts which of its processes answered.
set -eu
apache2 -DFOREGROUND >&2 &
server=$!
ask() {
	perl -MIO::Socket::INET -e '
		for (1 .. 300) {
			my $socket = IO::Socket::INET->new("127.0.0.1:80") or select(undef, undef, undef, 0.2), next;
			print $socket "GET $ARGV[0] HTTP/1.0\r\n\r\n";
			print grep { /^worker|page/ } <$socket>;
			exit;
		}
		die "no answer\n"' "$1"
}
ask /page.txt >/dev/null
for n in $(seq 40); do ask /cgi-bin/worker >"/tmp/answer.$n" & done
for n in $(seq 400); do
	[ "$(cat /tmp/answer.* | wc -l)" -lt 40 ] || break
	sleep 0.2
done
kill -TERM "$server"
wait "$server" || true
cat /tmp/answer.* | awk '/^worker/ { all++; if (!seen[$2]++) workers++; user = $3 }
	END { print all + 0 " answers from " workers + 0 " workers of " user }'
