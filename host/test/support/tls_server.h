/* tls_server: an HTTPS server with a certificate of its own, made for the test: `openssl
 * s_server`.
 *
 * It answers every GET with a page of HTML. Its certificate is for server.global.nomad, as
 * Nomad's are. */
#ifndef TLS_SERVER_H
#define TLS_SERVER_H

#include <stdbool.h>
#include <uv.h>

struct tls_server;

/* verify: it wants a client certificate. Waits until it listens. */
struct tls_server *tls_server_new(uv_loop_t *loop, bool verify);
/* "https://127.0.0.1:12345", and the files of its certificate and key; they die with the server. */
const char *tls_server_address(const struct tls_server *s);
const char *tls_server_cert(const struct tls_server *s);
const char *tls_server_key(const struct tls_server *s);
void tls_server_free(struct tls_server *s);

#endif
