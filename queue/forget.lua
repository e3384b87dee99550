-- ARGV: outcome of a job that is cancelled, seconds to keep, how many platforms there are, their names, then ids of jobs,
-- of which nothing is to be left. Returns, one after the other, each file that one of them held, and since when (ms).
local outcome, keep, count = ARGV[1], ARGV[2], tonumber(ARGV[3])
local held = {}

local function let_go(id)
  local _, hashes = file_entry(id)
  local since = number(redis.call('ZSCORE', K.OBJECTS, id) or '', (clock()))
  disown_files(id)
  for _, hash in ipairs(hashes) do
    held[#held + 1], held[#held + 2] = hash, exact(since)
  end
end

-- A run that others wait for goes on under its id, and says of nobody that it was theirs.
local function unname(id)
  rename_holder(id, '', '')
  redis.call(
    'HDEL', K.JOB .. id, 'requester', 'tenant', 'asker', 'reply', 'outcome', 'releases', 'sent', 'delivery', 'to', 'asked'
  )
end

local function remove(id)
  cancel(id, '', outcome, keep)
  for _, member in ipairs(redis.call('ZRANGE', K.MEMBERS .. id, 0, -1)) do remove(member) end
  local job = facts(id)
  let_go(id)
  for _, name in ipairs(in_flight_sets(job.releases, job.kind, job.requester)) do redis.call('ZREM', name, id) end
  for i = 4, 3 + count do redis.call('SREM', K.TICKETS .. ARGV[i], id) end
  redis.call('ZREM', K.ASIDE, id)
  redis.call('DEL', K.PAYLOAD .. id, K.ASIDE_PAYLOAD .. id, K.GROUP .. id, K.MEMBERS .. id)
  if redis.call('ZSCORE', K.RUNNING, id) then
    if redis.call('LLEN', K.FOLLOWERS .. id) > 0 then return unname(id) end
    leave_running(id)
    redis.call('PUBLISH', K.CANCELS, id)  -- its worker finds the lease gone, if it does not hear this
  end
  stand_down(id, job)
  redis.call('DEL', K.JOB .. id, K.FOLLOWERS .. id)
end

for i = 4 + count, #ARGV do remove(ARGV[i]) end
return held
