// SPDX-License-Identifier: Apache-2.0
#include "network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <net/route.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define INTERFACE "eth0"

static int control_socket(void)
{
	return socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
}

static int set_flags_up(int fd, const char *interface)
{
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	if (ioctl(fd, SIOCGIFFLAGS, &request) != 0)
		return errno;
	request.ifr_flags |= IFF_UP;
	return ioctl(fd, SIOCSIFFLAGS, &request) == 0 ? 0 : errno;
}

static void put_address(struct sockaddr *to, struct in_addr address)
{
	struct sockaddr_in internet = { .sin_family = AF_INET, .sin_addr = address };

	memcpy(to, &internet, sizeof(internet));
}

static int set_address(int fd, unsigned long what, struct in_addr address)
{
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), INTERFACE);
	put_address(&request.ifr_addr, address);
	return ioctl(fd, what, &request) == 0 ? 0 : errno;
}

static int add_default_route(int fd, struct in_addr gateway)
{
	struct rtentry route = { .rt_flags = RTF_UP | RTF_GATEWAY };
	struct in_addr any = { 0 };

	put_address(&route.rt_dst, any);
	put_address(&route.rt_genmask, any);
	put_address(&route.rt_gateway, gateway);
	return ioctl(fd, SIOCADDRT, &route) == 0 || errno == EEXIST ? 0 : errno;
}

static int parse_address(const char *text, struct in_addr *address, struct in_addr *mask)
{
	char copy[INET_ADDRSTRLEN + 4];
	uint64_t prefix = 32;

	if (strlen(text) >= sizeof(copy))
		return -1;
	strcpy(copy, text);
	char *slash = strchr(copy, '/');
	if (slash) {
		*slash++ = 0;
		if (parse_number(slash, &prefix) != 0 || prefix > 32)
			return -1;
	}
	mask->s_addr = prefix ? htonl(UINT32_MAX << (32 - prefix)) : 0;
	return inet_pton(AF_INET, copy, address) == 1 ? 0 : -1;
}

void network_loopback(void)
{
	int fd = control_socket();

	if (fd < 0)
		return;
	set_flags_up(fd, "lo");
	close(fd);
}

static int configure(int fd, struct in_addr address, struct in_addr mask, const char *gateway_text)
{
	struct in_addr gateway;
	int error = set_address(fd, SIOCSIFADDR, address);

	if (!error)
		error = set_address(fd, SIOCSIFNETMASK, mask);
	if (!error)
		error = set_flags_up(fd, INTERFACE);
	if (error || !gateway_text)
		return error;
	if (inet_pton(AF_INET, gateway_text, &gateway) != 1)
		return EINVAL;
	return add_default_route(fd, gateway);
}

int network_configure(const struct frame *start)
{
	const char *text = record_find(start, "net-address");
	struct in_addr address, mask;

	if (!text)
		return 0;
	if (parse_address(text, &address, &mask) != 0)
		return EINVAL;
	int fd = control_socket();
	if (fd < 0)
		return errno;
	int error = configure(fd, address, mask, record_find(start, "net-gateway"));
	close(fd);
	return error;
}
