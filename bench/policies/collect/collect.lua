--- A policy that throws away, every second, what nobody uses any more: what is left has been kept (bench/heap.lua).

local operator = require "operator"

return operator.policy {
  name = "collect",
  watch = { topic = "Job", where = { ID = "no-such-job" } },
  every = {
    ["1s"] = function()
      collectgarbage()
    end,
  },
}
