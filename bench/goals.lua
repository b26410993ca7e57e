--- goals: the rows of the tables: what each shows, and what ours has to reach. A goal is made of limits, each of which
--- has its words and its question from the same numbers.

local goals = {}

---@alias bench.Values table<string, number> of one row: ours, and by peer; of ours alone: by name

---@class bench.Limit
---@field text string
---@field holds fun(v: bench.Values): boolean? nil: one of the values was not measured

---@class bench.Row
---@field name string
---@field from? string workload; nil for what is asked of ours alone
---@field value? fun(result: table): number?
---@field digits integer
---@field goal string in words, "" where there is none
---@field holds? fun(v: bench.Values): boolean?

local function limit(text, values, question)
  return {
    text = text,
    holds = function(v)
      for _, name in ipairs(values) do
        if not v[name] then
          return nil
        end
      end
      return question(v)
    end,
  }
end

-- So many times what a peer reaches.
local function at_least(factor, peer)
  return limit((">= %gx %s"):format(factor, peer), { "ours", peer }, function(v)
    return v.ours >= factor * v[peer]
  end)
end

-- So many times what a peer, or another value, takes; `as`: how that one is called here.
local function at_most(factor, peer, as)
  return limit(("<= %gx %s"):format(factor, as or peer), { "ours", peer }, function(v)
    return v.ours <= factor * v[peer]
  end)
end

local function with_extra(peer, extra, unit, as)
  return limit(("<= %s + %g %s"):format(as or peer, extra, unit), { "ours", peer }, function(v)
    return v.ours <= v[peer] + extra
  end)
end

local function up_to(most, unit)
  return limit(("<= %g %s"):format(most, unit), { "ours" }, function(v)
    return v.ours <= most
  end)
end

local function from(least, unit)
  return limit((">= %g %s"):format(least, unit), { "ours" }, function(v)
    return v.ours >= least
  end)
end

local function within(percent, other, as)
  return limit(("within %g %% of %s"):format(percent, as), { "ours", other }, function(v)
    return math.abs(v.ours - v[other]) <= percent / 100 * v[other]
  end)
end

local none = limit("0", { "ours" }, function(v)
  return v.ours == 0
end)

-- Where the slim build was made, it takes no more than what everyone writes today.
local slim_too = {
  text = "slim <= api",
  holds = function(v)
    return not (v.slim and v.api) or v.slim <= v.api
  end,
}

-- All limits; one that does not hold counts more than one that was not measured.
local function all_hold(limits)
  return function(v)
    local result = true
    for _, one in ipairs(limits) do
      local holds = one.holds(v)
      if holds == false then
        return false
      end
      result = result and holds
    end
    return result
  end
end

local function row(name, workload, value, digits, ...)
  local limits, words = { ... }, {}
  for i, one in ipairs(limits) do
    words[i] = one.text
  end
  return {
    name = name,
    from = workload,
    value = value,
    digits = digits,
    goal = table.concat(words, ", "),
    holds = #limits > 0 and all_hold(limits) or nil,
  }
end

local function field(name, factor)
  return function(result)
    return result[name] and result[name] * (factor or 1)
  end
end

local function rate(result)
  return result.seconds and result.events / result.seconds
end

---@type bench.Row[]
goals.rows = {
  row("W1 ev/s", "W1", rate, 0, at_least(60, "api"), at_least(0.7, "floor")),
  row("W2 ev/s", "W2", rate, 0, at_least(15, "api"), at_least(0.5, "floor")),
  row("W2@2ms ev/s", "W2@2ms", rate, 0, at_least(10, "api")),
  row("W3 ev/s", "W3", rate, 0, at_least(8, "api")),
  row("W4 p50 ms", "W4", field "p50", 2, at_most(0.25, "api")),
  row("W4 p99 ms", "W4", field "p99", 2, at_most(0.25, "api")),
  row("W5 ev/s", "W5", rate, 0, at_least(30, "api")),
  row("W5 peak MB", "W5", field "peak", 1, up_to(20, "MB")),
  row("W1 peak MB", "W1", field "peak", 1),
  row("W1 cpu s", "W1", field "cpu", 2),
  row("W1 needless", "W1", field "needless", 0, none),
  row("idle MB", "idle", field "rss", 1, with_extra("naive", 3, "MB"), slim_too),
  row("start ms", "idle", field("start", 1000), 1, at_most(1.3, "naive"), slim_too),
}

local function alone(name, digits, ...)
  return row(name, nil, nil, digits, ...)
end

--- What is asked of ours alone.
---@type bench.Row[]
goals.alone = {
  alone("W1: Lua MB before", 1),
  alone("W1: Lua MB after", 1, with_extra("W1: Lua MB before", 1, "MB", "before")),
  alone("stalled: MB/s still read", 0, from(50, "MB/s")),
  alone("N 10000: RSS MB", 1, up_to(32, "MB")),
  alone("N 100000: RSS MB", 1, up_to(64, "MB")),
  alone("N 10000: list to synced s", 2, up_to(1, "s")),
  alone("N 100000: list to synced s", 2),
  alone("N 10000: list to all looked at s", 2),
  alone("N 100000: list to all looked at s", 2),
  alone("N 100: one event us", 1),
  alone("N 10000: one event us", 1),
  alone("N 100000: one event us", 1, at_most(1.2, "N 100: one event us", "that at 100")),
  alone("N: needless writes", 0, none),
  alone("soak: RSS MB of the second tenth", 1),
  alone(
    "soak: RSS MB of the last tenth",
    1,
    within(5, "soak: RSS MB of the second tenth", "the second")
  ),
}

return goals
