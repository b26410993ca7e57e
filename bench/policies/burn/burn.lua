--- A policy that uses up its slice of the processor: how much is read of the stream meanwhile? (bench/stalled.lua)

local operator = require "operator"

local SLICE = 0.9 -- seconds of processor time for each job; 1 s is where it would be ended

return operator.policy {
  name = "burn",
  watch = { topic = "Job", where = { Meta = { ["auto-backup"] = "true" } } },
  reconcile = function()
    local start = os.clock()
    while os.clock() - start < SLICE do
    end
  end,
}
