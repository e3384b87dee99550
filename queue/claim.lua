-- ARGV: worker, lease in ms, seconds to keep, outcome of a job that is given up, age in ms from which a job may overtake,
-- the number of this turn (0: none), how many jobs the worker had by hand, number of those that it holds (-1: it does not say) and
-- their ids, then lane and free slots in turn. Returns ms until the next lease ends unless it is renewed ('' if there is
-- none), the number of the latest lease where the worker said what it holds ('' otherwise), then lane, id, lease, place,
-- payload of each job claimed. Nothing at all for a turn that was taken already: its answer was lost.
local SCANNED = 512        -- jobs looked at for one whose requester may run another
local UNWATCHED = 4000     -- ms: workers look every 2 s
local AGED = 4             -- one claim in so many goes to the oldest job, if it is old enough
local worker, lease, keep, patience = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[5])
local turn, had, holds = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local now, known_turns = clock(), redis.pcall('HMGET', K.TURNS .. worker, 'turn', 'handed')
if known_turns.err then
  redis.call('DEL', K.TURNS .. worker)
elseif turn > 0 and number(known_turns[1], 0) >= turn then
  return {}
end
local coming = math.max(0, number(known_turns[2], 0) - had)  -- handed over, and not with it yet
if holds >= 0 then coming = 0 end
redis.call('HSET', K.TURNS .. worker, 'turn', turn, 'handed', had + coming)

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

-- What was claimed by a turn whose answer was lost, or handed over by a message that was lost, is known to nobody: it goes
-- back, and was never started.
if holds >= 0 then
  local known = {}
  for i = 9, 8 + holds do known[ARGV[i]] = true end
  for _, id in ipairs(held_by(worker)) do
    if not known[id] then give_back(id, facts(id)) end
  end
end

local first = redis.call('ZRANGE', K.RUNNING, 0, 0, 'WITHSCORES')
local expires = first[2] and string.format('%.0f', math.max(0, first[2] - now)) or ''
local claimed = {expires, holds >= 0 and (redis.call('GET', K.CLAIMS) or '0') or ''}
local first_lane = 9 + math.max(0, holds)
local function nothing()
  for i = first_lane, #ARGV, 2 do offer(ARGV[i], worker, 0) end
  return claimed
end
if redis.call('SISMEMBER', K.DRAINED, worker) == 1 then return nothing() end

-- What the worker is told of a job that it gets.
local function give(id, job)
  local held, payload = take(id, job, worker, lease)
  for _, part in ipairs({job.lane, id, held, string.format('%.0f', job.place), payload}) do
    claimed[#claimed + 1] = part
  end
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
  if busy == worker then return nothing() end
end

-- Fill free slots with a lane's jobs. Returns those left, and whether a job is to have its last chance, beside which the
-- worker takes no other: it does now, or waits until the worker is empty.
local function serve(lane, slots)
  local key, skipped, looked_at = K.LANE .. lane, 0, 0
  local before = number(redis.call('HGET', K.VIRTUAL .. lane, 'starts'), 0)
  local starts, alone = before, false
  while slots > 0 and looked_at < SCANNED and not alone do
    local aged = (starts + 1) % AGED == 0 and oldest(lane)
    if aged and capped(facts(aged)) then aged = nil end
    local next = aged and {aged} or redis.call('ZRANGE', key, skipped, skipped, 'WITHSCORES')
    local id, job = next[1], next[1] and facts(next[1], number(next[2], nil))
    if not id then
      if skipped == 0 then redis.call('DEL', K.LANE_COST .. lane) end  -- the lane is empty, whatever damage was done
      break
    end
    looked_at = looked_at + 1
    if job.state ~= 'waiting' then
      redis.call('ZREM', key, id)
    elseif capped(job) then
      skipped = skipped + 1
    else
      alone = job.kills >= KILLS - 1
      if alone and (#claimed > 2 or #held_by(worker) > 0) then break end  -- until the worker is empty
      job.lane = lane
      give(id, job)
      if alone then redis.call('HSET', K.ALONE, id, worker) end
      starts, slots = starts + 1, slots - 1
    end
  end
  if starts > before then redis.call('HSET', K.VIRTUAL .. lane, 'starts', starts) end
  return slots, alone
end

-- Slots that stay free are offered to those who submit.
for i = first_lane, #ARGV, 2 do
  local lane, left, alone = ARGV[i], math.max(0, tonumber(ARGV[i + 1]) - coming), false
  if redis.call('SISMEMBER', K.PAUSED, lane) == 0 then left, alone = serve(lane, left) end
  if alone then return nothing() end
  offer(lane, worker, left, lease)
end
return claimed
