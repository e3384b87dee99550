"""The queue's scripts in Lua. Each is one atomic step in a job's life; `scripts` has their typed callers.

All times come from the server's clock. A job's place is its score in its lane: microseconds of the submission, kept
through every retry.
"""

from __future__ import annotations

from frontdesk.queue import keys

COMMON = f"""
local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000), t[1] * 1000000 + t[2]
end

-- What is damaged in a job's hash is replaced: an error here would hold up every other job of the lane.
local function facts(id)
  local f = redis.pcall('HMGET', '{keys.JOB}' .. id, 'state', 'lease', 'lane', 'cost', 'place')
  if f.err then f = {{}} end
  local _, now = clock()
  return {{
    state = f[1], lease = f[2], lane = f[3] or '', cost = tonumber(f[4] or '') or 0, place = tonumber(f[5] or '') or now
  }}
end

local function shift_cost(key, amount)
  local left = tonumber(redis.call('GET', key) or '0') + amount
  if left < 0.000001 then redis.call('DEL', key) else redis.call('SET', key, string.format('%.6f', left)) end
end

local function enqueue(id, lane, place, cost)
  redis.call('HSET', '{keys.JOB}' .. id, 'state', 'waiting', 'lease', '', 'worker', '')
  redis.call('ZADD', '{keys.LANE}' .. lane, place, id)
  shift_cost('{keys.LANE_COST}' .. lane, cost)
  redis.call('PUBLISH', '{keys.DOORBELL}', lane)
end

local function leave(id, state, lane, cost)
  if state == 'running' then
    redis.call('ZREM', '{keys.RUNNING}', id)
    shift_cost('{keys.BUSY_COST}' .. lane, -cost)
  else
    redis.call('ZREM', '{keys.LANE}' .. lane, id)
    shift_cost('{keys.LANE_COST}' .. lane, -cost)
  end
end

local function conclude(id, status, outcome, keep)
  local key = '{keys.JOB}' .. id
  local now = clock()
  local job = facts(id)
  local f = redis.call('HMGET', key, 'kind', 'platform', 'releases')
  leave(id, job.state, job.lane, job.cost)
  redis.call('HSET', key, 'state', status, 'outcome', outcome, 'finished', now, 'lease', '')
  redis.call('DEL', '{keys.PAYLOAD}' .. id, '{keys.TRIES}' .. id)
  redis.call('EXPIRE', key, keep)
  for name in string.gmatch(f[3] or '', '[^\\n]+') do redis.call('ZREM', name, id) end
  local minute = '{keys.MINUTE}' .. math.floor(now / 60000)
  redis.call('HINCRBY', minute, (f[1] or '?') .. '|' .. status, 1)
  redis.call('EXPIRE', minute, 7200)
  if f[2] == 'console' then
    redis.call('XADD', '{keys.OUTCOMES}console', 'MAXLEN', '~', 1000, '*', 'job', id)
  elseif f[2] then
    redis.call('XADD', '{keys.OUTCOMES}' .. f[2], '*', 'job', id)
  end
end
"""

# KEYS: update, payload, job, requester's jobs. ARGV: id, payload, updates' life, listed, seconds that it counts as in
# flight at most, then the job's fields.
SUBMIT = (
    COMMON
    + f"""
local given = redis.call('GET', KEYS[1])
if given then return {{given, 1}} end
if redis.call('EXISTS', KEYS[3]) == 1 then return {{'', 0}} end
local now, place = clock()
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[2])
local fields = {{'submitted', now, 'place', place}}
for i = 6, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call('HSET', KEYS[3], unpack(fields))
redis.call('ZADD', KEYS[4], place, ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[4], 0, -ARGV[4] - 1)
redis.call('EXPIRE', KEYS[4], 30 * 86400)
for name in string.gmatch(redis.call('HGET', KEYS[3], 'releases') or '', '[^\\n]+') do
  redis.call('ZADD', name, now / 1000 + ARGV[5], ARGV[1])
  redis.call('PEXPIRE', name, ARGV[5] * 1000 + 60000)
end
local lane = redis.call('HGET', KEYS[3], 'lane')
redis.call('SADD', '{keys.LANES}', lane)
enqueue(ARGV[1], lane, place, tonumber(redis.call('HGET', KEYS[3], 'cost')))
return {{ARGV[1], 0}}
"""
)

# ARGV: worker, lease in ms, then lane and free slots in turn. Returns lane, id, lease, place of each job claimed.
CLAIM = (
    COMMON
    + f"""
local now = clock()
for _, id in ipairs(redis.call('ZRANGEBYSCORE', '{keys.RUNNING}', '-inf', now, 'LIMIT', 0, 100)) do
  local job = facts(id)
  if job.state == 'running' then
    leave(id, job.state, job.lane, job.cost)
    enqueue(id, job.lane, job.place, job.cost)
  else
    redis.call('ZREM', '{keys.RUNNING}', id)
  end
end
local claimed = {{}}
for i = 3, #ARGV, 2 do
  local lane, slots = ARGV[i], tonumber(ARGV[i + 1])
  if slots > 0 then
    for _, id in ipairs(redis.call('ZRANGE', '{keys.LANE}' .. lane, 0, slots - 1)) do
      local job = facts(id)
      if job.state == 'waiting' then
        local lease = ARGV[1] .. '#' .. redis.call('INCR', '{keys.CLAIMS}')
        leave(id, 'waiting', lane, job.cost)
        redis.call(
          'HSET', '{keys.JOB}' .. id,
          'state', 'running', 'lane', lane, 'worker', ARGV[1], 'lease', lease, 'started', now
        )
        redis.call('ZADD', '{keys.RUNNING}', now + ARGV[2], id)
        shift_cost('{keys.BUSY_COST}' .. lane, job.cost)
        claimed[#claimed + 1] = lane
        claimed[#claimed + 1] = id
        claimed[#claimed + 1] = lease
        claimed[#claimed + 1] = string.format('%.0f', job.place)
      else
        redis.call('ZREM', '{keys.LANE}' .. lane, id)
      end
    end
  end
end
return claimed
"""
)

# ARGV: worker, lease in ms, what the worker says of itself, its life in ms, then id and lease in turn.
# Returns the ids whose lease was lost, then those to be cancelled.
RENEW = (
    COMMON
    + f"""
local now = clock()
redis.call('ZADD', '{keys.WORKERS}', now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', '{keys.WORKERS}', '-inf', now - 3600000)
redis.call('SET', '{keys.WORKER}' .. ARGV[1], ARGV[3], 'PX', ARGV[4])
local lost, cancelled = {{}}, {{}}
for i = 5, #ARGV, 2 do
  local f = redis.call('HMGET', '{keys.JOB}' .. ARGV[i], 'lease', 'cancel')
  if f[1] == ARGV[i + 1] then
    redis.call('ZADD', '{keys.RUNNING}', now + ARGV[2], ARGV[i])
    if f[2] then cancelled[#cancelled + 1] = ARGV[i] end
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return {{lost, cancelled}}
"""
)

# ARGV: id, lease, status, outcome, seconds to keep, measured device-seconds. Returns 1, or 0 for who lost the lease.
FINISH = (
    COMMON
    + f"""
local key = '{keys.JOB}' .. ARGV[1]
local f = redis.call('HMGET', key, 'lease', 'kind', 'declared')
if not f[1] or f[1] ~= ARGV[2] then return 0 end
conclude(ARGV[1], ARGV[3], ARGV[4], ARGV[5])
local declared, measured = tonumber(f[3] or '') or 0, tonumber(ARGV[6])
if ARGV[3] == 'done' and f[2] and declared > 0 and measured > 0 then
  local seen = tonumber(redis.call('HGET', '{keys.SPEED}', f[2]) or measured / declared)
  redis.call('HSET', '{keys.SPEED}', f[2], string.format('%.6g', seen + 0.1 * (measured / declared - seen)))
end
return 1
"""
)

# ARGV: id, lease. The job goes back to its place, and the start does not count as a try.
RELEASE = (
    COMMON
    + f"""
local job = facts(ARGV[1])
if not job.lease or job.lease ~= ARGV[2] then return 0 end
leave(ARGV[1], 'running', job.lane, job.cost)
enqueue(ARGV[1], job.lane, job.place, job.cost)
redis.call('DECR', '{keys.TRIES}' .. ARGV[1])
return 1
"""
)

# ARGV: id, requester ('' for an admin), outcome, seconds to keep.
CANCEL = (
    COMMON
    + f"""
local key = '{keys.JOB}' .. ARGV[1]
local f = redis.call('HMGET', key, 'state', 'requester')
if not f[1] or (ARGV[2] ~= '' and f[2] ~= ARGV[2]) then return 'unknown' end
if f[1] == 'waiting' then
  conclude(ARGV[1], 'cancelled', ARGV[3], ARGV[4])
  return 'cancelled'
elseif f[1] == 'running' then
  redis.call('HSET', key, 'cancel', 1)
  redis.call('PUBLISH', '{keys.CANCELS}', ARGV[1])
  return 'stopping'
end
return 'ended'
"""
)

# ARGV: lane, id ('' for the end of the lane), for how long a heartbeat counts in ms.
# Returns rank (or -1), waiting, waiting cost, running cost, fresh workers.
PLACE = (
    COMMON
    + f"""
local now = clock()
local rank = redis.call('ZRANK', '{keys.LANE}' .. ARGV[1], ARGV[2])
local workers = 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', '{keys.WORKERS}', now - ARGV[3], '+inf')) do
  local said = redis.call('GET', '{keys.WORKER}' .. id)
  if said then
    local good, described = pcall(cjson.decode, said)
    if good and type(described) == 'table' and type(described.d) == 'table' and type(described.d.lanes) == 'table' then
      for _, lane in ipairs(described.d.lanes) do if lane == ARGV[1] then workers = workers + 1 end end
    end
  end
end
return {{
  rank or -1, redis.call('ZCARD', '{keys.LANE}' .. ARGV[1]),
  redis.call('GET', '{keys.LANE_COST}' .. ARGV[1]) or '0', redis.call('GET', '{keys.BUSY_COST}' .. ARGV[1]) or '0',
  workers
}}
"""
)
