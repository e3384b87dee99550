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

-- What the lane's fresh workers can do: workers, slots, device-seconds a second.
local function capacity(lane, fresh)
  local workers, slots, rate = 0, 0, 0
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
      if here then
        workers = workers + 1
        slots = slots + math.max(1, number(d.slots, 1))
        rate = rate + math.max(0.01, number(d.speed, 1)) / (1 + busy)
      end
    end
  end
  return workers, slots, rate
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

local function scheduled(lane, rank, slots, rate)
  local free = slots_free(lane, slots, rate)
  local function earliest()
    local best = 1
    for slot = 2, slots do if free[slot] < free[best] then best = slot end end
    return best
  end
  for _, id in ipairs(rank > 0 and redis.call('ZRANGE', K.LANE .. lane, 0, rank - 1) or {}) do
    local slot = earliest()
    free[slot] = free[slot] + cost_of(id) / rate
  end
  return free[earliest()]
end

-- Seconds until the job at a rank (0 is next) starts, if all goes by the estimates; and the workers that serve the lane.
local function base_wait(lane, rank, waiting, fresh)
  local workers, slots, rate = capacity(lane, fresh)
  if workers == 0 then return 0, 0 end
  local running = number(redis.call('HGET', K.BUSY, 'lane ' .. lane), 0)
  if rank < slots - running then return 0, workers end
  if rank <= NEAR and slots <= NEAR then return scheduled(lane, rank, slots, rate / slots), workers end
  local mean = waiting > 0 and number(redis.call('GET', K.LANE_COST .. lane), 0) / waiting or 0
  local left = number(redis.call('GET', K.BUSY_COST .. lane), 0) / 2  -- running jobs are taken to be half done
  return (left + mean * math.max(0, rank + 1 - slots)) / rate, workers
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

-- Where the job at a rank stands, as `scripts.Place` reads it: rank (-1: it does not wait), waiting, workers, median and
-- 90th percentile of its wait in seconds, waiting cost, 1 for a paused lane. Then the base and the percentile as numbers.
local function standing(lane, rank, fresh)
  local waiting = redis.call('ZCARD', K.LANE .. lane)
  local paused, base, workers = redis.call('SISMEMBER', K.PAUSED, lane), 0, 0
  if paused == 0 then base, workers = base_wait(lane, rank or waiting, waiting, fresh) end  -- else nobody serves it
  local median, high = corrected(lane, base)
  return {
    rank or -1, waiting, workers, string.format('%.3f', median), string.format('%.3f', high),
    redis.call('GET', K.LANE_COST .. lane) or '0', paused
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
