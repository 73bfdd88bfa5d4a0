/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The load of the registry's benchmark: requests over keep-alive connections, a thread each, until the time is over.
 * It shares the machine with the server, so it does no more than a client must: send, read the answer's head, copy the
 * body out of the socket. Every answer's status and length are checked, so that nothing counts which failed.
 *
 *   load read PORT CONNECTIONS SECONDS METHOD LENGTH PATH...
 *   load put|patch PORT CONNECTIONS SECONDS REPOSITORY BASE < blobs
 *
 * `blobs` has a line for each blob: its last 64 bytes, a space, its digest. What comes before those is the file BASE,
 * the same for all; for `patch` with the framing of a chunked body already in it. `put` sends POST and PUT with the
 * body; `patch` sends POST, a chunked PATCH, and an empty PUT, as Docker's client does.
 * Answers one line of JSON.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TAIL 64
#define MAX_BLOBS 100000
#define HEAD_ROOM 16384
#define COPY_ROOM (128 * 1024)
#define ACCEPT                                                                                      \
	"Accept: application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json\r\n"

struct connection {
	int fd;
	char head[HEAD_ROOM + 1];
	size_t have; /* bytes in `head` */
	size_t body; /* where the body begins in it */
	int status;
	long long length;
	char *copy;
	uint32_t *latencies; /* microseconds */
	size_t requests, room;
	unsigned long long bytes;
};

struct blob {
	char tail[TAIL];
	char digest[160];
};

static enum { READ, PUT, PATCH } mode;
static int port;
static double stop_at;
static char **paths;
static int path_count;
static const char *method, *repository;
static long long expected_length;
static const char *base;
static size_t base_size;
static struct blob *blobs;
static int blob_count;
static atomic_int next_blob;
static atomic_bool exhausted;

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fail(const char *what, const struct connection *c)
{
	fprintf(stderr, "load: %s\n%.600s\n", what, c == NULL ? "" : c->head);
	exit(1);
}

static void open_connection(struct connection *c)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int one = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		fail("cannot connect", NULL);
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

static void send_all(struct connection *c, const char *bytes, size_t size, int flags)
{
	while (size > 0) {
		ssize_t sent = send(c->fd, bytes, size, MSG_NOSIGNAL | flags);
		if (sent <= 0)
			fail("the connection broke while sending", NULL);
		bytes += sent;
		size -= (size_t)sent;
	}
}

/* The value of a header; the head ends with an empty line. */
static const char *header(const struct connection *c, const char *name)
{
	size_t length = strlen(name);

	for (const char *line = strstr(c->head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n"))
		if (strncasecmp(line + 2, name, length) == 0 && line[2 + length] == ':')
			return line + 3 + length + strspn(line + 3 + length, " ");
	return NULL;
}

static void read_head(struct connection *c)
{
	char *end = NULL;

	c->have = 0;
	while (end == NULL) {
		ssize_t got = recv(c->fd, c->head + c->have, HEAD_ROOM - c->have, 0);
		if (got <= 0)
			fail("the connection broke before an answer", NULL);
		c->have += (size_t)got;
		c->head[c->have] = 0;
		end = memmem(c->head, c->have, "\r\n\r\n", 4);
	}
	c->body = (size_t)(end - c->head) + 4;
	end[2] = 0;
	c->status = atoi(c->head + strlen("HTTP/1.1 "));
	const char *length = header(c, "content-length");
	c->length = length == NULL ? -1 : atoll(length);
}

/* The rest of a body of `length` bytes. */
static void copy_out(struct connection *c, long long length)
{
	length -= (long long)(c->have - c->body);
	while (length > 0) {
		ssize_t got = recv(c->fd, c->copy, length < COPY_ROOM ? (size_t)length : COPY_ROOM, 0);
		if (got <= 0)
			fail("the connection broke within a body", c);
		length -= got;
	}
}

/*
 * Bodies without a length are chunked, and end with an empty chunk. Go sends lists that way. Their chunks are not
 * parsed: what was learned before is how long the list is, so `length` is that of its last bytes on the wire.
 */
static void copy_chunks(struct connection *c)
{
	static const char LAST[] = "\r\n0\r\n\r\n";
	const size_t keep = sizeof(LAST) - 1;
	size_t have = c->have - c->body;

	if (have > COPY_ROOM)
		fail("an answer's head was too large", c);
	memcpy(c->copy, c->head + c->body, have);
	while (have < keep || memcmp(c->copy + have - keep, LAST, keep) != 0) {
		if (have > keep) {
			memmove(c->copy, c->copy + have - keep, keep);
			have = keep;
		}
		ssize_t got = recv(c->fd, c->copy + have, COPY_ROOM - have, 0);
		if (got <= 0)
			fail("the connection broke within a chunked body", c);
		have += (size_t)got;
	}
}

static void expect(struct connection *c, int status)
{
	read_head(c);
	if (c->status != status)
		fail("another status than expected", c);
}

static void count(struct connection *c, double began, unsigned long long bytes)
{
	if (c->requests == c->room) {
		c->room = c->room == 0 ? 4096 : c->room * 2;
		c->latencies = realloc(c->latencies, c->room * sizeof(*c->latencies));
	}
	c->latencies[c->requests++] = (uint32_t)((now() - began) * 1e6);
	c->bytes += bytes;
}

static void read_until_stopped(struct connection *c, int at)
{
	bool head = strcmp(method, "HEAD") == 0;
	char request[2048];

	while (now() < stop_at) {
		int size = snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n" ACCEPT "\r\n",
				    method, paths[at++ % path_count], port);
		double began = now();
		send_all(c, request, (size_t)size, 0);
		expect(c, 200);
		if (c->length >= 0 && c->length != expected_length)
			fail("another length than expected", c);
		if (!head && c->length >= 0)
			copy_out(c, c->length);
		else if (!head)
			copy_chunks(c);
		count(c, began, head ? 0 : (unsigned long long)expected_length);
	}
}

/* Where the answer says to go on, as a path; with the digest behind it. */
static void location(const struct connection *c, const char *digest, char *path, size_t size)
{
	const char *value = header(c, "location");

	if (value == NULL)
		fail("no Location", c);
	if (strncmp(value, "http://", 7) == 0)
		value = strchr(value + 7, '/');
	int length = (int)strcspn(value, "\r\n");
	if (digest == NULL)
		snprintf(path, size, "%.*s", length, value);
	else
		snprintf(path, size, "%.*s%cdigest=%s", length, value,
			 memchr(value, '?', (size_t)length) == NULL ? '?' : '&', digest);
}

static void send_head(struct connection *c, const char *verb, const char *path, const char *more, int flags)
{
	char request[4096];
	int size = snprintf(request, sizeof(request), "%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s\r\n", verb, path,
			    port, more);

	send_all(c, request, (size_t)size, flags);
}

static void push(struct connection *c, const struct blob *blob)
{
	char path[3072], more[128];

	snprintf(path, sizeof(path), "/v2/%s/blobs/uploads/", repository);
	send_head(c, "POST", path, "Content-Length: 0\r\n", 0);
	expect(c, 202);
	if (mode == PATCH) {
		location(c, NULL, path, sizeof(path));
		send_head(c, "PATCH", path,
			  "Transfer-Encoding: chunked\r\nContent-Type: application/octet-stream\r\n", MSG_MORE);
		send_all(c, base, base_size, MSG_MORE);
		send_all(c, "40\r\n", 4, MSG_MORE);
		send_all(c, blob->tail, TAIL, MSG_MORE);
		send_all(c, "\r\n0\r\n\r\n", 7, 0);
		expect(c, 202);
		location(c, blob->digest, path, sizeof(path));
		send_head(c, "PUT", path, "Content-Length: 0\r\n", 0);
	} else {
		location(c, blob->digest, path, sizeof(path));
		snprintf(more, sizeof(more), "Content-Length: %zu\r\nContent-Type: application/octet-stream\r\n",
			 base_size + TAIL);
		send_head(c, "PUT", path, more, MSG_MORE);
		send_all(c, base, base_size, MSG_MORE);
		send_all(c, blob->tail, TAIL, 0);
	}
	expect(c, 201);
}

static void push_until_stopped(struct connection *c)
{
	while (now() < stop_at) {
		int at = atomic_fetch_add(&next_blob, 1);
		if (at >= blob_count) {
			exhausted = true;
			return;
		}
		double began = now();
		push(c, &blobs[at]);
		count(c, began, base_size + TAIL);
	}
}

static void *run(void *argument)
{
	struct connection *c = argument;

	open_connection(c);
	c->copy = malloc(COPY_ROOM);
	if (mode == READ)
		read_until_stopped(c, (int)c->requests);
	else
		push_until_stopped(c);
	close(c->fd);
	return NULL;
}

static void read_blobs(void)
{
	char line[512];

	blobs = calloc(MAX_BLOBS, sizeof(*blobs));
	while (blob_count < MAX_BLOBS && fgets(line, sizeof(line), stdin) != NULL) {
		memcpy(blobs[blob_count].tail, line, TAIL);
		sscanf(line + TAIL + 1, "%159s", blobs[blob_count++].digest);
	}
}

static void map_base(const char *path)
{
	struct stat about;
	int fd = open(path, O_RDONLY);

	if (fd < 0 || fstat(fd, &about) != 0)
		fail("cannot read BASE", NULL);
	base_size = (size_t)about.st_size;
	base = mmap(NULL, base_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	if (base == MAP_FAILED)
		fail("cannot map BASE", NULL);
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void report(const struct connection *connections, int number, double seconds)
{
	unsigned long long bytes = 0;
	size_t requests = 0, at = 0;

	for (int i = 0; i < number; i++) {
		requests += connections[i].requests;
		bytes += connections[i].bytes;
	}
	uint32_t *all = calloc(requests + 1, sizeof(*all));
	for (int i = 0; i < number; i++) {
		memcpy(all + at, connections[i].latencies, connections[i].requests * sizeof(*all));
		at += connections[i].requests;
	}
	qsort(all, requests, sizeof(*all), by_value);
	printf("{\"requests\":%zu,\"bytes\":%llu,\"seconds\":%.4f,\"p50\":%u,\"p99\":%u,\"max\":%u,\"exhausted\":%s}\n",
	       requests, bytes, seconds, all[requests / 2], all[requests * 99 / 100],
	       requests == 0 ? 0 : all[requests - 1], exhausted ? "true" : "false");
}

int main(int argc, char **argv)
{
	if (argc < 7)
		fail("too few arguments", NULL);
	mode = strcmp(argv[1], "read") == 0 ? READ : strcmp(argv[1], "put") == 0 ? PUT : PATCH;
	port = atoi(argv[2]);
	int number = atoi(argv[3]);
	if (mode == READ) {
		method = argv[5];
		expected_length = atoll(argv[6]);
		paths = argv + 7;
		path_count = argc - 7;
	} else {
		repository = argv[5];
		map_base(argv[6]);
		read_blobs();
	}

	struct connection *connections = calloc((size_t)number, sizeof(*connections));
	pthread_t *threads = calloc((size_t)number, sizeof(*threads));
	double began = now();
	stop_at = began + atof(argv[4]);
	for (int i = 0; i < number; i++)
		if (pthread_create(&threads[i], NULL, run, &connections[i]) != 0)
			fail("cannot start a thread", NULL);
	for (int i = 0; i < number; i++)
		pthread_join(threads[i], NULL);
	report(connections, number, now() - began);
	return 0;
}
