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
  local platform = platform_of(job)
  member_started(job.group, now)
  -- A terminal and the page show every start, the other platforms where there is a ticket to say it.
  if platform and (redis.call('SREM', K.TICKETS .. platform, id) == 1 or platform == 'console' or platform == 'web') then
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

-- How many jobs a worker was ever handed, and the number of its latest turn.
local function count_handed(worker)
  local key = K.TURNS .. worker
  if type(redis.pcall('HINCRBY', key, 'handed', 1)) == 'table' then redis.call('DEL', key) end
  redis.call('EXPIRE', key, 3600)
end

-- A worker says how many slots of a lane it has free, for how long it would lease a job, and which it cannot run (`able`,
-- as `abilities` reads it). (What is damaged is thrown away: offers only save time.)
local function offer(lane, worker, slots, lease, able)
  local key, said = K.IDLE .. lane, nil
  if slots > 0 then
    said = redis.pcall('HSET', key, worker, slots .. ' ' .. string.format('%.0f', lease) .. ' ' .. able)
  else
    said = redis.pcall('HDEL', key, worker)
  end
  if type(said) == 'table' then redis.call('DEL', key) end
end

-- The offer with the most slots, of workers that can run what wants this: worker, slots, lease, what it lacks. Those of
-- workers that are drained, do not listen, or did not beat within a lease are taken back.
local function best_offer(lane, wanted)
  local key, best, most, length, limits = K.IDLE .. lane, nil, 0, 0, ''
  local offers = redis.pcall('HGETALL', key)
  for i = 1, #offers, 2 do
    local worker, slots, lease, able = offers[i], string.match(offers[i + 1], '^(%d+) (%d+) (.*)$')
    slots, lease = number(slots, 0), number(lease, 0)
    local beat = number(redis.call('ZSCORE', K.WORKERS, worker) or '', 0)
    local listening = redis.call('PUBSUB', 'NUMSUB', K.HANDS .. worker)[2]
    if slots == 0 or listening == 0 or beat < clock() - lease or redis.call('SISMEMBER', K.DRAINED, worker) == 1 then
      offer(lane, worker, 0)
    elseif slots > most and can_run(abilities(able), wanted) then
      best, most, length, limits = worker, slots, lease, able
    end
  end
  return best, most, length, limits
end

-- A new job goes straight to a worker that has a slot for it, where nobody waits. The worker hears of it on its own
-- channel. True if it has the job.
local function hand_over(id, job)
  if redis.call('EXISTS', K.LANE .. job.lane) == 1 then return false end
  if capped(job) or redis.call('SISMEMBER', K.PAUSED, job.lane) == 1 then return false end
  local worker, slots, lease, able = best_offer(job.lane, wants(job))
  if not worker then return false end
  local held, payload = take(id, job, worker, lease)
  offer(job.lane, worker, slots - 1, lease, able)
  count_handed(worker)
  local parts = {job.lane, id, held, string.format('%.0f', job.place), payload}
  redis.call('PUBLISH', K.HANDS .. worker, table.concat(parts, '\n'))
  return true
end
