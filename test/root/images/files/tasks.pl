# SPDX-License-Identifier: Apache-2.0
use strict;
use warnings;
use utf8;
use Digest::SHA qw(sha256_hex);
use Compress::Zlib;
use IO::Socket::INET;

$| = 1;
my %words;
$words{$_}++ for map { split } <STDIN>;
my @most = (sort { $words{$b} <=> $words{$a} || $a cmp $b } keys %words)[0 .. 2];
print 'words: ', join(' ', map { "$_=$words{$_}" } @most), "\n";

print 'sha256 ', sha256_hex('hello world'), "\n";

my @squares;
for my $n (1 .. 5) {
    my $pid = open(my $from, '-|') // die "fork: $!";
    if ($pid == 0) { print $n * $n; exit }
    push @squares, <$from>;
    close $from;
}
print "children: @squares\n";

my $server = IO::Socket::INET->new(Listen => 1, LocalAddr => '127.0.0.1') or die "listen: $!";
my $pid = fork // die "fork: $!";
if ($pid == 0) {
    my $client = $server->accept;
    print $client scalar reverse(uc(<$client> =~ s/\n//r)), "\n";
    exit;
}
my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $server->sockport) or die "connect: $!";
print $socket "hello\n";
print 'socket: ', scalar <$socket>;
waitpid $pid, 0;

my $long = 'abc' x 33333 . 'd';
my $short = compress($long);
die 'not the same' if uncompress($short) ne $long;
print 'compressed ', length $long, ' to ', (length $short < 1000 ? 'less' : 'more'), " than 1000 and back\n";

binmode STDOUT, ':utf8';
print 'grüße in ', length 'grüße', " characters\n";
