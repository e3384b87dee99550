-- ARGV: worker, lease in ms, seconds to keep, outcome of a job that is given up, age in ms from which a job may overtake,
-- then lane and free slots in turn. Returns ms until the next lease ends unless it is renewed ('' if there is none), then
-- lane, id, lease, place of each job claimed.
local SCANNED = 512        -- jobs looked at for one whose requester may run another
local UNWATCHED = 4000     -- ms: workers look every 2 s
local AGED = 4             -- one claim in so many goes to the oldest job, if it is old enough
local worker, lease, keep, patience = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[5])
local now = clock()

-- Leases run out only while somebody watches: after an outage of the server their holders get the time to renew.
local looked = number(redis.call('GET', K.LOOKED), now)
redis.call('SET', K.LOOKED, now)
local away = now - looked > UNWATCHED
for _, id in ipairs(redis.call('ZRANGEBYSCORE', K.RUNNING, '-inf', now, 'LIMIT', 0, away and -1 or 100)) do
  if away then
    redis.call('ZADD', K.RUNNING, now + lease, id)
  else
    survive(id, facts(id), ARGV[4], keep)
  end
end

local first = redis.call('ZRANGE', K.RUNNING, 0, 0, 'WITHSCORES')
local claimed = {first[2] and string.format('%.0f', math.max(0, first[2] - now)) or ''}
if redis.call('SISMEMBER', K.DRAINED, worker) == 1 then return claimed end

local function take(id, job, lane, serial)
  local held = worker .. '#' .. serial
  leave_lane(id, job)
  learn(id, lane, now)
  redis.call('HSET', K.JOB .. id, 'state', 'running', 'lane', lane, 'worker', worker, 'lease', held, 'started', now)
  local platform = platform_of(job.requester)
  if platform then
    redis.call('SREM', K.TICKETS .. platform, id)
    redis.call('PUBLISH', K.PROGRESS .. platform, cjson.encode({v = 1, d = {job_id = id}}))
  end
  redis.call('ZADD', K.RUNNING, now + lease, id)
  redis.call('HSET', K.HOLDERS, id, table.concat({job.requester, job.tenant, lane, exact(job.cost)}, '\n'))
  shift_count('user ' .. job.requester, 1)
  shift_count('tenant ' .. job.tenant, 1)
  shift_count('lane ' .. lane, 1)
  shift_cost(K.BUSY_COST .. lane, job.cost)
  redis.call('HINCRBY', K.VIRTUAL .. lane, 'starts', 1)
  if job.place >= 0 then advance(lane, job.place) end
  for _, part in ipairs({lane, id, held, string.format('%.0f', job.place)}) do claimed[#claimed + 1] = part end
end

-- The job that was submitted first and still waits, if it waits long enough; entries of others are thrown away.
local function oldest(lane)
  while true do
    local id = redis.call('LINDEX', K.AGES .. lane, 0)
    if not id then return nil end
    if redis.call('ZSCORE', K.LANE .. lane, id) then
      local submitted = redis.pcall('HGET', K.JOB .. id, 'submitted')
      return type(submitted) == 'string' and now - number(submitted, now) >= patience and id or nil
    end
    redis.call('LPOP', K.AGES .. lane)
  end
end

-- A job that stopped all workers but one of those it may runs alone, so that no other is blamed for what it does.
for _, busy in ipairs(redis.call('HVALS', K.ALONE)) do
  if busy == worker then return claimed end
end

for i = 6, #ARGV, 2 do
  local lane, slots = ARGV[i], tonumber(ARGV[i + 1])
  local key, skipped, looked_at = K.LANE .. lane, 0, 0
  if redis.call('SISMEMBER', K.PAUSED, lane) == 1 then slots = 0 end
  while slots > 0 and looked_at < SCANNED do
    local turn = (number(redis.call('HGET', K.VIRTUAL .. lane, 'starts'), 0) + 1) % AGED == 0
    local aged = turn and oldest(lane)
    local id = aged and not capped(facts(aged)) and aged or redis.call('ZRANGE', key, skipped, skipped)[1]
    if not id then break end
    looked_at = looked_at + 1
    local job = facts(id)
    local last_chance = job.kills >= KILLS - 1
    if job.state ~= 'waiting' then
      redis.call('ZREM', key, id)
    elseif capped(job) then
      skipped = skipped + 1
    else
      if last_chance and (#claimed > 1 or #held_by(worker) > 0) then return claimed end  -- until the worker is empty
      job.lane = lane
      take(id, job, lane, redis.call('INCR', K.CLAIMS))
      if last_chance then
        redis.call('HSET', K.ALONE, id, worker)
        return claimed
      end
      slots = slots - 1
    end
  end
end
return claimed
