-- Persons with several identities. Each identity's entry is the person's account and then all of their identities, one a
-- line; who has one only has no entry.

local function identities_of(identity)
  local found = lines(redis.call('HGET', K.LINKED, identity))
  if #found == 0 then return identity, {identity} end
  return table.remove(found, 1), found
end

local function join(account, identities)
  for _, each in ipairs(identities) do
    redis.call('HSET', K.LINKED, each, account .. '\n' .. table.concat(identities, '\n'))
  end
end

-- An identity leaves its person. Returns the others.
local function part(identity)
  local account, all = identities_of(identity)
  local others = {}
  for _, each in ipairs(all) do
    if each ~= identity then others[#others + 1] = each end
  end
  redis.call('HDEL', K.LINKED, identity)
  if #others == 1 then
    redis.call('HDEL', K.LINKED, others[1])
  elseif #others > 1 then
    join(account == identity and others[1] or account, others)
  end
  return others
end
