--- goals: the rows of the table: what each shows, and what ours has to reach beside its peers.

local goals = {}

---@alias bench.Values table<string, number> of one row, by peer

---@class bench.Row
---@field name string
---@field from string workload
---@field value fun(result: table): number?
---@field digits integer
---@field goal? string in words
---@field ratio? string the peer that the last column compares with
---@field less? boolean less is better
---@field holds? fun(v: bench.Values, all: table<string, bench.Values>): boolean?

local function field(name, factor)
  return function(result)
    return result[name] and result[name] * (factor or 1)
  end
end

local function rate(result)
  return result.seconds and result.events / result.seconds
end

-- Does `ours` reach `factor` times the peer's? nil where one of them was not measured.
local function times(v, peer, factor)
  if not v.ours or not v[peer] then
    return nil
  end
  return v.ours >= factor * v[peer]
end

local function at_most(v, peer, factor, more)
  if not v.ours or not v[peer] then
    return nil
  end
  return v.ours <= factor * v[peer] + (more or 0)
end

local function both(a, b)
  if a == nil or b == nil then
    if a == false or b == false then
      return false
    end
    return nil
  end
  return a and b
end

-- Where the slim build was made, it takes no more than what everyone writes today.
local function slim_too(v, holds)
  if v.slim and v.api then
    return both(holds, v.slim <= v.api)
  end
  return holds
end

---@type bench.Row[]
goals.rows = {
  {
    name = "W1 ev/s",
    from = "W1",
    value = rate,
    digits = 0,
    ratio = "api",
    goal = ">= 60x api, >= 0.7x floor",
    holds = function(v)
      return both(times(v, "api", 60), times(v, "floor", 0.7))
    end,
  },
  {
    name = "W2 ev/s",
    from = "W2",
    value = rate,
    digits = 0,
    ratio = "api",
    goal = ">= 15x api, >= 0.5x floor",
    holds = function(v)
      return both(times(v, "api", 15), times(v, "floor", 0.5))
    end,
  },
  {
    name = "W2@2ms ev/s",
    from = "W2@2ms",
    value = rate,
    digits = 0,
    ratio = "api",
    goal = ">= 10x api",
    holds = function(v)
      return times(v, "api", 10)
    end,
  },
  {
    name = "W3 ev/s",
    from = "W3",
    value = rate,
    digits = 0,
    ratio = "api",
    goal = ">= 8x api",
    holds = function(v)
      return times(v, "api", 8)
    end,
  },
  {
    name = "W4 p50 ms",
    from = "W4",
    value = field "p50",
    digits = 2,
    ratio = "api",
    less = true,
    goal = "<= 1/4 of api",
    holds = function(v)
      return at_most(v, "api", 0.25)
    end,
  },
  {
    name = "W4 p99 ms",
    from = "W4",
    value = field "p99",
    digits = 2,
    ratio = "api",
    less = true,
    goal = "<= 1/4 of api",
    holds = function(v)
      return at_most(v, "api", 0.25)
    end,
  },
  {
    name = "W5 ev/s",
    from = "W5",
    value = rate,
    digits = 0,
    ratio = "api",
    goal = ">= 30x api",
    holds = function(v)
      return times(v, "api", 30)
    end,
  },
  {
    name = "W5 peak MB",
    from = "W5",
    value = field "peak",
    digits = 1,
    ratio = "api",
    less = true,
    goal = "<= 20 MB",
    holds = function(v)
      return v.ours and v.ours <= 20
    end,
  },
  {
    name = "W1 peak MB",
    from = "W1",
    value = field "peak",
    digits = 1,
    ratio = "api",
    less = true,
  },
  {
    name = "W1 cpu s",
    from = "W1",
    value = field "cpu",
    digits = 2,
    ratio = "api",
    less = true,
  },
  {
    name = "W1 needless",
    from = "W1",
    value = field "needless",
    digits = 0,
    ratio = "api",
    less = true,
    goal = "0",
    holds = function(v)
      return v.ours and v.ours == 0
    end,
  },
  {
    name = "idle MB",
    from = "idle",
    value = field "rss",
    digits = 1,
    ratio = "naive",
    less = true,
    goal = "<= naive + 3 MB, slim <= api",
    holds = function(v)
      return slim_too(v, at_most(v, "naive", 1, 3))
    end,
  },
  {
    name = "start ms",
    from = "idle",
    value = field("start", 1000),
    digits = 1,
    ratio = "naive",
    less = true,
    goal = "<= 1.3x naive, slim <= api",
    holds = function(v)
      return slim_too(v, at_most(v, "naive", 1.3))
    end,
  },
}

--- What is asked of ours alone. `all`: the medians by name.
---@type { name: string, goal?: string, digits: integer, holds?: fun(all: table<string, number>): boolean? }[]
goals.alone = {
  { name = "W1: Lua MB before", digits = 1 },
  {
    name = "W1: Lua MB after",
    digits = 1,
    goal = "the same within 1 MB",
    holds = function(a)
      local before, after = a["W1: Lua MB before"], a["W1: Lua MB after"]
      return before and after and after <= before + 1
    end,
  },
  {
    name = "stalled: MB/s still read",
    digits = 0,
    goal = ">= 50 MB/s",
    holds = function(a)
      return a["stalled: MB/s still read"] and a["stalled: MB/s still read"] >= 50
    end,
  },
  {
    name = "N 10000: RSS MB",
    digits = 1,
    goal = "<= 32 MB",
    holds = function(a)
      return a["N 10000: RSS MB"] and a["N 10000: RSS MB"] <= 32
    end,
  },
  {
    name = "N 100000: RSS MB",
    digits = 1,
    goal = "<= 64 MB",
    holds = function(a)
      return a["N 100000: RSS MB"] and a["N 100000: RSS MB"] <= 64
    end,
  },
  {
    name = "N 10000: list to synced s",
    digits = 2,
    goal = "<= 1 s",
    holds = function(a)
      return a["N 10000: list to synced s"] and a["N 10000: list to synced s"] <= 1
    end,
  },
  { name = "N 100000: list to synced s", digits = 2 },
  { name = "N 10000: list to all looked at s", digits = 2 },
  { name = "N 100000: list to all looked at s", digits = 2 },
  { name = "N 100: one event us", digits = 1 },
  { name = "N 10000: one event us", digits = 1 },
  {
    name = "N 100000: one event us",
    digits = 1,
    goal = "<= 1.2x that at 100",
    holds = function(a)
      local few, many = a["N 100: one event us"], a["N 100000: one event us"]
      return few and many and many <= 1.2 * few
    end,
  },
  {
    name = "N: needless writes",
    digits = 0,
    goal = "0",
    holds = function(a)
      return a["N: needless writes"] and a["N: needless writes"] == 0
    end,
  },
  { name = "soak: RSS MB of the second tenth", digits = 1 },
  {
    name = "soak: RSS MB of the last tenth",
    digits = 1,
    goal = "within 5 %",
    holds = function(a)
      local second, last =
        a["soak: RSS MB of the second tenth"], a["soak: RSS MB of the last tenth"]
      return second and last and math.abs(last - second) <= 0.05 * second
    end,
  },
}

return goals
