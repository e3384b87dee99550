-- ARGV: who, reason, id. The job goes before all that wait in its lane; one that waits for another's outcome takes that
-- one along, and a group all of its members that wait. Returns what became of it ('bumped', 'first', 'unknown', or its
-- state), and the id that was moved: of a group, its own.
-- A place below 0 is outside of the fair order: it neither moves the virtual time nor what its requester is charged.

local function first_of(lane)
  local sets, first, least = {K.LANE .. lane}, nil, 1e300
  for _, wanted in ipairs(apart_in(lane)) do sets[#sets + 1] = apart_key(lane, wanted) end
  for _, set in ipairs(sets) do
    local found = redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')
    if found[1] and tonumber(found[2]) < least then first, least = found[1], tonumber(found[2]) end
  end
  return first, least
end

local function bump(id)
  local job = facts(id)
  if not job.state then return 'unknown', id end
  if job.state == 'waiting' and job.leader then
    id, job = job.leader, facts(job.leader)
    if redis.call('ZSCORE', K.RUNNING, id) then return 'running', id end
  end
  if job.state ~= 'waiting' then return job.state, id end
  local own = queue_of(job)
  if not redis.call('ZSCORE', own, id) then return 'unknown', id end
  local first, least = first_of(job.lane)
  if first == id then return 'first', id end
  redis.call('ZADD', own, exact(math.min(0, least) - 1), id)
  return 'bumped', id
end

-- The members keep their order among themselves: the last of them goes first to the front.
local function bump_group(id)
  local said, waiting = 'running', {}
  for _, member in ipairs(redis.call('ZRANGE', K.MEMBERS .. id, 0, -1)) do
    local job = facts(member)
    if job.state == 'waiting' then waiting[#waiting + 1] = {member, job.place} end
  end
  table.sort(waiting, function(a, b)
    if a[2] ~= b[2] then return a[2] > b[2] end
    return a[1] > b[1]
  end)
  for _, each in ipairs(waiting) do
    local result = bump(each[1])
    if result == 'bumped' or result == 'first' and said == 'running' then said = result end
  end
  return said, id
end

local id, group = ARGV[3], facts(ARGV[3])
local result, moved
if group.members and (group.state == 'waiting' or group.state == 'running') then
  result, moved = bump_group(id)
else
  result, moved = bump(id)
end
if result == 'bumped' then note(ARGV[1], 'bump', id, ARGV[2], moved ~= id and moved or '') end
return {result, moved}
