--- sha1: the hash of FIPS 180-1, for names that Nomad makes with it. Not for secrets.

local sha1 = {}

local function rotate(value, bits)
  return ((value << bits) | (value >> (32 - bits))) & 0xFFFFFFFF
end

local function padded(text)
  local tail = "\x80" .. ("\0"):rep((55 - #text) % 64)
  return text .. tail .. string.pack(">I8", #text * 8)
end

-- The 80 words of a block.
local function schedule(text, at)
  local words = { string.unpack((">" .. ("I4"):rep(16)), text, at) }
  for i = 17, 80 do
    words[i] = rotate(words[i - 3] ~ words[i - 8] ~ words[i - 14] ~ words[i - 16], 1)
  end
  return words
end

-- The function and the constant of a round, from 1.
local function round(i, b, c, d)
  if i <= 20 then
    return (b & c) | (~b & d), 0x5A827999
  elseif i <= 40 then
    return b ~ c ~ d, 0x6ED9EBA1
  elseif i <= 60 then
    return (b & c) | (b & d) | (c & d), 0x8F1BBCDC
  end
  return b ~ c ~ d, 0xCA62C1D6
end

local function compress(state, words)
  local a, b, c, d, e = table.unpack(state)
  for i = 1, 80 do
    local f, k = round(i, b, c, d)
    local next = (rotate(a, 5) + (f & 0xFFFFFFFF) + e + k + words[i]) & 0xFFFFFFFF
    a, b, c, d, e = next, a, rotate(b, 30), c, d
  end
  for i, value in ipairs { a, b, c, d, e } do
    state[i] = (state[i] + value) & 0xFFFFFFFF
  end
end

---@param text string
---@return string hex 40 digits
function sha1.hex(text)
  local state = { 0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476, 0xC3D2E1F0 }
  local message = padded(text)
  for at = 1, #message, 64 do
    compress(state, schedule(message, at))
  end
  return ("%08x%08x%08x%08x%08x"):format(table.unpack(state))
end

return sha1
