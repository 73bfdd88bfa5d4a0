// SPDX-License-Identifier: Apache-2.0
//
// A line between two network namespaces, with delay, loss and cuts. It stands in for `tc netem`, which not every kernel
// has, and can do what netem cannot: forget all connections, as a router does that was started anew.
//
//   link NETNS-A ADDRESS-A NETNS-B ADDRESS-B DELAY-MS LOSS-PERCENT
//
// NETNS is a file such as /run/netns/name. Each namespace gets a device "line0" with its address in a /24. Every packet
// waits DELAY-MS; each is lost with the given probability, in both directions.
//
// Standard input takes lines:
//   forget MS   for so long, every TCP packet is answered with a reset
//   down MS     for so long, nothing is carried
// Standard output gets a line "carried N" every 5 ms in which it changes: bytes of TCP content that B has sent to A and
// that have arrived there, repeated ones included. It ends when standard input ends.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MTU 1500
// Packets that a line of 1 Gbit/s holds in 100 ms, and what routers let wait.
#define QUEUE 16384

struct packet {
	uint64_t due;
	int length;
	unsigned char bytes[MTU];
};

struct direction {
	int from, to;
	struct packet *ring;
	unsigned head, tail;
};

static uint64_t delay_ns;
static double loss;
static uint64_t forget_until, down_until, carried;

static void die(const char *what)
{
	fprintf(stderr, "link: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

static int open_device(const char *netns, const char *address)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	struct sockaddr_in *in = (struct sockaddr_in *)&request.ifr_addr;
	int ns = open(netns, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET) < 0)
		die(netns);
	int device = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	strcpy(request.ifr_name, "line0");
	if (device < 0 || ioctl(device, TUNSETIFF, &request) < 0)
		die("/dev/net/tun");
	int control = socket(AF_INET, SOCK_DGRAM, 0);
	in->sin_family = AF_INET;
	inet_pton(AF_INET, address, &in->sin_addr);
	if (ioctl(control, SIOCSIFADDR, &request) < 0)
		die("setting an address");
	inet_pton(AF_INET, "255.255.255.0", &in->sin_addr);
	if (ioctl(control, SIOCSIFNETMASK, &request) < 0)
		die("setting a netmask");
	// The queue of the device must not lose what the line would not.
	request.ifr_qlen = QUEUE;
	if (ioctl(control, SIOCSIFTXQLEN, &request) < 0)
		die("setting the length of a queue");
	request.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(control, SIOCSIFFLAGS, &request) < 0)
		die("setting a device up");
	strcpy(request.ifr_name, "lo");
	if (ioctl(control, SIOCSIFFLAGS, &request) < 0)
		die("setting lo up");
	close(control);
	close(ns);
	return device;
}

static uint32_t add(uint32_t sum, const void *bytes, int length)
{
	const unsigned char *at = bytes;
	for (; length > 1; at += 2, length -= 2)
		sum += at[0] << 8 | at[1];
	return length ? sum + (at[0] << 8) : sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

// Bytes of TCP content; -1 for what is no TCP packet.
static int content(const unsigned char *bytes, int length)
{
	const struct iphdr *ip = (const void *)bytes;
	if (length < 40 || ip->version != 4 || ip->protocol != IPPROTO_TCP)
		return -1;
	const struct tcphdr *tcp = (const void *)(bytes + ip->ihl * 4);
	return ntohs(ip->tot_len) - ip->ihl * 4 - tcp->doff * 4;
}

// Tells the sender of a packet that there is no such connection.
static void reset(int device, const unsigned char *bytes, int length)
{
	struct { struct iphdr ip; struct tcphdr tcp; } out = { 0 };
	struct { uint32_t from, to; uint16_t protocol, length; } pseudo;
	const struct iphdr *ip = (const void *)bytes;
	int data = content(bytes, length);
	if (data < 0)
		return;
	const struct tcphdr *tcp = (const void *)(bytes + ip->ihl * 4);
	if (tcp->rst)
		return;
	out.ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP, .tot_len = htons(sizeof out),
		.saddr = ip->daddr, .daddr = ip->saddr };
	out.ip.check = fold(add(0, &out.ip, sizeof out.ip));
	out.tcp.source = tcp->dest;
	out.tcp.dest = tcp->source;
	out.tcp.doff = 5;
	out.tcp.rst = 1;
	out.tcp.ack = 1;
	out.tcp.seq = tcp->ack_seq;
	out.tcp.ack_seq = htonl(ntohl(tcp->seq) + data + tcp->syn + tcp->fin);
	pseudo.from = out.ip.saddr;
	pseudo.to = out.ip.daddr;
	pseudo.protocol = htons(IPPROTO_TCP);
	pseudo.length = htons(sizeof out.tcp);
	out.tcp.check = fold(add(add(0, &pseudo, sizeof pseudo), &out.tcp, sizeof out.tcp));
	if (write(device, &out, sizeof out) < 0 && errno != EAGAIN)
		die("writing a reset");
}

static void take(struct direction *way, uint64_t now)
{
	for (;;) {
		struct packet *packet = &way->ring[way->tail % QUEUE];
		int is_full = way->tail - way->head == QUEUE;
		static unsigned char dropped[MTU];
		unsigned char *into = is_full ? dropped : packet->bytes;
		int length = read(way->from, into, MTU);
		if (length <= 0)
			return;
		if (now < forget_until)
			reset(way->from, into, length);
		else if (!is_full && now >= down_until && drand48() >= loss) {
			packet->length = length;
			packet->due = now + delay_ns;
			way->tail++;
		}
	}
}

static void give(struct direction *way, uint64_t now, int counts)
{
	for (; way->head != way->tail; way->head++) {
		struct packet *packet = &way->ring[way->head % QUEUE];
		if (packet->due > now)
			return;
		// What was on the way when the line went down is lost.
		if (now < down_until || now < forget_until)
			continue;
		if (write(way->to, packet->bytes, packet->length) < 0) {
			if (errno == EAGAIN)
				return;
			die("writing a packet");
		}
		int bytes = content(packet->bytes, packet->length);
		if (counts && bytes > 0)
			carried += bytes;
	}
}

static void command(uint64_t now)
{
	char line[100];
	int length = read(0, line, sizeof line - 1);
	if (length <= 0)
		exit(0);
	line[length] = 0;
	unsigned ms;
	if (sscanf(line, "forget %u", &ms) == 1)
		forget_until = now + ms * 1000000ull;
	else if (sscanf(line, "down %u", &ms) == 1)
		down_until = now + ms * 1000000ull;
	else
		fprintf(stderr, "link: not understood: %s", line);
}

int main(int argc, char **argv)
{
	if (argc != 7) {
		fprintf(stderr, "link NETNS-A ADDRESS-A NETNS-B ADDRESS-B DELAY-MS LOSS-PERCENT\n");
		return 2;
	}
	int a = open_device(argv[1], argv[2]);
	int b = open_device(argv[3], argv[4]);
	delay_ns = strtod(argv[5], NULL) * 1e6;
	loss = strtod(argv[6], NULL) / 100;
	struct direction up = { a, b, calloc(QUEUE, sizeof(struct packet)), 0, 0 };
	struct direction down = { b, a, calloc(QUEUE, sizeof(struct packet)), 0, 0 };
	if (!up.ring || !down.ring)
		die("memory");
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("ready\n");
	uint64_t said = 0, said_at = 0;
	for (;;) {
		struct pollfd polled[] = { { 0, POLLIN, 0 }, { a, POLLIN, 0 }, { b, POLLIN, 0 } };
		int waits = up.head != up.tail || down.head != down.tail || said != carried;
		// Half a millisecond is near enough for delays of tens of them.
		struct timespec wait = { 0, 500000 };
		if (ppoll(polled, 3, waits ? &wait : NULL, NULL) < 0 && errno != EINTR)
			die("poll");
		uint64_t now = now_ns();
		if (polled[0].revents)
			command(now);
		take(&up, now);
		take(&down, now);
		give(&up, now, 0);
		give(&down, now, 1);
		if (said != carried && now - said_at > 5000000) {
			printf("carried %llu\n", (unsigned long long)carried);
			said = carried;
			said_at = now;
		}
	}
}
