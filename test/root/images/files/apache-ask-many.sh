#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Starts Apache, asks 20 times at once, and counts which of its processes answered.
set -eu
mkdir -m 1777 /tmp/workers
# Apache ends its whole process group. A shell that is process 1 would survive that, others would not.
setsid apache2 -DFOREGROUND >&2 &
server=$!
perl -MIO::Socket::INET -e '
	my ($first, @asked, %seen);
	until ($first = IO::Socket::INET->new("127.0.0.1:80")) { select(undef, undef, undef, 0.2) }
	for (1 .. 20) {
		push @asked, my $socket = IO::Socket::INET->new("127.0.0.1:80") || die "connect: $!\n";
		print $socket "GET /cgi-bin/worker HTTP/1.0\r\n\r\n";
	}
	my $answers = grep { my $socket = $_; grep { /^worker (\d+) (.*)/ && $seen{$1}++ + 1 && ($how = $2) } <$socket> } @asked;
	print "$answers answers from ", scalar keys %seen, " workers, the last: $how\n"'
kill -TERM "$server"
wait "$server" || true
