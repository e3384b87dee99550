-- ARGV: lane, id ('' for the end of the lane), for how long a heartbeat counts in ms. Returns where it stands.
local lane, id, job = ARGV[1], ARGV[2], nil

local function read(id)
  local f = redis.pcall('HMGET', K.JOB .. id, 'leader', 'kind', 'needs', 'apart', 'members')
  return f.err and {} or f
end

-- The member of a group that is first of those that wait; nil where none does.
local function first_member(group)
  local first, least = nil, math.huge
  for _, member in ipairs(redis.call('ZRANGE', K.MEMBERS .. group, 0, -1)) do
    local own = facts(member)
    local waits = own.leader and facts(own.leader) or own
    if waits.state == 'waiting' and waits.place < least then first, least = member, waits.place end
  end
  return first
end

if id ~= '' then
  local f = read(id)
  if f[5] then
    id = first_member(id) or id
    f = read(id)
  end
  job = {lane = lane, kind = f[2], needs = f[3], apart = f[4]}
  if f[1] then  -- both want the same
    id = f[1]
    job.apart = read(id)[4]
  end
end
return (standing(lane, id, job, ARGV[3]))
