/* SPDX-License-Identifier: MIT */
/*
 * notify listen SOCKET: prints what is sent to it, up to READY=1.
 * notify send TEXT: sends it to $NOTIFY_SOCKET, as sd_notify(3) does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int fail(const char *what)
{
	perror(what);
	return 1;
}

static int listen_at(int fd, const struct sockaddr_un *address)
{
	char message[4096];
	ssize_t n;

	if (bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		return fail("bind");
	do {
		n = recv(fd, message, sizeof(message) - 1, 0);
		if (n < 0)
			return fail("recv");
		message[n] = '\0';
		printf("%s\n", message);
	} while (!strstr(message, "READY=1"));
	return 0;
}

int main(int argc, char *argv[])
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int is_listening = argc == 3 && !strcmp(argv[1], "listen");
	const char *path = is_listening ? argv[2] : getenv("NOTIFY_SOCKET");

	if (argc != 3 || !path || strlen(path) >= sizeof(address.sun_path)) {
		fprintf(stderr, "usage: notify listen SOCKET, or notify send TEXT\n");
		return 2;
	}
	if (fd < 0)
		return fail("socket");
	strcpy(address.sun_path, path);
	if (is_listening) {
		/* Nobody may ever send anything. */
		alarm(120);
		return listen_at(fd, &address);
	}
	if (sendto(fd, argv[2], strlen(argv[2]), 0, (struct sockaddr *)&address, sizeof(address)) <
	    0)
		return fail(path);
	return 0;
}
