-- KEYS: update, payload, job, requester's jobs. ARGV: id, payload, updates' life, listed, seconds that it
-- counts as in flight at most, band, digest of the request ('' for one that is like no other), 1 if a fresh result may
-- answer it, seconds to keep, for how long a heartbeat counts in ms, then the job's fields.
-- Returns the id that stands for this update ('' if the id is taken), 1 if it did before, 1 if it is answered already, and
-- for a job that waits now where it stands (not so for one that a worker has).
local id, band, digest, keep = ARGV[1], tonumber(ARGV[6]), ARGV[7], ARGV[9]
local given = redis.call('GET', KEYS[1])
if given then return {given, 1, 0} end
if redis.call('EXISTS', KEYS[3]) == 1 then return {'', 0, 0} end

-- The place that a job would get by itself.
local function own_place(job, band)
  local tag = number(redis.call('ZSCORE', tags_key(job.lane, band), job.requester) or '', 0)
  local f = redis.call('HMGET', K.VIRTUAL .. job.lane, band, 'last ' .. band, 'apart')
  APART[job.lane] = lines(f[3])  -- it is asked for below
  return band * BAND + math.max(number(f[1], 0), tag, number(f[2], 0))
end

local now, instant = clock()
redis.call('SET', KEYS[1], id, 'EX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[2])
local fields = {'submitted', now, 'state', 'waiting'}
local job = {}
for i = 11, #ARGV, 2 do
  job[ARGV[i]] = ARGV[i + 1]
  fields[#fields + 1], fields[#fields + 2] = ARGV[i], ARGV[i + 1]
end
if digest ~= '' then
  job.same = digest
  fields[#fields + 1], fields[#fields + 2] = 'same', digest
end
complete(job)
redis.call('HSET', KEYS[3], unpack(fields))
own_asked(id, job.requester, job.kind, job.asked, now)
redis.call('ZADD', KEYS[4], instant, id)
redis.call('ZREMRANGEBYRANK', KEYS[4], 0, -ARGV[4] - 1)
redis.call('EXPIRE', KEYS[4], 30 * 86400)
for _, name in ipairs(in_flight_sets(job.releases, job.kind, job.requester)) do
  redis.call('ZADD', name, math.ceil(now / 1000) + ARGV[5], id)  -- whole seconds take half the memory
  redis.call('PEXPIRE', name, ARGV[5] * 1000 + 60000)
end

if digest ~= '' and ARGV[8] == '1' then
  local model = redis.call('HGET', K.MODELS, job.kind) or ''
  local source = redis.call('GET', K.FRESH .. digest .. ':' .. model)
  local f = source and redis.call('HMGET', K.JOB .. source, 'state', 'outcome') or {}
  if f[1] == 'done' and f[2] and files_are_kept(f[2]) then
    tell(id, job, 'done', f[2], keep)
    return {id, 0, 1}
  end
end

if digest ~= '' then
  local leader = who_stands_for(digest)
  local f = leader and redis.call('HMGET', K.JOB .. leader, 'same', 'cancel', 'lane', 'apart') or {}
  -- Both want the same. Of a leader that was cancelled while it ran, the run may go on for others: then it is still in the running set.
  local standing_for = {lane = f[3], kind = job.kind, needs = job.needs, apart = f[4]}
  local alive = leader and f[1] == digest and not f[2] and f[3]
    and (redis.call('ZSCORE', queue_of(standing_for), leader) or redis.call('ZSCORE', K.RUNNING, leader))
  -- Only one that starts no later than this would by itself: nobody takes over another's place in the queue.
  local ahead = alive and number(redis.call('ZSCORE', queue_of(standing_for), leader) or '', nil)
  if alive and (not ahead or (ahead <= own_place(job, band) and not capped(facts(leader)))) then
    redis.call('HSET', KEYS[3], 'leader', leader, 'lane', f[3])
    redis.call('RPUSH', K.FOLLOWERS .. leader, id)
    return {id, 0, 0, (standing(f[3], leader, standing_for, ARGV[10]))}
  end
  stand_for(digest, id)
end

job.place = new_place(job, band)
if hand_over(id, job) then return {id, 0, 0} end
wait_at(id, job, 'RPUSH')
local place, base, high = standing(job.lane, id, job, ARGV[10])
if base > 0 then  -- what is promised is kept, to be compared with what comes
  redis.call('HSET', KEYS[3], 'promise', string.format('%.1f %.1f', base, high))
end
return {id, 0, 0, place}
