// SPDX-License-Identifier: Apache-2.0
// netload ADDRESS PORT SECONDS: sends numbers to a server that sends them back, by TCP (two connections, as many bytes
// under way as fit) and by UDP, and compares. A datagram may be lost, a byte of TCP may not.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define STREAMS 2
#define BLOCK 65536
// Nothing comes back for so long: the connection hangs.
#define SILENCE_MS 60000

static uint64_t sent[STREAMS], received[STREAMS];

static long long milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

// The byte at a place of a stream: never the same for long, and different in each of the streams.
static unsigned char byte_at(int stream, uint64_t place)
{
	uint64_t mixed = (place / 8 + stream * 977) * 0x9E3779B97F4A7C15u;

	return mixed >> (8 * (place % 8));
}

static int fail(const char *what)
{
	printf("not ok 1 netload # %s: %s\n", what, strerror(errno));
	return 1;
}

static int send_some(int fd, int stream)
{
	static unsigned char block[BLOCK];

	for (int i = 0; i < BLOCK; i++)
		block[i] = byte_at(stream, sent[stream] + i);
	ssize_t length = send(fd, block, BLOCK, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (length > 0)
		sent[stream] += length;
	return length > 0 || errno == EAGAIN;
}

static int receive_some(int fd, int stream)
{
	static unsigned char block[BLOCK];
	ssize_t length = recv(fd, block, BLOCK, MSG_DONTWAIT);

	if (length < 0)
		return errno == EAGAIN;
	for (int i = 0; i < length; i++)
		if (block[i] != byte_at(stream, received[stream] + i)) {
			errno = EBADMSG;
			return 0;
		}
	received[stream] += length;
	return length > 0;
}

int main(int count, char **words)
{
	if (count != 4)
		return 2;
	struct sockaddr_in server = {.sin_family = AF_INET, .sin_port = htons(atoi(words[2]))};
	struct pollfd fds[STREAMS + 1];
	long long now = milliseconds(), until = now + atoi(words[3]) * 1000LL, heard = now;
	uint64_t datagrams = 0, answers = 0;

	inet_pton(AF_INET, words[1], &server.sin_addr);
	for (int i = 0; i <= STREAMS; i++) {
		fds[i].fd = socket(AF_INET, i < STREAMS ? SOCK_STREAM : SOCK_DGRAM, 0);
		if (fds[i].fd < 0 || connect(fds[i].fd, (struct sockaddr *)&server, sizeof(server)) != 0)
			return fail("connect");
	}
	for (;;) {
		int open_streams = 0;

		now = milliseconds();
		for (int i = 0; i < STREAMS; i++) {
			fds[i].events = POLLIN | (now < until && sent[i] - received[i] < 4 * BLOCK ? POLLOUT : 0);
			open_streams += now < until || received[i] < sent[i];
		}
		fds[STREAMS].events = POLLIN;
		if (open_streams == 0)
			break;
		if (now - heard > SILENCE_MS) {
			errno = ETIMEDOUT;
			return fail("nothing comes back");
		}
		poll(fds, STREAMS + 1, 100);
		for (int i = 0; i < STREAMS; i++) {
			uint64_t before = received[i];

			if ((fds[i].revents & POLLOUT) && !send_some(fds[i].fd, i))
				return fail("send");
			if ((fds[i].revents & (POLLIN | POLLERR | POLLHUP)) && !receive_some(fds[i].fd, i))
				return fail("receive");
			if (received[i] > before)
				heard = milliseconds();
		}
		uint64_t number[16];

		for (int i = 0; i < 16; i++)
			number[i] = datagrams * 31 + i;
		if (now < until && datagrams - answers < 64 + datagrams / 4 &&
		    send(fds[STREAMS].fd, number, sizeof(number), MSG_DONTWAIT) == sizeof(number))
			datagrams++;
		while (recv(fds[STREAMS].fd, number, sizeof(number), MSG_DONTWAIT) == sizeof(number)) {
			for (int i = 1; i < 16; i++)
				if (number[i] != number[0] + i) {
					errno = EBADMSG;
					return fail("datagram");
				}
			answers++;
		}
	}
	printf("ok 1 netload # %llu bytes there and back, %llu of %llu datagrams\n",
	       (unsigned long long)(received[0] + received[1]), (unsigned long long)answers,
	       (unsigned long long)datagrams);
	return received[0] > 0 && received[1] > 0 && answers > 0 ? 0 : fail("no data");
}
