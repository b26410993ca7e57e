/* http_answer: what an answer's headers and libcurl's failures mean in http's own terms. */
#include "http_answer.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

enum { RETRY_AFTER_MAX = 3600 /* seconds; nobody means more */ };

static enum http_error unsupported(const char *words)
{
	if (strstr(words, "Unsupported HTTP"))
		return HTTP_VERSION;
	return strstr(words, "HTTP/0.9") ? HTTP_NOT_HTTP : HTTP_INTERNAL;
}

/* A handshake that breaks off is a connection that broke; one that fails is a matter of
 * settings. */
static enum http_error handshake(const char *words)
{
	return strstr(words, "SYSCALL") || strstr(words, "reset by peer") ? HTTP_CUT : HTTP_TLS;
}

/* With TLS 1.3 the server refuses a client certificate only after the handshake, while we read. */
static enum http_error broken_read(const char *words)
{
	return strstr(words, "SSL routines") && strstr(words, "alert") ? HTTP_TLS : HTTP_CUT;
}

enum http_error http_answer_error(CURLcode code, const char *words)
{
	static const struct {
		CURLcode code;
		enum http_error error;
	} table[] = {
		{CURLE_OK, HTTP_OK},
		{CURLE_COULDNT_RESOLVE_HOST, HTTP_DNS},
		{CURLE_COULDNT_RESOLVE_PROXY, HTTP_DNS},
		{CURLE_COULDNT_CONNECT, HTTP_REFUSED},
		{CURLE_PROXY, HTTP_REFUSED},
		{CURLE_PEER_FAILED_VERIFICATION, HTTP_CERT},
		{CURLE_SSL_CERTPROBLEM, HTTP_CERT_FILE},
		{CURLE_SSL_CACERT_BADFILE, HTTP_CERT_FILE},
		{CURLE_SSL_CIPHER, HTTP_TLS},
		{CURLE_OPERATION_TIMEDOUT, HTTP_TIMEOUT},
		{CURLE_PARTIAL_FILE, HTTP_CUT},
		{CURLE_GOT_NOTHING, HTTP_CUT},
		{CURLE_SEND_ERROR, HTTP_CUT},
		{CURLE_WEIRD_SERVER_REPLY, HTTP_NOT_HTTP},
		{CURLE_WRITE_ERROR, HTTP_REJECTED},
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].code == code)
			return table[i].error;
	}
	if (code == CURLE_UNSUPPORTED_PROTOCOL)
		return unsupported(words);
	if (code == CURLE_SSL_CONNECT_ERROR)
		return handshake(words);
	if (code == CURLE_RECV_ERROR)
		return broken_read(words);
	return HTTP_INTERNAL;
}

/* Copies the value of a header line, if the line is that header's, without the white space
 * around it. */
static bool header_value(const char *line, size_t n, const char *name, char *out, size_t size)
{
	size_t skip = strlen(name);

	if (n <= skip || strncasecmp(line, name, skip) != 0 || line[skip] != ':')
		return false;
	skip++;
	while (skip < n && (line[skip] == ' ' || line[skip] == '\t'))
		skip++;
	while (n > skip && strchr(" \t\r\n", line[n - 1]))
		n--;
	n -= skip;
	if (n >= size)
		n = size - 1;
	memcpy(out, line + skip, n);
	out[n] = '\0';
	return true;
}

/* Seconds or a date; -1 for neither. */
static double retry_after(const char *value)
{
	char *end;
	double seconds = strtod(value, &end);

	if (end == value) {
		time_t date = curl_getdate(value, NULL);

		if (date < 0)
			return -1;
		seconds = difftime(date, time(NULL));
	}
	if (!(seconds > 0))
		return 0;
	return seconds < RETRY_AFTER_MAX ? seconds : RETRY_AFTER_MAX;
}

void http_answer_header(struct http_result *result, const char *line, size_t len)
{
	char value[64];

	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0) {
		/* A new answer, after a 100 or a proxy's. */
		result->nomad_index = 0;
		result->retry_after = -1;
		result->content_type[0] = '\0';
	}
	/* Most lines are of headers that say nothing here. */
	switch (len > 0 ? line[0] | 0x20 : 0) {
	case 'x':
		if (header_value(line, len, "X-Nomad-Index", value, sizeof(value)))
			result->nomad_index = strtoull(value, NULL, 10);
		break;
	case 'r':
		if (header_value(line, len, "Retry-After", value, sizeof(value)))
			result->retry_after = retry_after(value);
		break;
	case 'c':
		(void)header_value(line, len, "Content-Type", result->content_type,
			sizeof(result->content_type));
		break;
	default:
		break;
	}
}
