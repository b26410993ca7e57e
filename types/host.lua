---@meta host
--- What the C host gives Lua besides HTTP: time, tasks, locks, logs, files of policies.
--- A call marked `---@async` waits: it may only be made inside a task (a handler, a reconcile), not while a
--- script loads nor inside a coroutine that the script made itself; there it raises a clear error.

local host = {}

---@type string the program's version, "0.1.0"
host.version = ""

--- What the command line said. Read-only.
---@class host.Options
---@field command "run"|"plan"|"check"|"exec"|"prune"|"acl"|"jobspec"
---@field args string[] scripts and directories, or what else the command takes
---@field instance string `-instance`
---@field namespaces string[] `-namespace`; empty: all that the token may read
---@field region? string
---@field dry_run boolean
---@field yes boolean `-yes`
---@field release boolean `-release`
---@field json boolean `-json`
---@field lenient boolean `-lenient`
---@field nomad? string `-nomad`: a version, or "server"
---@field max_delete integer `-max-delete`; -1: the larger of 5 and 20 %
---@field write_rate integer `-write-rate`; 0, the default: no limit
---@field cross_namespace string[] "from:to" pairs of `-allow-cross-namespace`
---@field log_format "text"|"logfmt"|"json"
---@field log_level "error"|"warn"|"info"|"debug"
---@field generation integer counts from 1
---@field address string for messages; never holds a password
host.options = {}

--- Wall clock. @return number seconds since the epoch, with a fraction
function host.now() end

--- A clock that never goes back. @return number seconds
function host.monotonic() end

--- @return number r 0 <= r < 1
function host.random() end

--- Waits.
---@async
---@param seconds number
function host.sleep(seconds) end

--- Starts a task: `fn(...)` runs in a coroutine of its own, from the next turn of the loop on.
--- `done(ok, result, trace)` is called when it has ended, outside any task (it must not wait): `true, first
--- return value`, or `false, error value, traceback` (the stack alone, without the message). Without `done` an error is logged with its traceback.
--- A task that is killed ends with the error { code = "cpu"|"memory"|"cancelled", message = … }.
---@param name string for logs and status
---@param fn fun(...): any
---@param done? fun(ok: boolean, result: any, trace: string?)
---@param ... any arguments of fn
---@return host.Task
function host.spawn(name, fn, done, ...) end

---@class host.Task
local task = {}
--- Ends the task where it waits: to-be-closed variables are closed, `done` is called with code "cancelled".
function task:cancel() end

--- A one-shot timer. `fn` is called outside any task (it must not wait; spawn a task for that).
---@param fn fun()
---@return host.Timer
function host.timer(fn) end

---@class host.Timer
local timer = {}
---@param seconds number from now; sets it anew if it was set
function timer:set(seconds) end
function timer:stop() end

--- Asks for a new subscription to the event stream, with a list after it; the old one goes on until the new one is
--- there. With `namespaces` the stream is for those instead of all: only where the token may not have one for all.
---@param reason string for the log
---@param namespaces? string[]
---@return boolean taken false: that would not help (or nothing runs that could)
function host.resubscribe(reason, namespaces) end

--- From now on events of the topic's object pass to this generation whatever they say, and not only those that a
--- policy's `where` lets through. A key that is watched several times is watched until it was unwatched as often.
---@param topic string
---@param key string "namespace/id", or the ID of an object that has no namespace
function host.watch(topic, key) end

---@param topic string
---@param key string
function host.unwatch(topic, key) end

--- A set of keys, for many: a key takes some 20 bytes. Equal keys of different topics are different.
---@return host.Keys
function host.keys() end

---@class host.Keys
local keys = {}
---@param topic string
---@param key string
function keys:add(topic, key) end
---@param topic string
---@param key string
---@return boolean
function keys:has(topic, key) end

--- The newest ModifyIndex of the objects whose events did not pass before the stream was connected as it is now, and
--- that was not asked for yet; 0: there were none.
---@return integer
function host.take_newest() end

--- A condition that tasks wait for.
---@return host.Signal
function host.signal() end

---@class host.Signal
local signal = {}
--- Wakes all tasks that wait now; it is not remembered for later ones.
function signal:fire() end
---@async
---@param timeout? number seconds; nil: for ever
---@return boolean fired false: the timeout came first
function signal:wait(timeout) end

--- Waits until nobody, in any generation, holds `key`, and takes it. Held until release, `<close>`, or the
--- end of the Lua state; one that nothing refers to any more is released by the collector. Waiters are served in order.
---@async
---@param key string
---@return host.Lock
function host.lock(key) end

---@class host.Lock : { release: fun(self: host.Lock) }

--- Keeps a value in the process, across generations (not across a restart). nil forgets it.
---@param key string
---@param value string|number|boolean|nil
function host.keep(key, value) end

---@param key string
---@return string|number|boolean|nil
function host.kept(key) end

--- One log record. Values are turned to text, but for numbers and truth values with -log-format=json;
--- foreign text is escaped by the host.
---@param level "error"|"warn"|"info"|"debug"
---@param message string
---@param fields? table<string, string|number|boolean> written in the order of their names
---@param more? table<string, string|number|boolean> likewise; of two with one name this one is written
function host.log(level, message, fields, more) end

--- A block of the transcript, whole lines, to the log (text format).
---@param text string newlines stay; other control characters are escaped
function host.block(text) end

--- Text for standard output: the result of a command (plan, check).
---@param text string
function host.print(text) end

--- Asks the person at the terminal, and waits for the answer; not in the operator itself.
---@param question string without the [y/N]
---@return boolean? yes nil: there is no terminal
function host.ask(question) end

--- Foreign text made safe for a terminal: control characters as \n, \x1b …
---@param text string
---@return string
function host.escape(text) end

--- Reads a file of a policy. `builtin:scripts/backup.lua` names an embedded one. At most 4 MiB.
---@param path string
---@return string? text
---@return string? error "scripts/x.lua: No such file or directory"
function host.read_file(path) end

--- All of standard input; blocks everything meanwhile, so it is for commands, and raises in a running operator.
---@return string? text nil and a sentence for more than 4 MiB, or what the system says
---@return string? error
function host.read_input() end

--- The names in a directory, sorted; nil where `path` is not a directory.
---@param path string `builtin:scripts` names the embedded ones
---@return string[]?
---@return string? error
function host.list_dir(path) end

--- A counter or gauge for status and metrics; the name without its prefix `nomad_operator_`.
---@param name string
---@param value number what to add
---@param labels? table<string, string>
function host.count(name, value, labels) end

--- The same for what is counted often: a function that adds to one series. It is shown once something was added.
---@param name string
---@param labels? table<string, string>
---@return fun(value?: number) add 1 unless told
function host.counter(name, labels) end

return host
