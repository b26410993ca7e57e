/* floor: how fast it can be, not a product: the lines are scanned raw and once, in the order of members in which Nomad
 * writes them; a write goes out on any of a few kept-alive connections. No reconnect, no error handling, no list.
 *
 *     NOMAD_ADDR=http://127.0.0.1:4646 floor [CONNECTIONS]
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../json.h"
#include "scan.h"
#include "write.h"

enum { READ = 256 * 1024 };

static struct sockaddr_in address(void)
{
	const char *url = getenv("NOMAD_ADDR");
	const char *colon = url ? strrchr(url, ':') : NULL;

	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)},
		.sin_port = htons((uint16_t)atoi(colon ? colon + 1 : "4646"))};
}

static int open_stream(const struct sockaddr_in *a)
{
	static const char request[] = "GET /v1/event/stream?topic=Job&namespace=* HTTP/1.1\r\n"
				      "Host: 127.0.0.1\r\n\r\n";
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (connect(fd, (const struct sockaddr *)a, sizeof(*a)) != 0 ||
		send(fd, request, sizeof(request) - 1, 0) < 0)
		exit(1);
	return fd;
}

static void on_job(void *writes, const struct scan_job *job)
{
	write_backup(writes, job);
}

/* Whole lines of what has come; the chunks' own lines do not begin with a brace. Returns how much was taken. */
static size_t take_lines(const char *text, size_t len, struct write *writes)
{
	const char *at = text, *end = text + len, *newline;

	while ((newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
		if (*at == '{' && newline - at > 2)
			scan_line(at, newline, on_job, writes);
		at = newline + 1;
	}
	return (size_t)(at - text);
}

int main(int argc, char **argv)
{
	struct sockaddr_in a = address();
	struct write *writes = write_new(&a, argc > 1 ? atoi(argv[1]) : 4);
	int stream = open_stream(&a);
	size_t len = 0, room = READ;
	char *text = malloc(room);
	ssize_t n;

	while (text && (n = recv(stream, text + len, room - len, 0)) > 0) {
		size_t taken;

		len += (size_t)n;
		taken = take_lines(text, len, writes);
		len -= taken;
		memmove(text, text + taken, len);
		if (len == room) {
			room *= 2;
			text = realloc(text, room);
		}
	}
	return 0;
}
