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
local first = redis.call('ZRANGE', K.LANE .. job.lane, 0, 0, 'WITHSCORES')
if not redis.call('ZSCORE', K.LANE .. job.lane, id) then return {'unknown', id} end
if first[1] == id then return {'first', id} end
local place = math.min(0, tonumber(first[2])) - 1
redis.call('ZADD', K.LANE .. job.lane, exact(place), id)
note(ARGV[1], 'bump', ARGV[3], ARGV[2], id ~= ARGV[3] and id or '')
return {'bumped', id}
