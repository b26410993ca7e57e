--- The rules for files that a task gets: artifacts, templates, a dispatch's payload.

local common = require "nomad.jobspec.validate.common"
local text = require "nomad.jobspec.validate.text"

local files = {}

local each = common.each

local DIGESTS = { md5 = 32, sha1 = 40, sha256 = 64, sha512 = 128 }

local function check_checksum(r, options, value)
  if text.has_variable(value) then
    return
  end
  local kind, digits = value:match("^%s*([^:]*):([^:]-)%s*$")
  r:want(
    kind and DIGESTS[kind] == #digits and not digits:find("%X"),
    options,
    "checksum",
    "%q is no checksum; write it like sha256:… with md5, sha1, sha256 or sha512",
    value
  )
end

--- Where an artifact goes.
local function destination(a, mode)
  if a.RelativeDest == nil and mode == "file" then
    return "local/" .. (a.GetterSource or ""):gsub("/+$", ""):match("[^/]*$")
  end
  return a.RelativeDest or "local/"
end

---@param r jobspec.Report
---@param task table
function files.artifacts(r, task)
  for _, a in each(task.Artifacts) do
    local mode = a.GetterMode or ""
    r:want((a.GetterSource or "") ~= "", a, "GetterSource", "is needed")
    r:want(
      mode == "" or mode == "any" or mode == "file" or mode == "dir",
      a,
      "GetterMode",
      "%q is not allowed, only any, file, dir",
      mode
    )
    r:want(
      not text.escapes(1, destination(a, mode)),
      a,
      "RelativeDest",
      "leads out of the allocation's directory"
    )
    local checksum = a.GetterOptions and a.GetterOptions.checksum
    if checksum then
      check_checksum(r, a.GetterOptions, checksum)
    end
  end
end

local MODES = common.set("noop", "restart", "signal", "script")

local function check_change(r, t)
  local mode, signal = t.ChangeMode or "restart", t.ChangeSignal
  r:want(
    MODES[mode],
    t,
    "ChangeMode",
    "%q is not allowed, only noop, restart, signal, script",
    mode
  )
  if mode == "signal" then
    r:want(signal ~= "", t, "ChangeSignal", "is needed with ChangeMode signal")
    r:want(not t.Envvars, t, "Envvars", "excludes ChangeMode signal")
  elseif mode == "script" then
    if r:want(t.ChangeScript, t, "ChangeScript", "is needed with ChangeMode script") then
      r:want((t.ChangeScript.Command or "") ~= "", t.ChangeScript, "Command", "is needed")
    end
  end
end

local function check_wait(r, wait)
  if wait and wait.Min and wait.Max then
    r:want(wait.Min <= wait.Max, wait, "Min", "must not be more than Max (%t)", wait.Max)
  end
end

---@param r jobspec.Report
---@param task table
function files.templates(r, task)
  local seen = {}
  for _, t in each(task.Templates) do
    local dest, perms = t.DestPath or "", t.Perms or "0644"
    r:want(
      (t.SourcePath or "") ~= "" or (t.EmbeddedTmpl or "") ~= "",
      t,
      "EmbeddedTmpl",
      "is needed, or SourcePath"
    )
    r:want(dest ~= "", t, "DestPath", "is needed")
    r:want(not text.escapes(1, dest), t, "DestPath", "leads out of the allocation's directory")
    r:want(not seen[dest], t, "DestPath", "%q is there twice in the task", dest)
    seen[dest] = true
    check_change(r, t)
    r:want((t.Splay or 0) >= 0, t, "Splay", "must not be negative")
    r:want(
      perms == "" or perms:find("^[0-7]+$") and #perms:gsub("^0+", "") <= 4,
      t,
      "Perms",
      "%q is no mode of a file; write it like 0644",
      perms
    )
    check_wait(r, t.Wait)
  end
end

---@param r jobspec.Report
---@param task table
function files.payload(r, task)
  local payload = task.DispatchPayload
  if payload then
    r:want(
      not text.escapes(2, payload.File or ""),
      payload,
      "File",
      "leads out of the allocation's directory"
    )
  end
end

return files
