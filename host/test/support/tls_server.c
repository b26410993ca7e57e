/* tls_server: an HTTPS server with a certificate of its own, made for the test: `openssl
 * s_server`. */
#include "tls_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka.h wants the four above. */
#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "loop.h"

enum { OUTPUT_MAX = 64 * 1024, ARGS_MAX = 24 };

struct tls_server {
	uv_loop_t *loop;
	uv_process_t process;
	uv_pipe_t out;
	struct buf output;
	bool exited;
	unsigned open_handles;
	char dir[32];
	char *cert, *key, *address;
};

static void on_exit_of_child(uv_process_t *process, int64_t status, int by_signal)
{
	struct tls_server *s = process->data;

	(void)status;
	(void)by_signal;
	s->exited = true;
}

static bool has_exited(void *user)
{
	return ((struct tls_server *)user)->exited;
}

/* args ends with NULL and has no "openssl" in it. */
static void run(struct tls_server *s, const char *const *args)
{
	char *argv[ARGS_MAX + 2] = {xstrdup("openssl")};
	int to_pipe = UV_CREATE_PIPE | UV_WRITABLE_PIPE;
	uv_stdio_container_t stdio[3] = {
		{.flags = UV_IGNORE},
		{.flags = (uv_stdio_flags)to_pipe, .data.stream = (uv_stream_t *)&s->out},
		{.flags = UV_IGNORE},
	};
	uv_process_options_t o = {
		.file = "openssl",
		.args = argv,
		.stdio = stdio,
		.stdio_count = 3,
		.exit_cb = on_exit_of_child,
	};
	int rc;

	for (size_t i = 0; args[i]; i++) {
		assert_true(i < ARGS_MAX);
		argv[i + 1] = xstrdup(args[i]);
	}
	s->exited = false;
	s->process.data = s;
	uv_pipe_init(s->loop, &s->out, 0);
	s->out.data = s;
	rc = uv_spawn(s->loop, &s->process, &o);
	for (size_t i = 0; argv[i]; i++)
		free(argv[i]);
	if (rc != 0)
		fail_msg("openssl: %s", uv_strerror(rc));
}

static void make_certificate(struct tls_server *s)
{
	const char *args[] = {"req", "-x509", "-newkey", "ec", "-pkeyopt",
		"ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
		"/CN=server.global.nomad", "-addext", "subjectAltName=DNS:server.global.nomad",
		"-keyout", s->key, "-out", s->cert, NULL};

	run(s, args);
	loop_until(s->loop, "the certificate", has_exited, s);
	uv_close((uv_handle_t *)&s->process, NULL);
	uv_close((uv_handle_t *)&s->out, NULL);
	loop_for(s->loop, 1); /* the handles are used again */
	assert_int_equal(access(s->cert, R_OK), 0);
}

static void on_alloc(uv_handle_t *handle, size_t size, uv_buf_t *b)
{
	(void)handle;
	*b = uv_buf_init(xmalloc(size), (unsigned)size);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *b)
{
	struct tls_server *s = stream->data;

	if (n > 0)
		assert_true(buf_add(&s->output, b->base, (size_t)n));
	if (n < 0)
		uv_read_stop(stream);
	free(b->base);
}

/* "ACCEPT 127.0.0.1:12345" */
static bool listens(void *user)
{
	struct tls_server *s = user;
	const char *line = strstr(buf_text(&s->output), "ACCEPT ");

	return line && strchr(line, '\n');
}

struct tls_server *tls_server_new(uv_loop_t *loop, bool verify)
{
	struct tls_server *s = xcalloc(1, sizeof(*s));
	const char *args[] = {"s_server", "-accept", "127.0.0.1:0", "-www", "-cert", NULL, "-key",
		NULL, NULL, NULL, NULL, NULL, NULL};
	const char *line;

	s->loop = loop;
	buf_init(&s->output, OUTPUT_MAX);
	memcpy(s->dir, "/tmp/test_tls.XXXXXX", sizeof("/tmp/test_tls.XXXXXX"));
	assert_non_null(mkdtemp(s->dir));
	s->cert = xasprintf("%s/cert.pem", s->dir);
	s->key = xasprintf("%s/key.pem", s->dir);
	make_certificate(s);
	args[5] = s->cert;
	args[7] = s->key;
	if (verify) {
		args[8] = "-Verify";
		args[9] = "1";
		args[10] = "-CAfile";
		args[11] = s->cert;
	}
	run(s, args);
	uv_read_start((uv_stream_t *)&s->out, on_alloc, on_read);
	loop_until(loop, "openssl s_server", listens, s);
	line = strstr(buf_text(&s->output), "ACCEPT ") + strlen("ACCEPT ");
	s->address = xasprintf("https://%.*s", (int)strcspn(line, "\n"), line);
	return s;
}

const char *tls_server_address(const struct tls_server *s)
{
	return s->address;
}

const char *tls_server_cert(const struct tls_server *s)
{
	return s->cert;
}

const char *tls_server_key(const struct tls_server *s)
{
	return s->key;
}

static void on_closed(uv_handle_t *handle)
{
	struct tls_server *s = handle->data;

	if (--s->open_handles > 0)
		return;
	buf_free(&s->output);
	unlink(s->cert);
	unlink(s->key);
	rmdir(s->dir);
	free(s->cert);
	free(s->key);
	free(s->address);
	free(s);
}

void tls_server_free(struct tls_server *s)
{
	uv_process_kill(&s->process, SIGKILL);
	loop_until(s->loop, "the end of openssl", has_exited, s);
	s->open_handles = 2;
	uv_close((uv_handle_t *)&s->process, on_closed);
	uv_close((uv_handle_t *)&s->out, on_closed);
}
