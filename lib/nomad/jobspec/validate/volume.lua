--- The rules for volumes of a group and their mounts in tasks.

local common = require "nomad.jobspec.validate.common"

local volume = {}

local set = common.set

local HOST_MODES = set(
  "",
  "single-node-reader-only",
  "single-node-writer",
  "single-node-single-writer",
  "single-node-multi-writer"
)

local function check_host(r, at, v)
  local mode = v.AccessMode or ""
  r:want(not v.MountOptions, at, "MountOptions", "is not allowed in a host volume")
  r:want(
    HOST_MODES[mode],
    at,
    "AccessMode",
    "%q is not allowed in a host volume, only "
      .. "single-node-reader-only, single-node-writer, single-node-single-writer, "
      .. "single-node-multi-writer",
    mode
  )
  r:want(
    mode ~= "single-node-reader-only" or v.ReadOnly,
    at,
    "ReadOnly",
    "must be true with AccessMode %s",
    mode
  )
end

local READERS = set("single-node-reader-only", "multi-node-reader-only")
local SINGLE = set("single-node-reader-only", "single-node-writer")

local function check_csi(r, at, v, count)
  local mode, attach = v.AccessMode or "", v.AttachmentMode or ""
  r:want(attach ~= "", at, "AttachmentMode", "is needed, file-system or block-device")
  r:want(
    attach ~= "block-device" or not v.MountOptions,
    at,
    "MountOptions",
    "is not allowed with AttachmentMode block-device"
  )
  r:want(mode ~= "", at, "AccessMode", "is needed")
  r:want(not READERS[mode] or v.ReadOnly, at, "ReadOnly", "must be true with AccessMode %s", mode)
  local single = SINGLE[mode] or mode == "multi-node-single-writer" and not v.ReadOnly
  r:want(
    not single or count <= 1 or v.PerAlloc,
    at,
    "AccessMode",
    "%s allows one allocation, the group's Count is %d; set PerAlloc or another mode",
    mode,
    count
  )
end

--- The volumes that the server keeps: those of a kind that it does not know it drops in silence.
---@param r jobspec.Report
---@param at jobspec.Place the group's
---@param group table
---@param type string the job's
---@param count integer
---@param canaries integer
---@return table<string, boolean> names
function volume.requests(r, at, group, type, count, canaries)
  local kept = {}
  for name, v in pairs(group.Volumes or {}) do
    local place = { up = { up = at, key = "Volumes" }, key = name }
    if v.Type ~= "host" and v.Type ~= "csi" then
      r:warn(
        place,
        "Type",
        "%q is neither host nor csi: the server drops the volume in silence",
        v.Type or ""
      )
    else
      kept[name] = true
      r:want((v.Source or "") ~= "", place, "Source", "is needed")
      if v.PerAlloc then
        r:want(
          type ~= "system" and type ~= "sysbatch",
          place,
          "PerAlloc",
          "is not allowed in %s jobs",
          type
        )
        r:want(canaries <= 0, place, "PerAlloc", "excludes canaries")
        r:want(not v.Sticky, place, "PerAlloc", "excludes Sticky")
      end
      if v.Type == "host" then
        check_host(r, place, v)
      else
        check_csi(r, place, v, count)
      end
    end
  end
  return kept
end

local PROPAGATION = set("", "private", "host-to-task", "bidirectional")
local SELINUX = set("", "z", "Z")

---@param r jobspec.Report
---@param at jobspec.Place the task's
---@param task table
---@param kept table<string, boolean> what volume.requests gave
function volume.mounts(r, at, task, kept)
  for _, m, place in common.each(at, "VolumeMounts", task.VolumeMounts) do
    if m.Volume == nil then
      r:warn(place, "Volume", "is missing: the server drops the mount in silence")
    else
      r:want(m.Volume ~= "", place, "Volume", "is needed")
      r:want(kept[m.Volume], place, "Volume", "there is no volume %q in the group", m.Volume)
      r:want(m.Destination ~= nil, place, "Destination", "is needed")
      r:want(
        PROPAGATION[m.PropagationMode or ""],
        place,
        "PropagationMode",
        "%q is not allowed, only private, host-to-task, bidirectional",
        m.PropagationMode
      )
      r:want(
        SELINUX[m.SELinuxLabel or ""],
        place,
        "SELinuxLabel",
        "%q is not allowed, only z, Z",
        m.SELinuxLabel
      )
    end
  end
end

return volume
