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

local function check_host(r, v)
  local mode = v.AccessMode or ""
  r:want(not v.MountOptions, v, "MountOptions", "is not allowed in a host volume")
  r:want(
    HOST_MODES[mode],
    v,
    "AccessMode",
    "%q is not allowed in a host volume, only "
      .. "single-node-reader-only, single-node-writer, single-node-single-writer, "
      .. "single-node-multi-writer",
    mode
  )
  r:want(
    mode ~= "single-node-reader-only" or v.ReadOnly,
    v,
    "ReadOnly",
    "must be true with AccessMode %s",
    mode
  )
end

local READERS = set("single-node-reader-only", "multi-node-reader-only")
local SINGLE = set("single-node-reader-only", "single-node-writer")

local function check_csi(r, v, count)
  local mode, attach = v.AccessMode or "", v.AttachmentMode or ""
  r:want(attach ~= "", v, "AttachmentMode", "is needed, file-system or block-device")
  r:want(
    attach ~= "block-device" or not v.MountOptions,
    v,
    "MountOptions",
    "is not allowed with AttachmentMode block-device"
  )
  r:want(mode ~= "", v, "AccessMode", "is needed")
  r:want(not READERS[mode] or v.ReadOnly, v, "ReadOnly", "must be true with AccessMode %s", mode)
  local single = SINGLE[mode] or mode == "multi-node-single-writer" and not v.ReadOnly
  r:want(
    not single or count <= 1 or v.PerAlloc,
    v,
    "AccessMode",
    "%s allows one allocation, the group's Count is %d; set PerAlloc or another mode",
    mode,
    count
  )
end

local NO_VOLUMES = {}

--- The volumes that the server keeps: those of a kind that it does not know it drops in silence.
---@param r jobspec.Report
---@param group table
---@param type string the job's
---@param count integer
---@param canaries integer
---@return table<string, boolean> names
function volume.requests(r, group, type, count, canaries)
  if not group.Volumes then
    return NO_VOLUMES
  end
  local kept = {}
  for name, v in pairs(group.Volumes) do
    if v.Type ~= "host" and v.Type ~= "csi" then
      r:warn(
        v,
        "Type",
        "%q is neither host nor csi: the server drops the volume in silence",
        v.Type or ""
      )
    else
      kept[name] = true
      r:want((v.Source or "") ~= "", v, "Source", "is needed")
      if v.PerAlloc then
        r:want(
          type ~= "system" and type ~= "sysbatch",
          v,
          "PerAlloc",
          "is not allowed in %s jobs",
          type
        )
        r:want(canaries <= 0, v, "PerAlloc", "excludes canaries")
        r:want(not v.Sticky, v, "PerAlloc", "excludes Sticky")
      end
      if v.Type == "host" then
        check_host(r, v)
      else
        check_csi(r, v, count)
      end
    end
  end
  return kept
end

local PROPAGATION = set("", "private", "host-to-task", "bidirectional")
local SELINUX = set("", "z", "Z")

---@param r jobspec.Report
---@param task table
---@param kept table<string, boolean> what volume.requests gave
function volume.mounts(r, task, kept)
  for _, m in common.each(task.VolumeMounts) do
    if m.Volume == nil then
      r:warn(m, "Volume", "is missing: the server drops the mount in silence")
    else
      r:want(m.Volume ~= "", m, "Volume", "is needed")
      r:want(kept[m.Volume], m, "Volume", "there is no volume %q in the group", m.Volume)
      r:want(m.Destination ~= nil, m, "Destination", "is needed")
      r:want(
        PROPAGATION[m.PropagationMode or ""],
        m,
        "PropagationMode",
        "%q is not allowed, only private, host-to-task, bidirectional",
        m.PropagationMode
      )
      r:want(
        SELINUX[m.SELinuxLabel or ""],
        m,
        "SELinuxLabel",
        "%q is not allowed, only z, Z",
        m.SELinuxLabel
      )
    end
  end
end

return volume
