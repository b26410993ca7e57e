/* config_help: the help texts. */
#include <string.h>

#include "config.h"

#define EXIT_CODES                                                                                 \
	"Exit codes: 0 all went well, 1 an error (one sentence on standard error), and for plan\n" \
	"2 where something would change.\n"

#define CONNECTION_FLAGS                                                                           \
	"Where Nomad is, and who asks (in parentheses the variable that a flag replaces):\n"       \
	"  -address=ADDR           nomad.example.com, 10.0.0.1:4646, [::1]:4646, "                 \
	"https://host:4646,\n"                                                                     \
	"                          unix:///path (NOMAD_ADDR). Without a scheme, http and port "    \
	"4646\n"                                                                                   \
	"                          are meant; http:// and https:// without a port keep their "     \
	"own,\n"                                                                                   \
	"                          80 and 443, as with Nomad's client. user:password@ in front "   \
	"of\n"                                                                                     \
	"                          the host is basic auth (NOMAD_HTTP_AUTH=user:password).\n"      \
	"                          Default: http://127.0.0.1:4646; inside a Nomad task that has "  \
	"a\n"                                                                                      \
	"                          Task API, its socket\n"                                         \
	"  -token=TOKEN            the ACL token (NOMAD_TOKEN); others can see it in the list "    \
	"of\n"                                                                                     \
	"                          processes, so prefer the variable or the file\n"                \
	"  -token-file=FILE        read the token from there, again on SIGHUP and when Nomad "     \
	"refuses\n"                                                                                \
	"                          it (NOMAD_TOKEN_FILE)\n"                                        \
	"  -namespace=NAME         work in this namespace; repeat it for several. Default: all "   \
	"that\n"                                                                                   \
	"                          the token may read (NOMAD_NAMESPACE, outside of Nomad tasks)\n" \
	"  -region=NAME            the region to ask for. Default: the agent's own "               \
	"(NOMAD_REGION,\n"                                                                         \
	"                          outside of Nomad tasks)\n"                                      \
	"  -ca-cert=FILE           check the server's certificate against this CA "                \
	"(NOMAD_CACERT)\n"                                                                         \
	"  -ca-path=DIR            or against those in a directory (NOMAD_CAPATH)\n"               \
	"  -client-cert=FILE       our own certificate (NOMAD_CLIENT_CERT)\n"                      \
	"  -client-key=FILE        and its key (NOMAD_CLIENT_KEY)\n"                               \
	"  -tls-server-name=NAME   the name that the server's certificate is for\n"                \
	"                          (NOMAD_TLS_SERVER_NAME)\n"                                      \
	"  -tls-skip-verify        check no certificate at all (NOMAD_SKIP_VERIFY=true)\n"

#define LOG_FLAGS                                                                                  \
	"What it says, on standard error:\n"                                                       \
	"  -log-level=LEVEL        error, warn, info or debug. Default: info\n"                    \
	"  -log-format=FORMAT      text, logfmt or json. Default: text on a terminal, else "       \
	"logfmt.\n"                                                                                \
	"                          With NO_COLOR set, text has no colours\n"

#define POLICY_FLAGS                                                                               \
	"What it may do:\n"                                                                        \
	"  -dry-run                send only requests that change nothing, and say what the "      \
	"others\n"                                                                                 \
	"                          would have been\n"                                              \
	"  -instance=NAME          which installation this is; each touches only what carries "    \
	"its own\n"                                                                                \
	"                          name: up to 64 of a-z 0-9 - _ . Default: default\n"             \
	"  -max-delete=N           removals that a day's policy changes and sweeps may cause. "    \
	"Default:\n"                                                                               \
	"                          the larger of 5 and 20 % of what a policy has made\n"           \
	"  -allow-cross-namespace=FROM:TO\n"                                                       \
	"                          a job in FROM may cause jobs in TO; repeat it for several\n"

#define LIMIT_FLAGS                                                                                \
	"Limits:\n"                                                                                \
	"  -stream-line-max=SIZE   the longest line of the event stream. Default: 64MiB\n"         \
	"  -lua-memory-max=SIZE    memory of all scripts together. Default: 512MiB\n"              \
	"  -drain-timeout=TIME     how long work in flight may finish at a reload or the end, "    \
	"in\n"                                                                                     \
	"                          seconds or as 30s, 5m. Default: 4s\n"                           \
	"  -lib=DIR                Lua libraries from a directory instead of the built-in ones\n"

#define ALL_FLAGS CONNECTION_FLAGS "\n" POLICY_FLAGS "\n" LOG_FLAGS "\n" LIMIT_FLAGS

static const char overview[] =
	"nomad-operator watches a Nomad cluster and keeps it as Lua scripts say.\n"
	"\n"
	"  nomad-operator run [SCRIPT|DIR ...]      the operator; without scripts, the built-in "
	"backup\n"
	"                                           policy\n"
	"  nomad-operator plan [SCRIPT|DIR ...]     print what run would make, change and remove\n"
	"  nomad-operator check SCRIPT|DIR ...      load scripts and report what they do, or the "
	"error\n"
	"  nomad-operator init DIR                  write the built-in scripts to a directory, to "
	"edit\n"
	"  nomad-operator exec FILE.lua [ARG ...]   run a Lua program with the whole API\n"
	"  nomad-operator help [COMMAND]            this text, or more about one command\n"
	"  nomad-operator version                   print the version\n"
	"\n"
	"Flags have one dash or two; a value follows after = or as the next word.\n"
	"\n" ALL_FLAGS "\n"
	"Signals to run: SIGHUP reloads scripts, token and certificates; if a script is broken, "
	"the old\n"
	"ones go on. SIGTERM and SIGINT let work in flight finish and exit with 0. SIGUSR1 prints "
	"the\n"
	"status.\n"
	"\n" EXIT_CODES;

static const char help_run[] =
	"nomad-operator run [FLAG ...] [SCRIPT|DIR ...]\n"
	"\n"
	"Runs the operator until SIGTERM or SIGINT. Scripts are Lua files, or directories whose "
	"*.lua\n"
	"files are loaded. Without any, the built-in backup policy runs: a job with auto-backup = "
	"\"true\"\n"
	"in its meta gets a periodic job backup-<its ID>, and loses it again.\n"
	"\n"
	"  nomad-operator run                          # the backup policy, on NOMAD_ADDR\n"
	"  nomad-operator run scripts/                 # your own\n"
	"  nomad-operator run -dry-run scripts/        # the same, but changing nothing\n"
	"\n"
	"After editing a script send SIGHUP: the new ones take over only if all of them load.\n"
	"\n" ALL_FLAGS "\n" EXIT_CODES;

static const char help_plan[] =
	"nomad-operator plan [FLAG ...] [SCRIPT|DIR ...]\n"
	"\n"
	"Compares the cluster with what the scripts want, prints what run would make, change and "
	"remove,\n"
	"and changes nothing. Without scripts, the built-in backup policy is asked.\n"
	"\n"
	"Exit codes: 0 nothing to do, 2 something to do, 1 an error.\n"
	"\n" ALL_FLAGS;

static const char help_check[] =
	"nomad-operator check [FLAG ...] SCRIPT|DIR ...\n"
	"\n"
	"Loads the scripts as run would, without asking Nomad for anything, and reports their "
	"policies:\n"
	"what each watches and how it works. An error is told with file and line.\n"
	"\n"
	"Exit codes: 0 all scripts load, 1 one does not.\n"
	"\n"
	"  -lib=DIR                Lua libraries from a directory instead of the built-in ones\n"
	"\n" LOG_FLAGS;

static const char help_init[] = "nomad-operator init DIR\n"
				"\n"
				"Writes the built-in scripts, the backup policy and its job "
				"template, to DIR as a start for your\n"
				"own. The directory is made if it is not there; a file that is "
				"there is never overwritten.\n"
				"Then: nomad-operator run DIR\n"
				"\n"
				"Exit codes: 0 written, 1 an error.\n";

static const char help_exec[] =
	"nomad-operator exec [FLAG ...] FILE.lua [ARG ...]\n"
	"\n"
	"Runs a Lua program with everything that policies can use: operator, nomad.*, template, "
	"cjson.\n"
	"Its arguments are `...`; what follows FILE.lua belongs to the program, also where it "
	"begins\n"
	"with a dash. With -dry-run, requests that would change something are refused.\n"
	"\n"
	"Exit codes: 0 the program ended, 1 it raised an error.\n"
	"\n" ALL_FLAGS;

static const char help_help[] = "nomad-operator help [COMMAND]\n"
				"\n"
				"Prints the overview, or more about one command.\n";

static const char help_version[] = "nomad-operator version\n"
				   "\n"
				   "Prints the version.\n";

const char *config_help(const char *topic)
{
	static const struct {
		const char *name;
		const char *text;
	} topics[] = {{"run", help_run}, {"plan", help_plan}, {"check", help_check},
		{"init", help_init}, {"exec", help_exec}, {"help", help_help},
		{"version", help_version}};
	size_t i;

	for (i = 0; topic && i < sizeof(topics) / sizeof(topics[0]); i++) {
		if (strcmp(topics[i].name, topic) == 0)
			return topics[i].text;
	}
	return overview;
}
