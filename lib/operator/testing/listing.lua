--- listing: the job list with its stubs: prefix, pages, meta, and only what a token may see.

local json = require "host.json"

local listing = {}

local NULL = json.null

--- How many children a job has in each state.
local function children_of(list)
  local counts = {}
  for _, job in ipairs(list) do
    if job.ParentID ~= "" then
      local key = job.Namespace .. "\0" .. job.ParentID
      counts[key] = counts[key] or { Dead = 0, Pending = 0, Running = 0 }
      local name = job.Status:sub(1, 1):upper() .. job.Status:sub(2)
      counts[key][name] = (counts[key][name] or 0) + 1
    end
  end
  return counts
end

---@param job table
---@param children? table
---@return table
function listing.summary(job, children)
  local groups = {}
  for _, group in ipairs(job.TaskGroups or {}) do
    groups[group.Name] = {
      Complete = 0,
      Failed = 0,
      Lost = 0,
      Queued = 0,
      Running = job.Status == "running" and not job.Periodic and group.Count or 0,
      Starting = 0,
      Unknown = 0,
    }
  end
  return {
    Children = children or { Dead = 0, Pending = 0, Running = 0 },
    CreateIndex = job.CreateIndex,
    JobID = job.ID,
    ModifyIndex = job.ModifyIndex,
    Namespace = job.Namespace,
    Summary = groups,
  }
end

local COPIED = {
  "CreateIndex",
  "Datacenters",
  "ID",
  "JobModifyIndex",
  "ModifyIndex",
  "Name",
  "Namespace",
  "NodePool",
  "ParentID",
  "Priority",
  "Status",
  "StatusDescription",
  "Stop",
  "SubmitTime",
  "Type",
}

local function stub(job, children, with_meta)
  local out = {
    JobSummary = listing.summary(job, children),
    Multiregion = NULL,
    ParameterizedJob = job.ParameterizedJob ~= nil and not job.Dispatched,
    Periodic = job.Periodic ~= nil,
  }
  for _, name in ipairs(COPIED) do
    out[name] = job[name]
  end
  if with_meta then
    out.Meta = job.Meta
  end
  return out
end

---@class operator.testing.ListOptions
---@field namespace string "*": all that `sees` lets through
---@field prefix string
---@field meta boolean
---@field per_page? integer
---@field next_token? string
---@field sees fun(namespace: string): boolean

--- Where a page of the list begins, and the token of the next one.
local function page(list, options)
  local from, to = 1, #list
  if options.next_token and options.next_token ~= "" then
    from = #list + 1
    for i, job in ipairs(list) do
      if job.Namespace .. "." .. job.ID >= options.next_token then
        from = i
        break
      end
    end
  end
  if options.per_page and options.per_page > 0 then
    to = math.min(to, from + options.per_page - 1)
  end
  local following = list[to + 1]
  return from, to, following and following.Namespace .. "." .. following.ID
end

---@class operator.testing.Listing
---@field state operator.testing.State
---@field private texts table<table, table<boolean, string>> stubs of jobs without children
local Listing = {}
Listing.__index = Listing

---@param state operator.testing.State
---@return operator.testing.Listing
function listing.new(state)
  return setmetatable({ state = state, texts = setmetatable({}, { __mode = "k" }) }, Listing)
end

function Listing:text(job, children, with_meta)
  if children then
    return json.encode(stub(job, children, with_meta), { sorted = true })
  end
  local held = self.texts[job] or {}
  self.texts[job] = held
  held[with_meta] = held[with_meta] or json.encode(stub(job, nil, with_meta), { sorted = true })
  return held[with_meta]
end

--- The JSON array, and the token of the next page.
---@param options operator.testing.ListOptions
---@return string body
---@return string? next_token
---@return string[] elements the same, not yet put together
function Listing:body(options)
  local all = self.state:list(options.namespace ~= "*" and options.namespace or nil)
  local children = children_of(all)
  local wanted = {}
  for _, job in ipairs(all) do
    if job.ID:sub(1, #options.prefix) == options.prefix and options.sees(job.Namespace) then
      wanted[#wanted + 1] = job
    end
  end
  local from, to, following = page(wanted, options)
  local texts = {}
  for i = from, to do
    local job = wanted[i]
    texts[#texts + 1] = self:text(job, children[job.Namespace .. "\0" .. job.ID], options.meta)
  end
  return "[" .. table.concat(texts, ",") .. "]", following, texts
end

return listing
