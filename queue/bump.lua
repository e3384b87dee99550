-- ARGV: who, reason, id. The job goes before all that wait in its lane; one that waits for another's outcome takes that
-- one along. Returns what became of it ('bumped', 'first', 'unknown', or its state), and the id that was moved.
-- A place below 0 is outside of the fair order: it neither moves the virtual time nor what its requester is charged.
local id, job = ARGV[3], facts(ARGV[3])
if not job.state then return {'unknown', id} end
if job.state == 'waiting' and job.leader then
  id, job = job.leader, facts(job.leader)
  if redis.call('ZSCORE', K.RUNNING, id) then return {'running', id} end
end
if job.state ~= 'waiting' then return {job.state or 'unknown', id} end
local own, sets = queue_of(job), {K.LANE .. job.lane}
if not redis.call('ZSCORE', own, id) then return {'unknown', id} end
for _, wanted in ipairs(apart_in(job.lane)) do sets[#sets + 1] = apart_key(job.lane, wanted) end
local first, least = nil, 1e300
for _, set in ipairs(sets) do
  local found = redis.call('ZRANGE', set, 0, 0, 'WITHSCORES')
  if found[1] and tonumber(found[2]) < least then first, least = found[1], tonumber(found[2]) end
end
if first == id then return {'first', id} end
local place = math.min(0, least) - 1
redis.call('ZADD', own, exact(place), id)
note(ARGV[1], 'bump', ARGV[3], ARGV[2], id ~= ARGV[3] and id or '')
return {'bumped', id}
