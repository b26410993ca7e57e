--- The rules for services that stand in a task: their ports, their checks' ports, their names.

local common = require "nomad.jobspec.validate.common"
local network = require "nomad.jobspec.validate.network"
local service = require "nomad.jobspec.validate.service"
local text = require "nomad.jobspec.validate.text"

local task_service = {}

local each = common.each

--- Labels of ports that a task's services can name.
local function labels_of(group, task)
  local labels = {}
  network.labels(group.Networks and group.Networks[1] or nil, labels)
  for _, net in each(task.Resources and task.Resources.Networks) do
    network.labels(net, labels)
  end
  return labels
end

local function check_label(r, at, labels, label)
  r:want(labels[label], at, "PortLabel", "there is no port %q in the group's network", label)
end

local function check_port(r, labels, s, check)
  local label = (check.PortLabel or "") ~= "" and check.PortLabel or s.PortLabel or ""
  if label == "" then
    r:err(check, "PortLabel", "is needed, here or in the service")
    return
  end
  local number = text.integer(label)
  if not number then
    check_label(r, check, labels, label)
  elseif check.AddressMode == "driver" then
    r:want(number > 0, check, "PortLabel", "%d is no port", number)
  else
    r:err(check, "PortLabel", "a number is allowed only with AddressMode driver, found %s", label)
  end
end

local GROUPS_ONLY = common.set("alloc", "alloc_ipv6")

local function check_checks(r, labels, s)
  local known = {}
  for _, check in each(s.Checks) do
    local name = check.Name or ""
    r:want(not known[name], check, "Name", "%q is there twice in the service", name)
    known[name] = true
    r:want(
      not GROUPS_ONLY[check.AddressMode],
      check,
      "AddressMode",
      "%s is allowed only in a group's service",
      check.AddressMode
    )
    r:want(not check.Expose, check, "Expose", "is allowed only in a group's service")
    if service.needs_port(check) then
      check_port(r, labels, s, check)
    end
  end
end

local function check_service_port(r, labels, s)
  local label = s.PortLabel or ""
  if label ~= "" and not (s.AddressMode == "driver" and text.integer(label)) then
    check_label(r, s, labels, label)
  end
end

---@param r jobspec.Report
---@param job table
---@param group table
---@param task table
function task_service.check(r, job, group, task)
  if not task.Services or not next(task.Services) then
    return
  end
  local labels, known, own = labels_of(group, task), {}, task.Name or ""
  for _, s in each(task.Services) do
    local name = service.name(s, job, group, own)
    service.check(r, s, name)
    r:want(
      not GROUPS_ONLY[s.AddressMode],
      s,
      "AddressMode",
      "%s is allowed only in a group's service",
      s.AddressMode
    )
    local id = name .. (s.PortLabel or "")
    r:want(not known[id], s, "Name", "%q with this port is there twice in the task", name)
    known[id] = true
    check_service_port(r, labels, s)
    r:want(not s.Connect, s, "Connect", "is allowed only in a group's service")
    r:want(
      (s.TaskName or "") == "" or s.TaskName == own,
      s,
      "TaskName",
      "must be the task itself, %q",
      own
    )
    check_checks(r, labels, s)
  end
end

return task_service
