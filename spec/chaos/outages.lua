-- outages: what goes wrong with the servers themselves, and with the client agent. Each ends by itself after a while.
-- One at a time: the next one waits for a leader.
local outages = {}

-- Each returns what it did, how many seconds it lasts, and what ends it (which may return a word about that).
local kinds = {}

local function leader_or_any(run, dice)
  return run.agents:leader() or dice:pick(run.agents.servers)
end

local function follower(run, dice)
  local leader, list = run.agents:leader(), {}
  for _, server in ipairs(run.agents.servers) do
    if server ~= leader then
      list[#list + 1] = server
    end
  end
  return dice:pick(list)
end

local function start_again(one)
  return function()
    one:launch()
    return one.name .. " starts again"
  end
end

local function killed(one, what, seconds)
  one:finish "sigkill"
  return ("%s %s is killed"):format(what, one.name), seconds, start_again(one)
end

local function held(one, what, seconds)
  one:hold()
  return ("%s %s is held"):format(what, one.name),
    seconds,
    function()
      one:go_on()
      return one.name .. " goes on"
    end
end

function kinds.leader_killed(run, dice)
  return killed(leader_or_any(run, dice), "leader", dice:between(1, 8))
end

function kinds.server_killed(run, dice)
  return killed(run:served_by(), "the operator's server", dice:between(1, 8))
end

-- Longer than the servers wait for their leader: they elect another.
function kinds.leader_held(run, dice)
  return held(leader_or_any(run, dice), "leader", dice:between(6, 14))
end

function kinds.follower_held(run, dice)
  return held(follower(run, dice), "follower", dice:between(4, 10))
end

function kinds.server_held(run, dice)
  return held(run:served_by(), "the operator's server", dice:between(5, 15))
end

function kinds.restarted(run, dice)
  local one = dice:pick(run.agents.servers)
  one:finish "sigint"
  return one.name .. " is ended", dice:between(0.5, 4), start_again(one)
end

-- It takes its leave of the others, who go on as two, and joins them again.
function kinds.left(run, dice)
  local one = dice:pick(run.agents.servers)
  one:finish "sigterm"
  return one.name .. " leaves", dice:between(0.5, 4), start_again(one)
end

function kinds.client_restarted(run, dice)
  local signal = dice:pick { "sigint", "sigkill" }
  run.agents.client:finish(signal)
  return "the client agent is ended by " .. signal,
    dice:between(0.5, 6),
    start_again(run.agents.client)
end

-- Two of three do not answer: nothing can be written, and nothing read that must be right.
function kinds.quorum_lost(run, dice)
  local spared = dice:pick(run.agents.servers)
  local two = {}
  for _, server in ipairs(run.agents.servers) do
    if server ~= spared then
      two[#two + 1] = server
      server:hold()
    end
  end
  return ("only %s answers, the quorum is lost"):format(spared.name),
    dice:between(5, 12),
    function()
      for _, server in ipairs(two) do
        server:go_on()
      end
      return "the others go on"
    end
end

function kinds.all_killed(run, dice)
  for _, server in ipairs(run.agents.servers) do
    server:finish "sigkill"
  end
  return "all servers are killed",
    dice:between(0.5, 3),
    function()
      for _, server in ipairs(run.agents.servers) do
        server:launch()
      end
      return "they start again"
    end
end

function kinds.restored(run, dice)
  local ok, saved = pcall(run.cluster.snapshot, run.cluster)
  if not ok then
    return "no snapshot could be saved: " .. saved, 0, function() end
  end
  return "a snapshot is saved",
    dice:between(3, 10),
    function()
      run.wire:restored()
      local restored, err = pcall(run.cluster.restore, run.cluster, saved)
      run.wire:restored()
      return restored and "the snapshot is restored" or "the snapshot was not restored: " .. err
    end
end

-- Longer than the operator waits for a byte of its stream.
function kinds.long_silence(run)
  return held(run:served_by(), "the operator's server", 85)
end

outages.kinds = kinds

local NAMES = {
  "leader_killed",
  "leader_held",
  "server_held",
  "restored",
  "quorum_lost",
  "restarted",
  "follower_held",
  "client_restarted",
  "left",
  "server_killed",
  "all_killed",
}

-- A name at a time, each once before any comes again: so a short run has most of them too.
function outages.deck(dice)
  local left = {}
  return function()
    if #left == 0 then
      table.move(NAMES, 1, #NAMES, 1, left)
    end
    return table.remove(left, dice:whole(1, #left))
  end
end

return outages
