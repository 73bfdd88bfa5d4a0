// SPDX-License-Identifier: Apache-2.0
/* Archives on the host, under the sanitizers: `archive pack PATH` writes one, `archive unpack DIRECTORY` reads one. */
#include <string.h>

#include "../archive.h"

int main(int argc, char **argv)
{
	char payload[5000];

	if (argc != 3 || strlen(argv[2]) > 4500)
		return 2;
	memcpy(payload, "arg=", 4);
	strcpy(payload + 4, argv[2]);
	struct frame frame = { .payload = payload, .length = strlen(payload) + 1 };
	return strcmp(argv[1], "pack") == 0 ? archive_pack(&frame) : archive_unpack(&frame);
}
