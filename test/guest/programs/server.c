// SPDX-License-Identifier: Apache-2.0
/* Answers every HTTP request on port 80 with one line, and says so; ends at SIGTERM as all programs do. */
#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(void)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 17\r\nConnection: close\r\n\r\nhello from ring 0";
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(80) };
	int server = socket(AF_INET, SOCK_STREAM, 0);
	char request[4096];

	if (bind(server, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(server, 8) != 0) {
		perror("listen");
		return 1;
	}
	printf("listening\n");
	fflush(stdout);
	for (;;) {
		int client = accept(server, NULL, NULL);
		size_t have = 0;

		if (client < 0)
			continue;
		while (have < sizeof(request) - 1) {
			ssize_t got = read(client, request + have, sizeof(request) - 1 - have);
			if (got <= 0)
				break;
			have += (size_t)got;
			request[have] = 0;
			if (strstr(request, "\r\n\r\n"))
				break;
		}
		if (write(client, answer, sizeof(answer) - 1) < 0)
			perror("write");
		close(client);
	}
}
