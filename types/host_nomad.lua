---@meta host.nomad
--- Requests to Nomad. Address, token and region are the host's; a script never sees the token.

local nomad = {}

---@class host.nomad.Request
---@field method? string "GET"
---@field path string "/v1/job/" .. nomad.escape(id)
---@field query? table<string, string|number|boolean> encoded here, sorted by name
---@field body? string
---@field timeout? number seconds in all, 60
---@field max? integer bytes of the answer, 64 MiB

---@class host.nomad.Response
---@field status integer 2xx
---@field body string
---@field index? integer X-Nomad-Index

--- Has a readable tostring: the message.
---@class host.nomad.Error
---@field code string dns refused tls timeout idle cut version not_http too_large denied not_found conflict frozen rate_limited not_nomad server http dry_run cancelled internal
---@field message string one sentence: the request, what was wrong, what to do
---@field status? integer
---@field retryable boolean
---@field retry_after? number seconds
---@field request string "GET /v1/job/x"
---@field body? string the server's own text

--- One request. Raises only for a caller's mistake (a control character in the path).
---@async
---@param request host.nomad.Request
---@return host.nomad.Response?
---@return host.nomad.Error?
function nomad.request(request) end

--- A GET whose answer is a JSON array, cut while it comes: the array is never held whole.
---@async
---@param request host.nomad.Request
---@return host.nomad.Reader?
---@return host.nomad.Error?
function nomad.list(request) end

--- Which elements of a list the script is given: where one of `where` holds or cannot be told, or the key is watched
--- (host.watch). The others are not even copied.
---@class host.nomad.Pick
---@field topic string of their keys
---@field where operator.Where[]
---@field keys host.Keys gets the keys of all elements

---@class host.nomad.Reader
---@field index integer X-Nomad-Index of the answer, 0 if none
---@field left_out integer elements that the request's `pick` has left out so far
---@field has_meta boolean one of those had a Meta
local reader = {}
--- The raw JSON text of the next element; nil at the end; nil, err when the answer broke off.
---@async
---@return string?
---@return host.nomad.Error?
function reader:next() end
function reader:close() end

--- Percent-encodes one path segment or value.
---@param text string
---@return string
function nomad.escape(text) end

--- Turns a Lua table { code=, message=, … } into an error with the same tostring.
---@param fields table
---@return host.nomad.Error
function nomad.error(fields) end

return nomad
