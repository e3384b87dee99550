-- What the scripts share. All times come from the server's clock.
--
-- A job's place is its score in its lane: the start tag of start-time fair queueing (Goyal, Vin and Cheng 1996, section
-- 2) in device-milliseconds, below that its priority band. S = max(V, F of the requester); F = S + cost / weight; V is
-- the largest start tag that was taken. A job keeps its place through every retry.

local BAND = 1e12          -- device-milliseconds: 31 years; bands never meet
local STEP_BACK = 0.001    -- device-milliseconds by which who comes later at the same virtual time is behind
local LONGEST_RUN = 2592000 -- seconds: for longer no worker runs a job

-- Milliseconds, and microseconds, of the moment at which the script runs.
local MOMENT = redis.call('TIME')
local function clock()
  return MOMENT[1] * 1000 + math.floor(MOMENT[2] / 1000), MOMENT[1] * 1000000 + MOMENT[2]
end

local function number(text, otherwise)
  return tonumber(text or '') or otherwise
end

local function exact(value) return string.format('%.17g', value) end

-- A job by the fields of its hash. What is missing or damaged is replaced: an error here would hold up every other job
-- of the lane.
local FIELDS = {
  'state', 'lease', 'lane', 'cost', 'place', 'requester', 'tenant', 'weight', 'caps', 'leader', 'kills', 'kind',
  'releases', 'same', 'declared', 'needs', 'apart', 'private', 'group', 'members', 'to'
}

local function complete(job)
  job.lane, job.requester, job.tenant = job.lane or '', job.requester or '', job.tenant or ''
  job.cost, job.declared, job.kills = number(job.cost, 0), number(job.declared, 0), number(job.kills, 0)
  job.weight, job.caps = math.max(number(job.weight, 1), 0.001), job.caps or ''
  job.place = number(job.place, nil)
  return job
end

-- `place`: where it waits, if known.
local function facts(id, place)
  local f, job = redis.pcall('HMGET', K.JOB .. id, unpack(FIELDS)), {}
  for i, name in ipairs(FIELDS) do job[name] = not f.err and f[i] or nil end
  complete(job)
  job.place = place or job.place
  if not job.place then  -- only its lane knows it while it waits
    job.place = job.state == 'waiting' and number(redis.call('ZSCORE', queue_of(job), id) or '', nil) or BAND
  end
  return job
end

-- Where its answer goes: to its requester's own platform, unless it was asked for on another.
local function platform_of(job) return job.to or string.match(job.requester or '', '^([^:]+):') end

local function shift_cost(key, amount)
  local left = redis.pcall('INCRBYFLOAT', key, string.format('%.6f', amount))
  if type(left) ~= 'string' or number(left, 0) < 0.000001 then redis.call('DEL', key) end
end

local function shift_count(name, amount)
  if redis.call('HINCRBY', K.BUSY, name, amount) <= 0 then redis.call('HDEL', K.BUSY, name) end
end

local function band_of(place) return math.max(0, math.floor(place / BAND)) end

local function tags_key(lane, band) return K.TAGS .. lane .. ':' .. band end

local function virtual_time(lane, band) return number(redis.call('HGET', K.VIRTUAL .. lane, band), 0) end

-- Move what a requester has been charged in a lane, in device-seconds; returns max(V, F) as it was. `now`: V, if known.
local function charge(lane, band, requester, weight, seconds, now)
  local key = tags_key(lane, band)
  now = now or virtual_time(lane, band)
  local start = math.max(now, number(redis.call('ZSCORE', key, requester), 0))
  local finish = start + 1000 * seconds / weight
  if finish > now then redis.call('ZADD', key, exact(finish), requester) else redis.call('ZREM', key, requester) end
  return start
end

-- The start tag of a new job. Those whose requesters had nothing yet follow each other in the order of their coming.
local function enter(lane, band, requester, weight, seconds)
  local f = redis.call('HMGET', K.VIRTUAL .. lane, band, 'last ' .. band, 'apart')
  local now = number(f[1], 0)
  APART[lane] = lines(f[3])  -- so that who asks where the job stands need not read it again
  local start = charge(lane, band, requester, weight, seconds, now)
  if start > now then return start end
  start = math.max(start, number(f[2], -1) + STEP_BACK)
  redis.call('HSET', K.VIRTUAL .. lane, 'last ' .. band, exact(start))
  return start
end

-- Whether the requester, or their tenant, has as many jobs running as they may.
local function capped(job)
  local user, tenant = string.match(job.caps, '^(%d*)|(%d*)$')
  local function full(limit, name)
    return limit and limit ~= '' and number(redis.call('HGET', K.BUSY, name), 0) >= tonumber(limit)
  end
  return full(user, 'user ' .. job.requester) or full(tenant, 'tenant ' .. job.tenant)
end

local function advance(lane, place)
  local band = band_of(place)
  local start = place - band * BAND
  if start > virtual_time(lane, band) then
    redis.call('HSET', K.VIRTUAL .. lane, band, exact(start))
    redis.call('ZREMRANGEBYSCORE', tags_key(lane, band), '-inf', exact(start))
  end
end

-- A job waits at its place. `push` is the end of the list of ages that it comes to: RPUSH for the youngest, LPUSH for one
-- that has waited or run before.
local function wait_at(id, job, push)
  redis.call('ZADD', K.LANE .. job.lane, exact(job.place), id)
  redis.call(push, K.AGES .. job.lane, id)
  shift_cost(K.LANE_COST .. job.lane, job.cost)
  redis.call('PUBLISH', K.DOORBELL, job.lane)
end

-- The place of a job that comes to its lane, behind its requester's others.
local function new_place(job, band)
  redis.call('SADD', K.LANES, job.lane)
  return band * BAND + enter(job.lane, band, job.requester, job.weight, job.cost)
end

-- A job that ran, or waited for another's outcome, waits by itself.
local function return_to(id, job)
  redis.call('HSET', K.JOB .. id, 'state', 'waiting')
  redis.call('HDEL', K.JOB .. id, 'lease', 'worker', 'leader', 'place')
  wait_at(id, job, 'LPUSH')
end

-- The unfinished job that stands for a request and those like it, under the first signs of its digest: many of them share
-- a small hash, which takes a third of the memory that a key each would. Who reads it compares the whole digest.
local function same_hash(digest) return K.SAME .. string.sub(digest, 1, 2), string.sub(digest, 3, 10) end

local function who_stands_for(digest)
  local key, field = same_hash(digest)
  local id = redis.pcall('HGET', key, field)
  if type(id) == 'table' then redis.call('DEL', key) end
  return type(id) == 'string' and id or nil
end

local function stand_for(digest, id)
  local key, field = same_hash(digest)
  redis.call('HSET', key, field, id)
end

local function stand_down(id, job)
  if not job.same or who_stands_for(job.same) ~= id then return end
  local key, field = same_hash(job.same)
  redis.call('HDEL', key, field)
end

local function leave_lane(id, job)
  if redis.call('ZREM', queue_of(job), id) == 1 then shift_cost(K.LANE_COST .. job.lane, -job.cost) end
  if not job.apart then return end
  redis.call('ZREM', ages_key(job.lane, wants(job)), id)
  redis.call('HDEL', K.JOB .. id, 'apart')
  job.apart = nil
end

-- Whose a running job is: requester, tenant, lane, cost. Kept beside the running set, so that a damaged hash frees the
-- counts all the same.
local function holder(id)
  return string.match(redis.call('HGET', K.HOLDERS, id) or '', '^([^\n]*)\n([^\n]*)\n([^\n]*)\n(.*)$')
end

-- The jobs that a worker holds.
local function held_by(worker)
  local found = {}
  for _, id in ipairs(redis.call('ZRANGE', K.RUNNING, 0, -1)) do
    if redis.pcall('HGET', K.JOB .. id, 'worker') == worker then found[#found + 1] = id end
  end
  return found
end

local function leave_running(id)
  redis.call('ZREM', K.RUNNING, id)
  redis.call('HDEL', K.ALONE, id)
  redis.pcall('HDEL', K.JOB .. id, 'lease')
  local requester, tenant, lane, cost = holder(id)
  if not requester then return end
  redis.call('HDEL', K.HOLDERS, id)
  shift_count('user ' .. requester, -1)
  shift_count('tenant ' .. tenant, -1)
  shift_count('lane ' .. lane, -1)
  shift_cost(K.BUSY_COST .. lane, -number(cost, 0))
end

-- The in-flight sets that a job is in: '*' stands for its kind and requester.
local function in_flight_sets(releases, kind, requester)
  local own, names = (kind or '') .. ':' .. (requester or ''), {}
  for name in string.gmatch(releases or '', '[^\n]+') do
    names[#names + 1] = string.gsub(name, '%*', function() return own end)
  end
  return names
end

-- What ended is noted for the recorder with what it asked for, where one is at work or will be back.
local function note(id)
  if redis.call('EXISTS', K.RECORDING) == 0 then return end
  local payload = redis.pcall('GET', K.PAYLOAD .. id)
  if type(payload) ~= 'string' then payload = redis.pcall('GET', K.ASIDE_PAYLOAD .. id) end
  redis.call('XADD', K.RECORD, '*', 'job', id, 'payload', type(payload) == 'string' and payload or '')
end

-- Let an asker know: the outcome with the job, the event for its platform's courier, the limits free again.
local function tell(id, job, status, outcome, keep)
  local key, now, platform = K.JOB .. id, clock(), platform_of(job)
  redis.call('HSET', key, 'state', status, 'outcome', outcome, 'finished', now)
  note(id)
  redis.call('DEL', K.PAYLOAD .. id)
  redis.call('EXPIRE', key, keep)
  settle_files(id, job.requester, status, outcome, now)
  for _, name in ipairs(in_flight_sets(job.releases, job.kind, job.requester)) do redis.call('ZREM', name, id) end
  local minute = K.MINUTE .. math.floor(now / 60000)
  redis.call('HINCRBY', minute, (job.kind or '?') .. '|' .. status, 1)
  redis.call('EXPIRE', minute, 7200)
  if job.group then return member_ended(id, job, status, outcome, keep, now, tell) end
  if not platform then return end
  redis.call('SREM', K.TICKETS .. platform, id)
  if platform == 'console' or platform == 'web' then  -- no courier: whoever is there looks
    redis.call('XADD', K.OUTCOMES .. platform, 'MAXLEN', '~', 1000, '*', 'job', id)
  else
    redis.call('XADD', K.OUTCOMES .. platform, '*', 'job', id)
  end
end

-- The jobs that wait for this one's outcome, as {id, job}, without those that ended by themselves; the list is taken away.
local function take_followers(id)
  local found, listed = {}, redis.call('LRANGE', K.FOLLOWERS .. id, 0, -1)
  for _, follower in ipairs(listed) do
    local job = facts(follower)
    if job.state == 'waiting' and job.leader == id then found[#found + 1] = {follower, job} end
  end
  if #listed > 0 then redis.call('DEL', K.FOLLOWERS .. id) end
  return found
end

-- One of those that wait for a job takes its place, and the others wait for that one. False if there is none.
local function promote(id, job)
  local followers = take_followers(id)
  if #followers == 0 then return false end
  local heir, own = unpack(table.remove(followers, 1))
  own.lane, own.place = job.lane, job.place
  redis.call('HSET', K.JOB .. heir, 'lane', job.lane)
  if job.kills > own.kills then redis.call('HSET', K.JOB .. heir, 'kills', job.kills) end
  if job.place >= 0 then  -- an admin's bump is outside the fair order
    charge(job.lane, band_of(job.place), job.requester, job.weight, -job.cost)
    charge(job.lane, band_of(job.place), own.requester, own.weight, own.cost)
  end
  for _, follower in ipairs(followers) do
    redis.call('HSET', K.JOB .. follower[1], 'leader', heir)
    redis.call('RPUSH', K.FOLLOWERS .. heir, follower[1])
  end
  if own.same then stand_for(own.same, heir) end
  return_to(heir, own)
  return true
end

-- The job ended: it and those that waited for it are told.
local function conclude(id, job, status, outcome, keep)
  stand_down(id, job)
  if job.state == 'waiting' or job.state == 'running' then
    tell(id, job, status, outcome, keep)
  else
    redis.call('EXPIRE', K.JOB .. id, keep)
  end
  for _, follower in ipairs(take_followers(id)) do tell(follower[1], follower[2], status, outcome, keep) end
end

-- A ticket that is shown is kept up to date while its job waits: a reply address without a message has none.
local function watch_ticket(id, job)
  local platform = platform_of(job)
  local shown = string.find(redis.call('HGET', K.JOB .. id, 'reply') or '', '"message":"', 1, true)
  if platform and shown then redis.call('SADD', K.TICKETS .. platform, id) end
end

-- A running job goes back to its place. One that its asker has left lives on in somebody who waits for it, and one that
-- was to be cancelled ends here. True if it waits again.
local function give_back(id, job)
  leave_running(id)
  local said = job.state == 'running' and redis.call('HGET', K.JOB .. id, 'cancel')
  local keep, outcome = string.match(said or '', '^(%d+)\n(.*)$')
  if keep then
    conclude(id, job, 'cancelled', outcome, keep)
    return false
  end
  if job.state == 'running' then
    return_to(id, job)
    watch_ticket(id, job)
    return true
  end
  if not promote(id, job) then stand_down(id, job) end
  return false
end

-- The progress of a job that waits again, as the codec writes it.
local function tell_of_retry(id, job, try)
  local platform = platform_of(job)
  if job.state ~= 'running' or not platform then return end
  local note = 'Its worker stopped; it is tried again (' .. try .. ' of ' .. KILLS .. ').'
  redis.call('PUBLISH', K.PROGRESS .. platform, cjson.encode({v = 1, d = {job_id = id, waiting = true, note = note}}))
end

-- A worker died over this job: it goes back, or is given up and kept aside for the admins. Returns 1 if given up.
local function survive(id, job, reason, keep)
  local kills = job.kills + 1
  job.kills = kills
  redis.call('HSET', K.JOB .. id, 'kills', kills)
  if kills < KILLS then
    if give_back(id, job) then tell_of_retry(id, job, kills + 1) end
    return 0
  end
  leave_running(id)
  if redis.call('EXISTS', K.PAYLOAD .. id) == 1 then  -- it is gone where its asker has left
    redis.call('ZADD', K.ASIDE, clock(), id)
    redis.call('RENAME', K.PAYLOAD .. id, K.ASIDE_PAYLOAD .. id)
    redis.call('EXPIRE', K.ASIDE_PAYLOAD .. id, keep)
  end
  conclude(id, job, 'failed', reason, keep)
  return 1
end
