-- cluster: real servers under chaos, with the verbs that the model of Nomad has: what `people` and `expected` ask for.
-- Whoever asks takes a server that could answer; where none does, it is an error and nothing has happened.
local http = require "support.http"
local json = require "host.json"

local cluster = {}
cluster.__index = cluster

-- Seconds until a request is given up. A server that lost its leader thinks about it for 5.
local PATIENCE = 6

local function ask(self, method, path, body)
  local last = "no server could be asked"
  for _, server in ipairs(self.agents.servers) do
    if server:awake() and server ~= self.deaf then
      local status, text = server:request(method, path, { body = body, timeout = PATIENCE })
      if status then
        return status, text
      end
      last = text
    end
  end
  error(("%s %s: %s"):format(method, path, last), 0)
end

local function must(self, method, path, body)
  local status, text = ask(self, method, path, body and json.encode(body))
  if status > 299 then
    error(("%s %s: %d %s"):format(method, path, status, text), 0)
  end
  return json.decode(text) or text
end

local function job_path(id, rest, namespace)
  return ("/v1/job/%s%s?namespace=%s"):format(http.escape(id), rest, http.escape(namespace))
end

function cluster:register(job)
  return must(self, "POST", "/v1/jobs?namespace=" .. (job.Namespace or "default"), { Job = job })
end

function cluster:stop(namespace, id)
  return must(self, "DELETE", job_path(id, "", namespace))
end

function cluster:purge(namespace, id)
  return must(self, "DELETE", job_path(id, "", namespace) .. "&purge=true")
end

function cluster:force(namespace, id)
  return must(self, "PUT", job_path(id, "/periodic/force", namespace))
end

function cluster:dispatch(namespace, id)
  return must(self, "PUT", job_path(id, "/dispatch", namespace), { Meta = {} })
end

-- Takes finished batch jobs too, though nobody stopped them.
function cluster:gc()
  return must(self, "PUT", "/v1/system/gc")
end

function cluster:namespace(name)
  return must(self, "PUT", "/v1/namespace/" .. name, { Name = name })
end

-- The job, or nil where there is none.
function cluster:job(namespace, id)
  local path = job_path(id, "", namespace)
  local status, text = ask(self, "GET", path)
  if status == 404 then
    return nil
  end
  if status ~= 200 then
    error(("GET %s: %d %s"):format(path, status, text), 0)
  end
  return json.decode(text)
end

-- All jobs, whole. Those that did not change since the last time are not read again: their texts are kept.
function cluster:all_jobs()
  local jobs, texts = {}, {}
  for _, stub in ipairs(must(self, "GET", "/v1/jobs?namespace=*")) do
    local key = ("%s/%s %d"):format(stub.Namespace, stub.ID, stub.ModifyIndex)
    texts[key] = self.texts[key]
    if not texts[key] then
      local status, text = ask(self, "GET", job_path(stub.ID, "", stub.Namespace))
      texts[key] = status == 200 and text or nil
    end
    if texts[key] then
      jobs[#jobs + 1] = json.decode(texts[key])
    end
  end
  self.texts = texts
  if self.looked then
    self.looked(jobs)
  end
  return jobs
end

-- As `nomad operator snapshot save` and `restore`.
function cluster:snapshot()
  local status, text = ask(self, "GET", "/v1/operator/snapshot")
  if status ~= 200 then
    error("snapshot save: " .. status .. " " .. text, 0)
  end
  return text
end

function cluster:restore(saved)
  local status, text = ask(self, "PUT", "/v1/operator/snapshot", saved)
  if status > 299 then
    error("snapshot restore: " .. status .. " " .. text, 0)
  end
end

function cluster.new(agents)
  return setmetatable({ agents = agents, texts = {} }, cluster)
end

return cluster
