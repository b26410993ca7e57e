--- tasks: coroutines on the virtual clock: spawned, resumed when what they wait for is there, cancelled.

local tasks = {}

---@class operator.testing.Task
---@field name string
---@field co thread?
---@field fn function
---@field args table
---@field done? fun(ok: boolean, result: any, trace: string?)
---@field cancelled boolean
---@field undo? fun() takes back what it waits for
---@field set operator.testing.Tasks
local Task = {}
Task.__index = Task

---@class operator.testing.TaskHooks
---@field failed fun(task: operator.testing.Task, err: any, trace: string) a task without `done` ended with an error
---@field call fun(what: string, fn: function, ...) a protected call
---@field error fun(fields: table): table makes an error value

---@class operator.testing.Tasks
---@field clock operator.testing.Clock
---@field hooks operator.testing.TaskHooks
---@field all table<operator.testing.Task, integer>
---@field running operator.testing.Task?
---@field made integer
---@field closed boolean
local Tasks = {}
Tasks.__index = Tasks

---@param clock operator.testing.Clock
---@param hooks operator.testing.TaskHooks
---@return operator.testing.Tasks
function tasks.new(clock, hooks)
  return setmetatable({ clock = clock, hooks = hooks, all = {}, made = 0, closed = false }, Tasks)
end

local function finish(task, ok, result, trace)
  local set = task.set
  set.all[task] = nil
  task.co = nil
  if task.done then
    set.hooks.call("the done function of task " .. task.name, task.done, ok, result, trace)
  elseif not ok and not task.cancelled then
    set.hooks.failed(task, result, trace)
  end
end

local function cancelled_error(task)
  return task.set.hooks.error {
    code = "cancelled",
    message = ("task %s was cancelled"):format(task.name),
  }
end

-- Closes the coroutine where it stands: its to-be-closed variables are closed.
local function kill(task)
  local co = task.co
  if not co then
    return
  end
  if task.undo then
    task.undo()
    task.undo = nil
  end
  local trace = debug.traceback(co)
  coroutine.close(co)
  finish(task, false, cancelled_error(task), trace)
end

local function resume(task, ...)
  local set = task.set
  local before = set.running
  set.running = task
  local results = table.pack(coroutine.resume(task.co, ...))
  set.running = before
  if coroutine.status(task.co) == "suspended" then
    if task.cancelled then
      kill(task)
    end
  elseif results[1] then
    finish(task, true, results[2])
  else
    local err = results[2]
    local trace = debug.traceback(task.co)
    coroutine.close(task.co)
    finish(task, false, err, trace)
  end
end

--- Starts a task: it runs from the next turn on.
---@param name string
---@param fn function
---@param done? fun(ok: boolean, result: any, trace: string?)
---@param ... any
---@return operator.testing.Task
function Tasks:spawn(name, fn, done, ...)
  if self.closed then
    error("host.spawn: this generation is closed", 3)
  end
  self.made = self.made + 1
  local task = setmetatable({
    name = name,
    co = coroutine.create(fn),
    done = done,
    cancelled = false,
    set = self,
  }, Task)
  self.all[task] = self.made
  local args = table.pack(...)
  local timer = self.clock.after(0, function()
    task.undo = nil
    resume(task, table.unpack(args, 1, args.n))
  end)
  task.undo = function()
    timer:stop()
  end
  return task
end

--- Ends the task where it waits; one that runs just now ends where it next waits.
function Task:cancel()
  if not self.co or self.cancelled then
    return
  end
  self.cancelled = true
  if coroutine.status(self.co) == "suspended" then
    kill(self)
  end
end

local NOT_HERE = "%s waits: it cannot be called here, inside a comparison of table.sort, a "
  .. "function of string.gsub, or the end of a cancelled task"
local INSIDE = "%s waits: it cannot be called inside a coroutine that the script made itself"
local OUTSIDE = "%s waits: call it inside a handler or a task, not while a script loads or in a "
  .. "callback"

--- Raises unless the caller is a task that can wait here.
---@param what string
---@param level integer
function Tasks:check(what, level)
  local task = self.running
  if task and coroutine.running() == task.co then
    if not coroutine.isyieldable() then
      error(NOT_HERE:format(what), level)
    end
    return task
  end
  local _, main = coroutine.running()
  error(((main or not task) and OUTSIDE or INSIDE):format(what), level)
end

--- Waits. `start` is given what to call with the results, and returns how to undo what it started.
---@param what string the function that waits, for the error
---@param start fun(wake: fun(...)): fun()?
---@return any ...
function Tasks:wait(what, start)
  local task = self:check(what, 4)
  local over = false
  local undo = start(function(...)
    if over then
      return
    end
    over = true
    local args = table.pack(...)
    local timer = self.clock.after(0, function()
      task.undo = nil
      if task.co then
        resume(task, table.unpack(args, 1, args.n))
      end
    end)
    task.undo = function()
      timer:stop()
    end
  end)
  if not over then
    task.undo = function()
      over = true
      if undo then
        undo()
      end
    end
  end
  return coroutine.yield()
end

--- How many tasks live.
---@return integer
function Tasks:count()
  local n = 0
  for _ in pairs(self.all) do
    n = n + 1
  end
  return n
end

--- As if the process had been killed: nothing more runs, not even what closes variables.
function Tasks:abandon()
  self.closed = true
  for task in pairs(self.all) do
    if task.undo then
      task.undo()
    end
    task.co = nil
  end
  self.all = {}
end

--- Ends all, the oldest first; nothing can be spawned any more.
function Tasks:close()
  self.closed = true
  local list = {}
  for task in pairs(self.all) do
    list[#list + 1] = task
  end
  table.sort(list, function(a, b)
    return self.all[a] < self.all[b]
  end)
  for _, task in ipairs(list) do
    task:cancel()
  end
end

return tasks
