-- Expected waits. The base is found by list scheduling: running jobs hold their slots for what is left of their cost,
-- and those ahead take the slots in their order as they become free. Two factors correct it, for the median and for the
-- 90th percentile of (real + 1 s) / (base + 1 s), kept in logarithms for short, middle and long waits. Each start moves
-- them (quantile tracking as in adaptive conformal inference, Gibbs and Candes 2021, equation 2), so that in the long run
-- half and nine tenths of the waits hold, whatever the load does.

local NEAR = 32            -- jobs ahead, and slots, that are scheduled one by one; beyond, the lane's mean cost counts
local LEAST_LEFT = 0.1     -- of its cost that a running job still needs, however long it has run
local STEP = 0.05          -- of a factor's logarithm, for each start
local FIRST_HIGH = 0.7     -- the logarithm of the first factor for the 90th percentile: twice the base
local LEAST_HIGH = 1       -- seconds: below it nobody plans

-- Why a worker that says `d` of itself cannot run what wants this, in a sentence; nil where it can. `able`: what
-- `abilities` would read.
local function why_not(d, able, wanted)
  local can, name = can_run(able, wanted)
  if can then return nil end
  if name then return tostring(d.lacks[name]) end
  local bytes = number(string.match(wanted, '%d+$'), 0)
  return string.format('It takes %.1f GB of memory, and a job may take %.1f GB here.', bytes / 1e9, able.memory / 1e9)
end

local function abilities_of(d)
  local able = {memory = number(d.memory_limit, 0), lacks = {}}
  for name in pairs(type(d.lacks) == 'table' and d.lacks or {}) do able.lacks[name] = true end
  return able
end

-- What the lane's fresh workers can do of what wants this (nil: of anything): workers, slots, device-seconds a second.
-- Then why the last of those that cannot run it cannot, and the abilities of all.
local function capacity(lane, fresh, wanted)
  local workers, slots, rate, reason, crew = 0, 0, 0, nil, {}
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', K.WORKERS, clock() - fresh, '+inf')) do
    local good, said = pcall(cjson.decode, redis.call('GET', K.WORKER .. id) or '')
    local d = good and type(said) == 'table' and type(said.d) == 'table' and said.d or {}
    if type(d.lanes) == 'table' and redis.call('SISMEMBER', K.DRAINED, id) == 0 then
      local here, busy = false, 0
      for _, name in ipairs(d.lanes) do
        if name == lane then
          here = true
        elseif redis.call('EXISTS', K.LANE .. name, K.BUSY_COST .. name) > 0 then
          busy = busy + 1
        end
      end
      local able = here and abilities_of(d)
      local lack = here and wanted and why_not(d, able, wanted)
      crew[#crew + 1] = able or nil
      if lack then
        reason = lack
      elseif here then
        workers = workers + 1
        slots = slots + math.max(1, number(d.slots, 1))
        rate = rate + math.max(0.01, number(d.speed, 1)) / (1 + busy)
      end
    end
  end
  return workers, slots, rate, reason, crew
end

-- The sets of a lane, but its common one, whose jobs somebody of the crew can run.
local function served(lane, crew)
  local found = {}
  for _, wanted in ipairs(apart_in(lane)) do
    local can = false
    for _, able in ipairs(crew) do can = can or can_run(able, wanted) end
    if can then found[#found + 1] = apart_key(lane, wanted) end
  end
  return found
end

local function cost_of(id)
  local cost = redis.pcall('HGET', K.JOB .. id, 'cost')
  return type(cost) == 'string' and number(cost, 0) or 0
end

-- When each slot of the lane is free, in seconds from now; `rate` in device-seconds a second and slot.
local function slots_free(lane, slots, rate)
  local now, free = clock(), {}
  for _, id in ipairs(redis.call('ZRANGE', K.RUNNING, 0, 4 * NEAR - 1)) do
    local _, _, held, cost = holder(id)
    if held == lane and #free < slots then
      local started = redis.pcall('HGET', K.JOB .. id, 'started')
      local gone = type(started) == 'string' and (now - number(started, now)) / 1000 or 0
      local whole = number(cost, 0) / rate
      free[#free + 1] = math.max(LEAST_LEFT * whole, whole - gone)
    end
  end
  while #free < slots do free[#free + 1] = 0 end
  return free
end

-- The next jobs of these sets, those before a place: in one set in their order, in several one after the other.
local function ahead_of(sets, before, rank)
  if rank == 0 then return {} end
  if #sets == 1 then return redis.call('ZRANGE', sets[1], 0, rank - 1) end
  local found = {}
  for _, set in ipairs(sets) do
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', set, '-inf', before, 'LIMIT', 0, rank - #found)) do
      found[#found + 1] = id
    end
  end
  return found
end

local function scheduled(lane, ahead, slots, rate)
  local free = slots_free(lane, slots, rate)
  local function earliest()
    local best = 1
    for slot = 2, slots do if free[slot] < free[best] then best = slot end end
    return best
  end
  for _, id in ipairs(ahead) do
    local slot = earliest()
    free[slot] = free[slot] + cost_of(id) / rate
  end
  return free[earliest()]
end

-- Where a job stands among those that somebody can run, and all of its own set: its rank (nil: it does not wait), the
-- sets, its place for ZRANGEBYSCORE, and how many wait in them.
local function placed(lane, id, job, crew)
  local own, before = job and queue_of(job), '+inf'
  local rank = job and redis.call('ZRANK', own, id) or nil
  if job and not rank then return nil, {}, before, redis.call('ZCARD', K.LANE .. lane) end
  local sets, seen = {K.LANE .. lane}, {[K.LANE .. lane] = true}
  for _, set in ipairs(served(lane, crew)) do sets[#sets + 1], seen[set] = set, true end
  if job and not seen[own] then sets[#sets + 1] = own end
  if job and #sets > 1 then before = '(' .. exact(number(redis.call('ZSCORE', own, id), 0)) end
  local waiting = 0
  for _, set in ipairs(sets) do
    waiting = waiting + redis.call('ZCARD', set)
    if job and set ~= own then rank = rank + redis.call('ZCOUNT', set, '-inf', before) end
  end
  return rank, sets, before, waiting
end

local function reach(base) return base < 10 and 'short' or base < 120 and 'middle' or 'long' end

-- Median and 90th percentile in seconds, from the base.
local function corrected(lane, base)
  local f = redis.call('HMGET', K.WAITS .. lane, 'median ' .. reach(base), 'high ' .. reach(base))
  local median = (base + 1) * math.exp(number(f[1], 0)) - 1
  local high = (base + 1) * math.exp(number(f[2], FIRST_HIGH)) - 1
  median = base == 0 and 0 or math.max(0, median)
  return median, math.max(median, high, LEAST_HIGH)
end

-- Seconds until the job at a rank (0 is next) starts, if all goes by the estimates.
local function base_wait(lane, rank, sets, before, slots, rate)
  local running = number(redis.call('HGET', K.BUSY, 'lane ' .. lane), 0)
  if rank < slots - running then return 0 end
  if rank <= NEAR and slots <= NEAR then return scheduled(lane, ahead_of(sets, before, rank), slots, rate / slots) end
  local waiting = redis.call('ZCARD', K.LANE .. lane)  -- in all sets, as the cost is
  for _, wanted in ipairs(apart_in(lane)) do waiting = waiting + redis.call('ZCARD', apart_key(lane, wanted)) end
  local mean = waiting > 0 and number(redis.call('GET', K.LANE_COST .. lane), 0) / waiting or 0
  local left = number(redis.call('GET', K.BUSY_COST .. lane), 0) / 2  -- running jobs are taken to be half done
  return (left + mean * math.max(0, rank + 1 - slots)) / rate
end

-- Where a job stands (nil: one that would come now, of any kind), as `scripts.Place` reads it: rank (-1: it does not
-- wait), waiting, workers that can run it, median and 90th percentile of its wait in seconds, waiting cost, 1 for a
-- paused lane, why nobody who is there can run it. Then the base and the percentile as numbers.
local function standing(lane, id, job, fresh)
  local paused, base, workers, slots, rate, reason, crew = redis.call('SISMEMBER', K.PAUSED, lane), 0, 0, 0, 0, nil, {}
  if paused == 0 then  -- else nobody serves it
    workers, slots, rate, reason, crew = capacity(lane, fresh, job and wants(job))
  end
  local rank, sets, before, waiting = placed(lane, id, job, crew)
  if workers > 0 and #sets > 0 then base = base_wait(lane, rank or waiting, sets, before, slots, rate) end
  local median, high = corrected(lane, base)
  return {
    rank or -1, waiting, workers, string.format('%.3f', median), string.format('%.3f', high),
    redis.call('GET', K.LANE_COST .. lane) or '0', paused, workers == 0 and reason or ''
  }, base, high
end

-- A job started: what was promised when it came is compared with what became of it, and the factors learn.
local function learn(id, lane, now)
  local f = redis.pcall('HMGET', K.JOB .. id, 'submitted', 'promise')
  if f.err or not f[2] then return end  -- whoever found a free slot was promised no wait
  local submitted, base, high = number(f[1], nil), string.match(f[2], '^(%S+) (%S+)$')
  base, high = number(base, nil), number(high, nil)
  if not submitted or not base or not high then return end
  redis.call('HDEL', K.JOB .. id, 'promise')
  local real = math.max(0, now - submitted) / 1000
  local minute = K.MINUTE .. math.floor(now / 60000)
  redis.call('HINCRBY', minute, real <= high and 'wait|held' or 'wait|missed', 1)
  redis.call('EXPIRE', minute, 7200)
  local key, at = K.WAITS .. lane, reach(base)
  local kept = redis.call('HMGET', key, 'median ' .. at, 'high ' .. at)
  local seen = math.log((real + 1) / (base + 1))
  local lower, upper = number(kept[1], 0), number(kept[2], FIRST_HIGH)
  lower = lower + STEP * ((seen > lower and 1 or 0) - 0.5)
  upper = upper + STEP * ((seen > upper and 1 or 0) - 0.1)
  redis.call('HSET', key, 'median ' .. at, exact(lower), 'high ' .. at, exact(upper))
end
