-- Jobs that some worker cannot run. What a job wants is a line of words: its kind, what it needs beside that, and the
-- bytes of memory that it takes at most ("train train/mnist 800000000"). Where CLAIM finds a job that its worker cannot
-- run, it moves it from the lane's common set to a set of those that want the same. So one look tells for all of them,
-- however many they are, and they hide nothing that the worker can run. Each such set is in the order of the places, has
-- the ages of its jobs beside it, and is listed in the lane's hash of virtual times ('apart', one line each).

local function wants(job)
  local line = (job.kind or '?') .. (job.needs and job.needs ~= '' and ' ' .. job.needs or '')
  return (string.gsub(line, '%c', '?'))
end

-- What a worker says of itself: the bytes of memory that a job may take (0: any), then the names of what it lacks.
local function abilities(text)
  local able = {memory = tonumber(string.match(text, '^%d+') or '') or 0, lacks = {}}
  for name in string.gmatch(text, '%S+') do able.lacks[name] = true end
  return able
end

-- Whether a worker can run what wants this; and if not, the name that it lacks (nil where it is memory).
local function can_run(able, wanted)
  for word in string.gmatch(wanted, '%S+') do
    if string.find(word, '^%d+$') then
      if able.memory > 0 and tonumber(word) > able.memory then return false end
    elseif able.lacks[word] then
      return false, word
    end
  end
  return true
end

local function lines(text)
  local found = {}
  for line in string.gmatch(text or '', '[^\n]+') do found[#found + 1] = line end
  return found
end

local function apart_key(lane, wanted) return K.APART .. lane .. ':' .. wanted end
local function ages_key(lane, wanted) return K.APART_AGES .. lane .. ':' .. wanted end

-- The set in which a job waits.
local function queue_of(job) return job.apart and apart_key(job.lane, wants(job)) or K.LANE .. job.lane end

local APART = {}  -- by lane, as far as it was read already
local function apart_in(lane)
  APART[lane] = APART[lane] or lines(redis.call('HGET', K.VIRTUAL .. lane, 'apart'))
  return APART[lane]
end

local function list_apart(lane, names)
  APART[lane] = names
  if #names > 0 then
    redis.call('HSET', K.VIRTUAL .. lane, 'apart', table.concat(names, '\n'))
  else
    redis.call('HDEL', K.VIRTUAL .. lane, 'apart')
  end
end
