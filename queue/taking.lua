-- How a job comes to a worker: claimed by it, or handed over at submission to one that offers a free slot.

-- From now on it runs under a lease of so many ms. Returns the lease, and its payload ('' where it is damaged: the worker
-- says so).
local function take(id, job, worker, lease)
  local now, held = clock(), worker .. '#' .. redis.call('INCR', K.CLAIMS)
  leave_lane(id, job)
  learn(id, job.lane, now)
  redis.call(
    'HSET', K.JOB .. id, 'state', 'running', 'lane', job.lane, 'place', exact(job.place), 'worker', worker,
    'lease', held, 'started', now
  )
  local platform = platform_of(job.requester)
  -- A terminal shows every start, the other platforms where there is a ticket to say it.
  if platform and (redis.call('SREM', K.TICKETS .. platform, id) == 1 or platform == 'console') then
    redis.call('PUBLISH', K.PROGRESS .. platform, cjson.encode({v = 1, d = {job_id = id}}))
  end
  redis.call('ZADD', K.RUNNING, now + lease, id)
  redis.call('HSET', K.HOLDERS, id, table.concat({job.requester, job.tenant, job.lane, exact(job.cost)}, '\n'))
  shift_count('user ' .. job.requester, 1)
  shift_count('tenant ' .. job.tenant, 1)
  shift_count('lane ' .. job.lane, 1)
  shift_cost(K.BUSY_COST .. job.lane, job.cost)
  if job.place >= 0 then advance(job.lane, job.place) end
  local payload = redis.pcall('GET', K.PAYLOAD .. id)
  return held, type(payload) == 'string' and payload or ''
end

-- A worker says how many slots of a lane it has free, and for how long it would lease a job.
local function offer(lane, worker, slots, lease)
  if slots > 0 then
    redis.call('HSET', K.IDLE .. lane, worker, slots .. ' ' .. string.format('%.0f', lease))
  else
    redis.call('HDEL', K.IDLE .. lane, worker)
  end
end

-- A new job goes straight to a worker that has a slot for it, where nobody waits. The worker hears of it on its own
-- channel; one that nobody listens to is gone. True if somebody has the job.
local function hand_over(id, job)
  local key = K.IDLE .. job.lane
  local offers = redis.call('HGETALL', key)
  if #offers == 0 or capped(job) or redis.call('EXISTS', K.LANE .. job.lane) == 1 then return false end
  if redis.call('SISMEMBER', K.PAUSED, job.lane) == 1 then return false end
  for i = 1, #offers, 2 do
    local worker, slots, lease = offers[i], string.match(offers[i + 1], '^(%d+) (%d+)$')
    local listening = redis.call('PUBSUB', 'NUMSUB', K.HANDS .. worker)[2]
    if not slots or listening == 0 or redis.call('SISMEMBER', K.DRAINED, worker) == 1 then
      redis.call('HDEL', key, worker)
    else
      local held, payload = take(id, job, worker, tonumber(lease))
      offer(job.lane, worker, tonumber(slots) - 1, lease)
      redis.call('HINCRBY', K.HANDED, worker, 1)
      local parts = {job.lane, id, held, string.format('%.0f', job.place), payload}
      redis.call('PUBLISH', K.HANDS .. worker, table.concat(parts, '\n'))
      return true
    end
  end
  return false
end
