-- ARGV: worker, lease in ms, seconds to keep, outcome of a job that is given up, age in ms from which a job may overtake,
-- the number of this turn (0: none), how many jobs the worker had by hand, what it cannot run (as `abilities` reads it),
-- age in ms from which a job that it cannot run is given to it all the same, to be ended (0: none is), number of jobs that
-- it holds (-1: it does not say) and their ids, then lane and free slots in turn. Returns ms until the next lease ends
-- unless it is renewed, or until there is more to look at ('' if neither), the number of the latest lease where the worker
-- said what it holds ('' otherwise), then lane, id, lease, place, payload of each job claimed. Nothing at all for a turn
-- that was taken already: its answer was lost.
local SCANNED = 512        -- jobs looked at for one that this worker can run, and whose requester may run another
local MOVED = 128          -- of them that are set apart: some ten milliseconds of the server's time
local UNWATCHED = 4000     -- ms: workers look every 2 s
local AGED = 4             -- one claim in so many goes to the oldest job, if it is old enough
local worker, lease, keep, patience = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[5])
local turn, had, holds = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[10])
local able, longest = abilities(ARGV[8]), tonumber(ARGV[9])
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
  for i = 11, 10 + holds do known[ARGV[i]] = true end
  for _, id in ipairs(held_by(worker)) do
    if not known[id] then give_back(id, facts(id)) end
  end
end

local first = redis.call('ZRANGE', K.RUNNING, 0, 0, 'WITHSCORES')
local expires = first[2] and string.format('%.0f', math.max(0, first[2] - now)) or ''
local claimed = {expires, holds >= 0 and (redis.call('GET', K.CLAIMS) or '0') or ''}
local first_lane = 11 + math.max(0, holds)
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

-- Take a job out of its lane's common set, where it hides jobs that this worker can run.
local function set_apart(id, job)
  local wanted, known = wants(job), false
  local submitted = redis.call('HGET', K.JOB .. id, 'submitted')
  redis.call('ZREM', K.LANE .. job.lane, id)
  redis.call('ZADD', apart_key(job.lane, wanted), exact(job.place), id)
  redis.call('ZADD', ages_key(job.lane, wanted), number(submitted, now), id)
  redis.call('HSET', K.JOB .. id, 'apart', 1)
  local names = apart_in(job.lane)
  for _, name in ipairs(names) do known = known or name == wanted end
  if known then return end
  names[#names + 1] = wanted
  list_apart(job.lane, names)
end

-- A set of a lane's jobs from which this worker takes. `skipped`: those in front that are capped; `head`: the next one
-- with its place, false at the end, nil where it was not read.
local function source(key, ages) return {key = key, ages = ages, skipped = 0, head = nil} end

local function forget(id, sources)
  for _, each in ipairs(sources) do
    redis.call('ZREM', each.key, id)
    if each.ages then redis.call('ZREM', each.ages, id) end
  end
end

-- The source whose next job has the first place; nil where none has any.
local function nearest(sources)
  local best = nil
  for _, each in ipairs(sources) do
    if each.head == nil then
      local found = redis.call('ZRANGE', each.key, each.skipped, each.skipped, 'WITHSCORES')
      each.head = found[1] and {found[1], number(found[2], 0)} or false
    end
    if each.head and (not best or each.head[2] < best.head[2]) then best = each end
  end
  return best
end

-- The job that was submitted first and still waits, if it waits long enough; entries of others are thrown away.
local function oldest(lane, sources)
  local first, since = nil, now
  while true do
    local id = redis.call('LINDEX', K.AGES .. lane, 0)
    if not id then break end
    if redis.call('ZSCORE', K.LANE .. lane, id) then
      local submitted = redis.pcall('HGET', K.JOB .. id, 'submitted')
      if type(submitted) == 'string' then first, since = id, number(submitted, now) end
      break
    end
    redis.call('LPOP', K.AGES .. lane)
  end
  for _, each in ipairs(sources) do
    local found = each.ages and redis.call('ZRANGE', each.ages, 0, 0, 'WITHSCORES') or {}
    if found[1] and (not first or tonumber(found[2]) < since) then first, since = found[1], tonumber(found[2]) end
  end
  return first and now - since >= patience and first or nil
end

-- A job that stopped all workers but one of those it may runs alone, so that no other is blamed for what it does.
for _, busy in ipairs(redis.call('HVALS', K.ALONE)) do
  if busy == worker then return nothing() end
end

-- The sets of a lane that this worker can run, and those that it cannot.
local function divided(lane)
  local mine, others, kept = {source(K.LANE .. lane)}, {}, {}
  for _, wanted in ipairs(apart_in(lane)) do
    local each = source(apart_key(lane, wanted), ages_key(lane, wanted))
    if redis.call('EXISTS', each.key, each.ages) > 0 then
      kept[#kept + 1] = wanted
      local found = can_run(able, wanted) and mine or others
      found[#found + 1] = each
    end
  end
  if #kept < #apart_in(lane) then list_apart(lane, kept) end
  return mine, others
end

-- Jobs that waited for too long end, also where nobody can run them: whoever is there says so. Returns the slots left.
local function give_overdue(lane, sources, slots)
  for _, each in ipairs(longest > 0 and sources or {}) do
    while slots > 0 do
      local found = redis.call('ZRANGE', each.ages, 0, 0, 'WITHSCORES')
      if not found[1] or now - tonumber(found[2]) < longest then break end
      local job = facts(found[1])
      if job.state == 'waiting' then
        job.lane, slots = lane, slots - 1
        give(found[1], job)
      end
      forget(found[1], sources)
    end
  end
  return slots
end

-- Fill free slots with a lane's jobs. Returns those left, and whether a job is to have its last chance, beside which the
-- worker takes no other: it does now, or waits until the worker is empty.
local function serve(lane, slots)
  local said = redis.call('HMGET', K.VIRTUAL .. lane, 'starts', 'apart')
  local before, looked_at = number(said[1], 0), 0
  APART[lane] = lines(said[2])
  local mine, others = divided(lane)
  slots = give_overdue(lane, others, slots)
  local starts, alone, moved = before, false, 0
  while slots > 0 and looked_at < SCANNED and moved < MOVED and not alone do
    local aged = (starts + 1) % AGED == 0 and oldest(lane, mine)
    if aged and capped(facts(aged)) then aged = nil end
    local from = not aged and nearest(mine) or nil
    if not aged and not from then
      -- The lane is empty, whatever damage was done.
      if #mine + #others == 1 and mine[1].skipped == 0 and moved == 0 then redis.call('DEL', K.LANE_COST .. lane) end
      break
    end
    looked_at = looked_at + 1
    local id = aged or from.head[1]
    local job = facts(id, from and from.head[2])
    if from then job.apart = from.ages and '1' or nil end
    if job.state ~= 'waiting' then
      forget(id, mine)
    elseif not job.apart and not can_run(able, wants(job)) then
      job.lane, moved = lane, moved + 1
      set_apart(id, job)
    elseif capped(job) then
      from.skipped = from.skipped + 1
    else
      alone = job.kills >= KILLS - 1
      if alone and (#claimed > 2 or #held_by(worker) > 0) then break end  -- until the worker is empty
      job.lane = lane
      give(id, job)
      if alone then redis.call('HSET', K.ALONE, id, worker) end
      starts, slots = starts + 1, slots - 1
    end
    for _, each in ipairs(from and {from} or mine) do each.head = nil end
  end
  if moved == MOVED or moved > 0 and looked_at == SCANNED then claimed[1] = '0' end  -- there is more to look at, and soon
  if starts > before then redis.call('HSET', K.VIRTUAL .. lane, 'starts', starts) end
  return slots, alone
end

-- Slots that stay free are offered to those who submit.
for i = first_lane, #ARGV, 2 do
  local lane, left, alone = ARGV[i], math.max(0, tonumber(ARGV[i + 1]) - coming), false
  if redis.call('SISMEMBER', K.PAUSED, lane) == 0 then left, alone = serve(lane, left) end
  if alone then return nothing() end
  offer(lane, worker, left, lease, ARGV[8])
end
return claimed
