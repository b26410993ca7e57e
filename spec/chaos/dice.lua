-- dice: what chance decides, from a seed: the same seed, the same choices.
local random = require "operator.testing.random"

local dice = {}
dice.__index = dice

function dice.new(seed)
  local source = random.new(seed)
  for _ = 1, 4 do
    source:bits() -- seeds that are close to each other shall not begin alike
  end
  return setmetatable({ source = source }, dice)
end

-- 0 <= r < 1
function dice:number()
  return self.source:number()
end

-- A whole number from `least` to `most`.
function dice:whole(least, most)
  return least + math.floor(self:number() * (most - least + 1))
end

function dice:between(least, most)
  return least + self:number() * (most - least)
end

function dice:chance(share)
  return self:number() < share
end

function dice:pick(list)
  return list[self:whole(1, #list)]
end

-- One of { { weight, value }, … }.
function dice:weighted(list)
  local total = 0
  for _, entry in ipairs(list) do
    total = total + entry[1]
  end
  local at = self:number() * total
  for _, entry in ipairs(list) do
    at = at - entry[1]
    if at < 0 then
      return entry[2]
    end
  end
  return list[#list][2]
end

-- A seed for something that has dice of its own.
function dice:seed()
  return self.source:bits() & 0x7fffffff
end

return dice
