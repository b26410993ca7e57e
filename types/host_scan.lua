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

--- What the `watch.where` and `watch.except` of several policies say together, compiled as the host does.
---@param programs operator.Where[] of operator.Filter:program
---@param object? string the name of the object in the payload; "Job"
---@return host.scan.Where
function scan.where(programs, object) end

---@class host.scan.Where
local where = {}
--- Does one of them hold for the object in an event's payload?
---@param payload string
---@return boolean? holds nil: it has to be decoded to tell
---@return integer version the object's ModifyIndex, 0 if it has none
---@return integer spec its JobModifyIndex; 0: it has none, or of one of the programs it cannot be told
---@return integer? programs a bit for each that holds; nil: of one of them it cannot be told
function where:payload(payload) end
--- The same for an object alone.
---@param object string
---@return boolean? holds
function where:object(object) end

return scan
