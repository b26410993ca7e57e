/* config_help: the help texts, each line as a terminal of 80 columns shows it. */
#include <string.h>

#include "config.h"

/* ISO C promises 4095 bytes for a string; every compiler that we know takes more. */
#pragma GCC diagnostic ignored "-Woverlength-strings"

/* clang-format off */
#define EXIT_CODES \
	"Exit codes: 0 all went well; 1 an error, told in a sentence on standard error;\n" \
	"for plan and prune also 2: something would change, and was not; for jobspec diff\n" \
	"2: the jobs are different.\n"

#define CONNECTION_FLAGS \
	"Where Nomad is, and who asks (the variable a flag replaces is in parentheses):\n" \
	"  -address=ADDR          host, host:port, [::1]:4646, https://host:4646 or\n" \
	"                         unix:///path (NOMAD_ADDR). Without a scheme: http, and\n" \
	"                         port 4646. http:// and https:// without a port mean\n" \
	"                         ports 80 and 443, as for Nomad's own client.\n" \
	"                         user:password@ before the host is basic auth\n" \
	"                         (NOMAD_HTTP_AUTH=user:password). Default:\n" \
	"                         http://127.0.0.1:4646, or inside a Nomad task the\n" \
	"                         socket of the Task API, where there is one\n" \
	"  -token=TOKEN           the ACL token (NOMAD_TOKEN); other users see a flag in\n" \
	"                         the process list: prefer the variable or a file\n" \
	"  -token-file=FILE       read the token from there, again at SIGHUP and when\n" \
	"                         Nomad refuses it (NOMAD_TOKEN_FILE)\n" \
	"  -namespace=NAME        work in this namespace; repeat it for several. Default:\n" \
	"                         all that the token may read (NOMAD_NAMESPACE, but not\n" \
	"                         inside a Nomad task)\n" \
	"  -region=NAME           default: the agent's own (NOMAD_REGION, but not inside\n" \
	"                         a Nomad task)\n" \
	"  -ca-cert=FILE          the CA of the server's certificate (NOMAD_CACERT)\n" \
	"  -ca-path=DIR           or a directory of CAs (NOMAD_CAPATH)\n" \
	"  -client-cert=FILE      our own certificate (NOMAD_CLIENT_CERT)\n" \
	"  -client-key=FILE       and its key (NOMAD_CLIENT_KEY)\n" \
	"  -tls-server-name=NAME  whom the server's certificate is for\n" \
	"                         (NOMAD_TLS_SERVER_NAME)\n" \
	"  -tls-skip-verify       check no certificate (NOMAD_SKIP_VERIFY=true)\n"

#define POLICY_FLAGS \
	"What it may do:\n" \
	"  -dry-run               send only requests that change nothing\n" \
	"  -instance=NAME         which installation this is; it touches only what\n" \
	"                         carries its name: up to 64 of a-z 0-9 - _ .\n" \
	"                         Default: default\n" \
	"  -max-delete=N          removals that changed policies and sweeps may cause in\n" \
	"                         a day; default: the larger of 5 and 20 % of all\n" \
	"  -write-rate=N          writes to Nomad a second, twice as many at once after\n" \
	"                         a quiet time. Default: 0, no limit; a policy works on\n" \
	"                         16 keys at once, and Nomad's 429 is heeded\n" \
	"  -allow-cross-namespace=FROM:TO\n" \
	"                         jobs in FROM may cause jobs in TO; may be repeated\n"

#define LOG_FLAGS \
	"What it says, on standard error:\n" \
	"  -log-level=LEVEL       error, warn, info (the default) or debug\n" \
	"  -log-format=FORMAT     text, logfmt or json; default: text on a terminal, else\n" \
	"                         logfmt\n"

#define ADMIN_FLAGS \
	"Whether it works, over HTTP (/ready, /metrics, /v1/status):\n" \
	"  -http-addr=ADDR:PORT   where that is served: an IP address, or :4747 for all of\n" \
	"                         the machine's; off: nowhere. Default: 127.0.0.1:4747\n" \
	"  -ready-queue-age=TIME  /ready says no when a job waits for longer than that;\n" \
	"                         default: 5m\n"

#define LIMIT_FLAGS \
	"Limits:\n" \
	"  -stream-line-max=SIZE  the longest line of the event stream; default: 64MiB\n" \
	"  -stream-idle=TIME      its silence after which it is connected anew; Nomad says\n" \
	"                         something every 30s at least; default: 75s\n" \
	"  -lua-memory-max=SIZE   memory of all scripts together; default: 512MiB\n" \
	"  -drain-timeout=TIME    what work in flight is given at a reload and at the\n" \
	"                         end, in seconds or as 30s, 5m; default: 4s\n" \
	"  -lib=DIR               Lua libraries from there instead of the built-in ones\n"

#define ALL_FLAGS CONNECTION_FLAGS "\n" POLICY_FLAGS "\n" LOG_FLAGS "\n" ADMIN_FLAGS "\n" LIMIT_FLAGS

static const char overview[] =
	"nomad-operator watches a Nomad cluster and keeps it as Lua scripts say.\n"
	"\n"
	"  nomad-operator run [SCRIPT|DIR ...]     the operator; without scripts, the\n"
	"                                          built-in backup policy\n"
	"  nomad-operator plan [SCRIPT|DIR ...]    print what run would change\n"
	"  nomad-operator check SCRIPT|DIR ...     load scripts, report on them\n"
	"  nomad-operator prune [SCRIPT|DIR ...]   remove or release children that no\n"
	"                                          loaded policy looks after\n"
	"  nomad-operator acl [SCRIPT|DIR ...]     print the ACL policy that they need\n"
	"  nomad-operator status | reload          ask a running operator what it does, or\n"
	"                                          to load its scripts again\n"
	"  nomad-operator approve [POLICY]         let it make removals that are held back\n"
	"  nomad-operator retry [NAMESPACE/]ID     let it try a job again now\n"
	"  nomad-operator jobspec COMMAND ...      check, complete, compare and convert\n"
	"                                          job specifications; asks no Nomad\n"
	"  nomad-operator init DIR                 write the built-in scripts, to edit\n"
	"  nomad-operator exec FILE.lua [ARG ...]  run a Lua program with the whole API\n"
	"  nomad-operator help [COMMAND]           this text, or more about one command\n"
	"  nomad-operator version                  print the version\n"
	"\n"
	"Flags have one dash or two; a value follows = or is the next word.\n"
	"\n"
	ALL_FLAGS
	"Signals: SIGHUP reloads scripts, token and certificates; a broken script changes\n"
	"nothing. SIGTERM and SIGINT let work in flight finish. SIGUSR1 prints a status.\n"
	"SIGUSR2 approves the removals that the limit (-max-delete) holds back.\n"
	"\n"
	EXIT_CODES;

static const char help_run[] =
	"nomad-operator run [FLAG ...] [SCRIPT|DIR ...]\n"
	"\n"
	"Runs the operator until SIGTERM or SIGINT. Scripts are Lua files, or directories\n"
	"whose *.lua files are loaded. Without any, the built-in backup policy runs: a\n"
	"job with auto-backup = \"true\" in its meta gets a periodic job backup-<its ID>.\n"
	"\n"
	"  nomad-operator run                      # the backup policy, on NOMAD_ADDR\n"
	"  nomad-operator run scripts/             # your own\n"
	"  nomad-operator run -dry-run scripts/    # the same, but changing nothing\n"
	"\n"
	"After an edit send SIGHUP: the new scripts take over only if all of them load.\n"
	"Where removals are held back by the limit (-max-delete) and are meant, SIGUSR2\n"
	"approves them.\n"
	"\n"
	ALL_FLAGS
	EXIT_CODES;

static const char help_plan[] =
	"nomad-operator plan [FLAG ...] [SCRIPT|DIR ...]\n"
	"\n"
	"Compares the cluster with what the scripts want, prints what run would make,\n"
	"change and remove, and changes nothing. Without scripts, the built-in backup\n"
	"policy is asked.\n"
	"\n"
	"Exit codes: 0 nothing to do, 2 something to do, 1 an error.\n"
	"\n"
	ALL_FLAGS;

static const char help_check[] =
	"nomad-operator check [FLAG ...] SCRIPT|DIR ...\n"
	"\n"
	"Loads the scripts as run would and reports on their policies. An error is told\n"
	"with file and line.\n"
	"\n"
	"Exit codes: 0 all scripts load, 1 one does not.\n"
	"\n"
	"  -lib=DIR               Lua libraries from there instead of the built-in ones\n"
	"\n"
	LOG_FLAGS;

static const char help_prune[] =
	"nomad-operator prune [FLAG ...] [SCRIPT|DIR ...]\n"
	"\n"
	"Lists the jobs that carry the marks of this instance (-instance) but have nobody\n"
	"who looks after them: their policy is in none of the scripts, or their owner is\n"
	"gone. Then asks, and stops them. Name all the scripts that run: without any, only\n"
	"the built-in backup policy is known.\n"
	"\n"
	"  -yes                   ask nothing, do it\n"
	"  -release               take the marks away instead: the jobs stay and are\n"
	"                         nobody's. A service's allocations are replaced by that\n"
	"  -dry-run               only list them\n"
	"\n"
	"Exit codes: 0 nothing was found, or all that was found is done; 2 something was\n"
	"found and left (-dry-run, no yes, or no terminal to ask at); 1 an error.\n"
	"\n"
	ALL_FLAGS;

static const char help_acl[] =
	"nomad-operator acl [FLAG ...] [SCRIPT|DIR ...]\n"
	"\n"
	"Prints the least ACL policy that the scripts need, as HCL; asks no Nomad. What\n"
	"functions of your own (reconcile, on, every ...) ask for cannot be known, and is\n"
	"named in a comment. -namespace and -allow-cross-namespace count as for run.\n"
	"\n"
	"  nomad-operator acl scripts | nomad acl policy apply nomad-operator -\n"
	"\n"
	"Exit codes: 0 printed, 1 a script does not load.\n"
	"\n"
	ALL_FLAGS;

#define ASK_FLAGS \
	"  -http-addr=ADDR:PORT   where it listens; default: 127.0.0.1:4747\n" \
	"\n" LOG_FLAGS

static const char help_status[] =
	"nomad-operator status [FLAG ...]\n"
	"\n"
	"Prints what a running operator is doing, as SIGUSR1 does.\n"
	"\n"
	"Exit codes: 0 it is ready, 2 it is not, 1 an error.\n"
	"\n"
	ASK_FLAGS;

static const char help_reload[] =
	"nomad-operator reload [FLAG ...]\n"
	"\n"
	"Has a running operator load scripts, token and certificates again, as SIGHUP\n"
	"does. Whether they are taken, its log and nomad-operator status say.\n"
	"\n"
	"Exit codes: 0 asked for, 1 an error.\n"
	"\n"
	ASK_FLAGS;

static const char help_approve[] =
	"nomad-operator approve [FLAG ...] [POLICY]\n"
	"\n"
	"Shows the removals that the limit (-max-delete) holds back in a running operator,\n"
	"of one policy or of all, and after a yes has them made. SIGUSR2 does it without\n"
	"asking, for all.\n"
	"\n"
	"  -yes                   ask nothing, do it\n"
	"\n"
	"Exit codes: 0 approved, or none was held back; 2 no yes, or no terminal to ask\n"
	"at; 1 an error.\n"
	"\n"
	ASK_FLAGS;

static const char help_retry[] =
	"nomad-operator retry [FLAG ...] [NAMESPACE/]ID\n"
	"\n"
	"Has a running operator try a job again now, whatever it waits for. Without a\n"
	"namespace: the one called default.\n"
	"\n"
	"Exit codes: 0 asked for, 1 no policy looks after the job, or another error.\n"
	"\n"
	ASK_FLAGS;

static const char help_jobspec[] =
	"nomad-operator jobspec COMMAND [FLAG ...] FILE ...\n"
	"\n"
	"Works on job specifications: JSON, bare or inside {\"Job\": ...}. - is standard\n"
	"input. JSON needs no Nomad; a file in HCL is sent to one to be parsed.\n"
	"\n"
	"  validate FILE ...      name all that Nomad would refuse, with its path\n"
	"  canonicalize FILE      print the job as Nomad keeps it, defaults filled in\n"
	"  diff OLD NEW           print what is different, defaults filled in\n"
	"  convert FILE           JSON to HCL, and HCL (parsed by a Nomad) to JSON\n"
	"  render TEMPLATE KEY=VALUE ...\n"
	"                         fill in the [[ ]] of a template, and print its text;\n"
	"                         true, false, and what begins with [ or { is JSON\n"
	"  schema [OBJECT[.FIELD]]\n"
	"                         print objects and fields: names in JSON and HCL, type,\n"
	"                         default, the first Nomad that has it\n"
	"\n"
	"  -json                  print JSON, for machines\n"
	"  -lenient               take unknown fields for warnings\n"
	"  -nomad=VERSION         go by that version, as in 1.11.3; server: by the one at\n"
	"                         -address. Default: all fields that we know, and for\n"
	"                         canonicalize and diff 1.11.3\n"
	"\n"
	"  nomad-operator jobspec validate job.json\n"
	"  nomad job inspect web | nomad-operator jobspec convert - > web.nomad.hcl\n"
	"  nomad-operator jobspec diff -json old.json new.json\n"
	"\n"
	"Exit codes: 0 all went well; 1 a job is invalid, or another error; 2 (diff) the\n"
	"jobs are different.\n"
	"\n"
	CONNECTION_FLAGS "\n" LOG_FLAGS;

static const char help_init[] =
	"nomad-operator init DIR\n"
	"\n"
	"Writes the built-in scripts, the backup policy and its job template, to DIR as a\n"
	"start for your own. Then: nomad-operator run DIR\n"
	"\n"
	"Exit codes: 0 written, 1 an error.\n";

static const char help_exec[] =
	"nomad-operator exec [FLAG ...] FILE.lua [ARG ...]\n"
	"\n"
	"Runs a Lua program with everything that policies can use: operator, nomad.*,\n"
	"template, cjson. Its arguments are `...`; what follows FILE.lua belongs to the\n"
	"program, even where it begins with a dash.\n"
	"\n"
	"Exit codes: 0 the program ended, 1 it raised an error.\n"
	"\n"
	ALL_FLAGS;

static const char help_help[] =
	"nomad-operator help [COMMAND]\n"
	"\n"
	"Prints the overview, or more about one command.\n";

static const char help_version[] =
	"nomad-operator version\n"
	"\n"
	"Prints the version.\n";
/* clang-format on */

const char *config_help(const char *topic)
{
	static const struct {
		const char *name;
		const char *text;
	} topics[] = {{"run", help_run}, {"plan", help_plan}, {"prune", help_prune},
		{"acl", help_acl}, {"status", help_status}, {"reload", help_reload},
		{"approve", help_approve}, {"retry", help_retry}, {"check", help_check},
		{"jobspec", help_jobspec}, {"init", help_init}, {"exec", help_exec},
		{"help", help_help}, {"version", help_version}};
	size_t i;

	for (i = 0; topic && i < sizeof(topics) / sizeof(topics[0]); i++) {
		if (strcmp(topics[i].name, topic) == 0)
			return topics[i].text;
	}
	return overview;
}
