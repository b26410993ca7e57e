/* config: the command line and the NOMAD_* environment, read once into one struct.
 *
 * config_parse owns every string in the struct; config_free releases all of them. */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stddef.h>

#include "log.h"

enum command {
	COMMAND_HELP,
	COMMAND_VERSION,
	COMMAND_RUN,
	COMMAND_PLAN,
	COMMAND_CHECK,
	COMMAND_INIT,
	COMMAND_PRUNE,
	COMMAND_ACL,
	COMMAND_STATUS,
	COMMAND_RELOAD,
	COMMAND_APPROVE,
	COMMAND_RETRY,
	COMMAND_JOBSPEC,
	COMMAND_EXEC
};

struct config {
	enum command command;
	const char *help_topic; /* "help run" and "run -help": the command; NULL: the overview */
	char **args;		/* scripts, or what else the command takes; NULL terminated */
	size_t arg_count;

	char *address; /* scheme://host[:port]; a bare host is completed to http and port 4646 */
	char *unix_socket; /* path of unix:///path, else NULL; address is then http://127.0.0.1 */
	char *http_auth; /* user:password for Basic auth, of NOMAD_HTTP_AUTH or the address; or NULL */
	char *token;	 /* NULL: none */
	char *token_file;  /* or NULL; read again at SIGHUP and after a 403 */
	char *region;	   /* NULL: the agent's own */
	char **namespaces; /* NULL terminated; empty: all that the token may read */
	size_t namespace_count;

	char *ca_cert, *ca_path, *client_cert, *client_key; /* paths, or NULL */
	char *tls_server_name;				    /* or NULL */
	bool tls_skip_verify;

	enum log_level log_level;
	enum log_format log_format;
	bool log_format_given; /* else: text on a terminal, logfmt otherwise */
	char *instance;	       /* -instance, "default" */
	bool dry_run;
	bool yes;     /* -yes: prune asks nobody */
	bool release; /* -release: prune takes the marks away instead of stopping */
	bool json;    /* -json: jobspec answers machines */
	bool lenient; /* -lenient: to jobspec unknown fields are warnings */
	char *nomad;  /* -nomad: the version that jobspec goes by, or "server"; NULL: none */
	char **cross_namespace; /* "from:to" pairs, NULL terminated */
	size_t cross_namespace_count;
	long write_rate; /* -write-rate: writes to Nomad a second; 0, the default: no limit */
	long max_delete; /* -max-delete; -1: the larger of 5 and 20 % */
	size_t stream_line_max; /* bytes; 64 MiB */
	size_t lua_memory_max;	/* bytes for one generation; 512 MiB */
	unsigned drain_timeout; /* seconds for tasks in flight, at a reload and at the end; 4 */
	char *http_addr;	/* where /ready and the like are served, or "off"; 127.0.0.1:4747 */
	unsigned stream_idle;	/* seconds of the stream's silence until it counts as dead; 75 */
	unsigned ready_queue_age; /* seconds that a key may wait before /ready says no; 300 */
	char *lib_dir;		  /* -lib: Lua libraries from here instead of the embedded ones */
};

/* Reads argv and the environment (getenv is passed in, so that tests need not change their own).
 * On failure returns NULL and sets *error to one sentence for a person, which the caller frees. */
struct config *config_parse(int argc, char *const *argv, const char *(*env)(const char *name),
	char **error) WARN_UNUSED;
void config_free(struct config *c);
/* Reads token_file, when there is one, into token; false and *error where that fails or the file is empty. */
bool config_read_token(struct config *c, char **error) WARN_UNUSED;
/* The help text of a command, or the overview: exit codes, flags, environment. A static string. */
const char *config_help(const char *topic);

#endif
