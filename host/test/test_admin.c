/* admin: routes, limits and ends of the small server, over real sockets on one loop. */
#include "admin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants those above. */
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "support/loop.h"

#define LIFE 1.0 /* seconds of a connection here */

enum { ANSWER_MAX = 1 << 22, VISITORS = ADMIN_CONNECTIONS + 4 };

struct scene {
	uv_loop_t *loop;
	struct turn *turn;
	FILE *log_file;
	struct log *log;
	struct admin *admin;
	unsigned calls;
};

/* A client: what has come, and whether the other side has ended it. */
struct client {
	uv_tcp_t tcp;
	uv_connect_t connect;
	uv_write_t write;
	const char *request;
	char buffer[65536];
	struct buf text;
	bool over, closed;
};

static void get_page(struct admin_answer *answer, void *user)
{
	struct scene *s = user;

	s->calls++;
	assert_true(buf_addf(&answer->body, "page %u\n", s->calls));
}

static void get_large(struct admin_answer *answer, void *user)
{
	(void)user;
	answer->status = 503;
	answer->type = "application/x-large";
	for (int i = 0; i < 1 << 17; i++)
		assert_true(buf_add(&answer->body, "0123456789abcde\n", 16));
}

#define OURS "X-Nomad-Operator: yes\r\n"

static const struct admin_route routes[] = {
	{"GET", "/page", get_page, NULL},
	{"GET", "/large", get_large, NULL},
	{"POST", "/order", get_page, NULL},
	{NULL, NULL, NULL, NULL},
};

static int set_up(void **state)
{
	struct scene *s = xcalloc(1, sizeof(*s));
	struct admin_options o = {.routes = routes, .user = s, .life = LIFE};
	char *error = NULL;

	s->loop = loop_new();
	s->turn = turn_new(s->loop);
	s->log_file = tmpfile();
	s->log = log_new(s->log_file, LOG_DEBUG, LOG_LOGFMT);
	assert_true(config_listen_parse("127.0.0.1:0", &o.where));
	s->admin = admin_new(s->loop, s->turn, s->log, &o, &error);
	assert_non_null(s->admin);
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct scene *s = *state;

	admin_free(s->admin);
	turn_free(s->turn);
	loop_free(s->loop);
	log_free(s->log);
	(void)fclose(s->log_file);
	free(s);
	return 0;
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *out)
{
	struct client *c = handle->data;

	(void)size;
	*out = uv_buf_init(c->buffer, sizeof(c->buffer));
}

static void on_closed(uv_handle_t *handle)
{
	((struct client *)handle->data)->closed = true;
}

static void on_read(uv_stream_t *stream, ssize_t len, const uv_buf_t *data)
{
	struct client *c = stream->data;

	if (len > 0)
		assert_true(buf_add(&c->text, data->base, (size_t)len));
	if (len < 0) {
		c->over = true;
		uv_close((uv_handle_t *)stream, on_closed);
	}
}

static void on_written(uv_write_t *write, int status)
{
	(void)write;
	(void)status; /* a refusal may come before all is written */
}

static void on_connected(uv_connect_t *connect, int status)
{
	struct client *c = connect->data;
	uv_buf_t data = uv_buf_init((char *)(uintptr_t)c->request, (unsigned)strlen(c->request));

	assert_int_equal(status, 0);
	assert_int_equal(uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read), 0);
	assert_int_equal(uv_write(&c->write, (uv_stream_t *)&c->tcp, &data, 1, on_written), 0);
}

/* The request has to live as long as the client. */
static void begin(struct scene *s, struct client *c, const char *request)
{
	struct sockaddr_in address;
	int port = atoi(strrchr(admin_address(s->admin), ':') + 1);

	memset(c, 0, sizeof(*c));
	buf_init(&c->text, ANSWER_MAX);
	c->request = request;
	uv_tcp_init(s->loop, &c->tcp);
	c->tcp.data = c;
	c->connect.data = c;
	uv_ip4_addr("127.0.0.1", port, &address);
	assert_int_equal(uv_tcp_connect(&c->connect, &c->tcp, (const struct sockaddr *)&address,
				 on_connected),
		0);
}

static bool is_over(void *user)
{
	const struct client *c = user;

	return c->over && c->closed;
}

static void finish(struct scene *s, struct client *c)
{
	loop_until(s->loop, "the end of an answer", is_over, c);
}

/* A whole answer has the parts. */
static void assert_answer(
	struct scene *s, const char *request, const char *status, const char *part)
{
	struct client c;
	const char *text;

	begin(s, &c, request);
	finish(s, &c);
	text = buf_text(&c.text);
	if (strncmp(text, status, strlen(status)) != 0 || !strstr(text, part))
		fail_msg("%s … %s is not what came:\n%s", status, part, text);
	buf_free(&c.text);
}

#define REQUEST(method, path, more) method " " path " HTTP/1.1\r\nHost: 127.0.0.1:1\r\n" more "\r\n"

static void pages(void **state)
{
	struct scene *s = *state;

	assert_answer(s, REQUEST("GET", "/page", ""), "HTTP/1.1 200 OK", "\r\n\r\npage 1\n");
	assert_answer(s, REQUEST("GET", "/page?a=b", ""), "HTTP/1.1 200 OK", "\r\n\r\npage 2\n");
	assert_answer(s, REQUEST("GET", "/page", ""), "HTTP/1.1 200 OK",
		"Content-Type: text/plain; charset=utf-8\r\n");
	assert_answer(s, "GET /page HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK", "page 4\n");
	assert_answer(s, REQUEST("POST", "/order", OURS "Content-Length: 4\r\n") "abcd",
		"HTTP/1.1 200 OK", "page 5\n");
	assert_answer(s,
		"POST /order HTTP/1.1\r\nHost: [::1]:4747\r\n"
		"Content-Type: application/json\r\n\r\n",
		"HTTP/1.1 200 OK", "page 6\n");
}

static void a_large_page_comes_whole(void **state)
{
	struct scene *s = *state;
	struct client c;

	begin(s, &c, REQUEST("GET", "/large", ""));
	finish(s, &c);
	assert_non_null(strstr(buf_text(&c.text), "HTTP/1.1 503"));
	assert_non_null(strstr(buf_text(&c.text), "application/x-large"));
	assert_true(c.text.len > 1 << 21);
	buf_free(&c.text);
}

static void refusals(void **state)
{
	struct scene *s = *state;

	assert_answer(s, REQUEST("GET", "/", ""), "HTTP/1.1 404", "no such page");
	assert_answer(s, REQUEST("GET", "/pagex", ""), "HTTP/1.1 404", "no such page");
	assert_answer(s, REQUEST("GET", "/../page", ""), "HTTP/1.1 404", "no such page");
	assert_answer(s, REQUEST("PUT", "/page", ""), "HTTP/1.1 405", "Allow: GET\r\n");
	assert_answer(s, REQUEST("GET", "/order", ""), "HTTP/1.1 405", "Allow: POST\r\n");
	assert_answer(s, REQUEST("POST", "/order", "Content-Length: 5000\r\n"), "HTTP/1.1 413",
		"of that size");
	assert_answer(s, REQUEST("POST", "/order", "Origin: http://evil.example\r\n"),
		"HTTP/1.1 403", "web page");
	assert_answer(s, REQUEST("POST", "/order", ""), "HTTP/1.1 403", "needs a header");
	assert_answer(s, REQUEST("POST", "/order", "Content-Type: text/plain\r\n"), "HTTP/1.1 403",
		"needs a header");
	assert_answer(s, REQUEST("POST", "/order", OURS "Origin: http://evil.example\r\n"),
		"HTTP/1.1 403", "web page");
	assert_answer(s, "POST /order HTTP/1.1\r\nHost: evil.example:4747\r\n" OURS "\r\n",
		"HTTP/1.1 403", "by address");
	assert_answer(s, "POST /order HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n" OURS "\r\n",
		"HTTP/1.1 403", "by address");
	assert_int_equal(s->calls, 0);
}

static void garbage(void **state)
{
	struct scene *s = *state;
	char *long_path = xmalloc(40000);
	struct client c;

	assert_answer(s, "\x16\x03\x01\x02 hello\r\n\r\n", "HTTP/1.", "400");
	memset(long_path, 'a', 39999);
	memcpy(long_path, "GET /", 5);
	memcpy(long_path + 39995, "\r\n\r\n", 5);
	begin(s, &c, long_path);
	finish(s, &c);
	assert_null(strstr(buf_text(&c.text), "200"));
	buf_free(&c.text);
	free(long_path);
	assert_answer(s, REQUEST("GET", "/page", ""), "HTTP/1.1 200 OK", "page 1\n");
}

/* A body of no stated length that goes on and on. */
static void an_endless_body(void **state)
{
	struct scene *s = *state;
	struct client c;
	struct buf request;

	buf_init(&request, 1 << 20);
	assert_true(buf_addf(
		&request, "%s", REQUEST("POST", "/order", "Transfer-Encoding: chunked\r\n")));
	for (int i = 0; i < 1000; i++)
		assert_true(buf_addf(&request, "10\r\n0123456789abcdef\r\n"));
	begin(s, &c, buf_text(&request));
	finish(s, &c);
	assert_int_equal(s->calls, 0);
	buf_free(&c.text);
	buf_free(&request);
}

/* More at once than may be: all are answered, one after the other. */
static void many_at_once(void **state)
{
	struct scene *s = *state;
	struct client *clients = xcalloc(VISITORS, sizeof(*clients));

	for (unsigned i = 0; i < VISITORS; i++)
		begin(s, &clients[i], REQUEST("GET", "/page", ""));
	for (unsigned i = 0; i < VISITORS; i++) {
		finish(s, &clients[i]);
		assert_non_null(strstr(buf_text(&clients[i].text), "200 OK"));
		buf_free(&clients[i].text);
	}
	assert_int_equal(s->calls, VISITORS);
	free(clients);
}

/* Clients that say nothing, or never come to an end, hold up nobody for longer than their time. */
static void slow_ones_are_cut(void **state)
{
	struct scene *s = *state;
	struct client *clients = xcalloc(ADMIN_CONNECTIONS, sizeof(*clients));
	uint64_t began = uv_hrtime();

	for (unsigned i = 0; i < ADMIN_CONNECTIONS; i++)
		begin(s, &clients[i], i % 2 == 0 ? "" : "GET /page HTTP/1.1\r\nHost:");
	assert_answer(s, REQUEST("GET", "/page", ""), "HTTP/1.1 200 OK", "page 1\n");
	assert_true(uv_hrtime() - began < 5000000000);
	for (unsigned i = 0; i < ADMIN_CONNECTIONS; i++) {
		finish(s, &clients[i]);
		assert_null(strstr(buf_text(&clients[i].text), "200"));
		buf_free(&clients[i].text);
	}
	free(clients);
}

static bool is_called(void *user)
{
	return ((struct scene *)user)->calls > 0;
}

/* Freed with a client in each state: connected, within its head, waiting for its route. */
static void freed_in_the_middle(void **state)
{
	struct scene *s = *state;
	struct client silent, slow, waiting;

	begin(s, &silent, "");
	begin(s, &slow, "GET /page HTT");
	begin(s, &waiting, REQUEST("GET", "/page", ""));
	loop_until(s->loop, "a call", is_called, s);
	admin_free(s->admin);
	s->admin = NULL;
	finish(s, &silent);
	finish(s, &slow);
	finish(s, &waiting);
	buf_free(&silent.text);
	buf_free(&slow.text);
	buf_free(&waiting.text);
}

static void a_port_in_use(void **state)
{
	struct scene *s = *state;
	struct admin_options o = {.routes = routes, .user = s};
	char *error = NULL;

	assert_true(config_listen_parse(admin_address(s->admin), &o.where));
	assert_null(admin_new(s->loop, s->turn, s->log, &o, &error));
	assert_non_null(strstr(error, admin_address(s->admin)));
	assert_non_null(strstr(error, "another program does"));
	assert_non_null(strstr(error, "-http-addr=off"));
	free(error);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pages, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_large_page_comes_whole, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refusals, set_up, tear_down),
		cmocka_unit_test_setup_teardown(garbage, set_up, tear_down),
		cmocka_unit_test_setup_teardown(an_endless_body, set_up, tear_down),
		cmocka_unit_test_setup_teardown(many_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(slow_ones_are_cut, set_up, tear_down),
		cmocka_unit_test_setup_teardown(freed_in_the_middle, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_port_in_use, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
