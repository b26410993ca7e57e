---@meta host.scan
--- The raw scanner that the host runs over the stream, for specs.

local scan = {}

---@class host.scan.Event
---@field topic string
---@field type string
---@field key string
---@field namespace string
---@field index integer
---@field payload string raw JSON

--- Cuts a line of the event stream into its events. `{}` gives an empty list.
---@param line string
---@return host.scan.Event[]? nil: not JSON of the stream's shape
---@return integer? index the line's
function scan.events(line) end

return scan
