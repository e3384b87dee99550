-- Groups: one request that is many jobs, its members. They wait and run like all others, and are told of to nobody: each
-- end is noted with the group, whose own outcome comes with the last of them. No worker ever takes the group itself.
-- `fd:members:ID` lists a group's members, and `fd:group:ID` how each ended that has: its status and its place.

local GROUP_BEST = 5  -- members whose whole outcomes are part of the group's

-- A group by the fields of its hash, or nil where it has ended, or is none.
local function open_group(id)
  local f = redis.pcall('HMGET', K.JOB .. id, 'state', 'members', 'requester', 'kind', 'releases', 'to')
  if f.err or (f[1] ~= 'waiting' and f[1] ~= 'running') then return nil end
  return {
    state = f[1], members = tonumber(f[2] or '') or 0, requester = f[3] or '', kind = f[4] or '',
    releases = f[5] or '', to = f[6] or nil
  }
end

-- How many of a group's members ended, how many in each way, and the ids of those that are done, the best first.
local function ends_of(id)
  local flat, ended, ways, best, places = redis.pcall('HGETALL', K.GROUP .. id), 0, {}, {}, {}
  for i = 1, #flat, 2 do
    local status, place = string.match(flat[i + 1], '^(%a+) (.+)$')
    ended, ways[status or 'failed'] = ended + 1, (ways[status or 'failed'] or 0) + 1
    if status == 'done' then best[#best + 1], places[flat[i]] = flat[i], tonumber(place) or math.huge end
  end
  table.sort(best, function(a, b)
    if places[a] ~= places[b] then return places[a] < places[b] end
    return a < b
  end)
  return ended, ways, best
end

local function outcome_of(id)
  local outcome = redis.pcall('HGET', K.JOB .. id, 'outcome')
  local read, said = pcall(cjson.decode, type(outcome) == 'string' and outcome or '')
  if read and type(said) == 'table' and type(said.d) == 'table' then return outcome, said.d end
  return nil, {}
end

-- "7 of 12 ended, 1 without a result; the best so far: 97.2 %"
local function words_for(group, ended, best)
  local words = ended .. ' of ' .. group.members .. ' ended'
  if ended > #best then words = words .. ', ' .. (ended - #best) .. ' without a result' end
  local _, said = outcome_of(best[1] or '')
  if type(said.ranking) == 'table' and type(said.ranking.said) == 'string' then
    words = words .. '; the best so far: ' .. said.ranking.said
  end
  return words
end

-- The group's progress, as the codec writes it.
local function tell_of_group(id, group, ended, best)
  local platform = group.to or string.match(group.requester, '^([^:]+):')
  if not platform then return end
  redis.call('SREM', K.TICKETS .. platform, id)
  local news = {job_id = id, fraction = ended / math.max(group.members, 1), note = words_for(group, ended, best)}
  redis.call('PUBLISH', K.PROGRESS .. platform, cjson.encode({v = 1, d = news}))
end

local function member_started(id, now)
  local group = id and open_group(id)
  if not group or group.state ~= 'waiting' then return end
  redis.call('HSET', K.JOB .. id, 'state', 'running', 'started', now)
  local ended, _, best = ends_of(id)
  tell_of_group(id, group, ended, best)
end

local function forget_ends(id, keep)
  redis.call('EXPIRE', K.GROUP .. id, keep)
  redis.call('EXPIRE', K.MEMBERS .. id, keep)
end

-- The outcome of a group whose members have all ended, as the codec writes it, and its status. It holds the files of the
-- best. Outcomes of members stand in it as they are: to read and write them again would lose digits.
local function group_outcome(group, ways, best, ends, seconds)
  if #best > 0 then
    local parts, files = {}, {}
    for i = 1, math.min(#best, GROUP_BEST) do
      local outcome = outcome_of(best[i])
      if outcome then
        parts[#parts + 1] = '{"job_id":' .. cjson.encode(best[i]) .. ',"outcome":' .. outcome .. '}'
        if #parts == 1 then files = files_of(outcome) end
      end
    end
    local held = #files > 0 and ',"files":' .. cjson.encode(files) or ''
    return 'done', string.format(
      '{"v":1,"d":{"status":"done","seconds":%.3f%s,"result":{"members":%d,"done":%d,"best":[%s]}}}',
      seconds, held, group.members, #best, table.concat(parts, ',')
    )
  end
  local status = ways.failed and 'failed' or ways.expired and 'expired' or 'cancelled'
  local reason = 'None of the ' .. group.members .. ' came to a result.'
  for i = 1, #ends, 2 do
    local _, said = outcome_of(ends[i])
    if said.status == status and type(said.reason) == 'string' then
      reason = reason .. ' ' .. said.reason
      break
    end
  end
  return status, cjson.encode({v = 1, d = {status = status, seconds = seconds, reason = reason}})
end

-- A member ended. The last of them ends its group, in the same step. `tell` is that of common.lua.
local function member_ended(id, job, status, outcome, keep, now, tell)
  local group_id, group = job.group, open_group(job.group)
  if not group then return end
  local ranking = status == 'done' and ranking_of(outcome)
  surely('HSET', K.GROUP .. group_id, id, status .. ' ' .. (ranking and string.format('%.17g', ranking.place) or 'inf'))
  redis.call('HSET', K.JOB .. group_id, 'state', 'running')
  if job.leader then redis.call('HSETNX', K.JOB .. group_id, 'started', now) end  -- else it ran, or was known already
  local ended, ways, best = ends_of(group_id)
  if ended < group.members then return tell_of_group(group_id, group, ended, best) end
  local submitted = tonumber(redis.call('HGET', K.JOB .. group_id, 'submitted') or '') or now
  local ends = redis.call('HGETALL', K.GROUP .. group_id)
  local said, own = group_outcome(group, ways, best, ends, math.max(0, now - submitted) / 1000)
  tell(group_id, group, said, own, keep)
  forget_ends(group_id, keep)
end

-- Cancel a group with all its members. `tell` is that of common.lua, `cancel` that of cancelling.lua.
local function cancel_group(id, keep, tell, cancel)
  local group = open_group(id)
  if not group then return 'ended' end
  local ended, _, best = ends_of(id)
  local said = {status = 'cancelled', reason = ended > 0 and words_for(group, ended, best) .. '.' or nil}
  tell(id, group, 'cancelled', cjson.encode({v = 1, d = said}), keep)  -- first, so that no member's end ends it
  for _, member in ipairs(redis.call('ZRANGE', K.MEMBERS .. id, 0, -1)) do
    cancel(member, '', '{"v":1,"d":{"status":"cancelled"}}', keep)
  end
  forget_ends(id, keep)
  return 'cancelled'
end
