-- Which files are whose. A job's entry is its requester and its kind, and then the hashes of its files, one a line; each
-- hash has the set of the jobs that hold it, and may be deleted by a sweep when that is empty.

local function file_entry(id)
  local said = redis.pcall('GET', K.FILES .. id)
  if type(said) ~= 'string' then return nil, {}, '' end
  local requester, kind = string.match(said, '^([^ \n]*) ?([^\n]*)')
  local hashes = {}
  for hash in string.gmatch(said, '\n(%x+)') do hashes[#hashes + 1] = hash end
  return requester, hashes, kind
end

local function write_file_entry(id, requester, kind, hashes)
  redis.call('SET', K.FILES .. id, requester .. ' ' .. kind .. '\n' .. table.concat(hashes, '\n'))
end

-- A job holds these files, beside those that it held before (`now` in ms).
local function own_files(id, requester, kind, hashes, now)
  local _, all = file_entry(id)
  local seen = {}
  for _, hash in ipairs(all) do seen[hash] = true end
  for _, hash in ipairs(hashes) do
    if type(hash) == 'string' and #hash == 64 and string.find(hash, '^%x+$') and not seen[hash] then
      all[#all + 1], seen[hash] = hash, true
    end
  end
  if #all == 0 then return end
  for _, hash in ipairs(all) do redis.call('SADD', K.OWNERS .. hash, id) end
  write_file_entry(id, requester, kind or '', all)
  redis.call('ZADD', K.OBJECTS, now, id)
  redis.call('ZADD', K.OBJECTS_OF .. requester, now, id)
end

-- A job holds what it is asked with, which its hash names one a line.
local function own_asked(id, requester, kind, asked, now)
  local hashes = {}
  for hash in string.gmatch(asked or '', '%x+') do hashes[#hashes + 1] = hash end
  if #hashes > 0 then own_files(id, requester, kind, hashes, now) end
end

-- A job holds no files any more. Returns how many of them nobody holds now.
local function disown_files(id)
  local requester, hashes = file_entry(id)
  local free = 0
  for _, hash in ipairs(hashes) do
    redis.call('SREM', K.OWNERS .. hash, id)
    if redis.call('EXISTS', K.OWNERS .. hash) == 0 then free = free + 1 end
  end
  redis.call('ZREM', K.OBJECTS, id)
  if requester then redis.call('ZREM', K.OBJECTS_OF .. requester, id) end
  redis.call('DEL', K.FILES .. id)
  return free
end

-- The hashes that an outcome names; most outcomes name none, and are not read for it.
local function files_of(outcome)
  if not string.find(outcome, '"files":[', 1, true) then return {} end
  local read, said = pcall(cjson.decode, outcome)
  local files = read and type(said) == 'table' and type(said.d) == 'table' and said.d.files
  return type(files) == 'table' and files or {}
end

-- A job ended: it holds what its outcome names, beside what it was asked with, or nothing where it made nothing.
local function settle_files(id, requester, kind, status, outcome, now)
  if status == 'done' then
    local files = files_of(outcome)
    if #files > 0 then own_files(id, requester or '', kind, files, now) end
  elseif redis.call('EXISTS', K.FILES .. id) == 1 then
    disown_files(id)
  end
end

-- Whether all files that an outcome names are held by somebody: only then may it answer another request.
local function files_are_kept(outcome)
  for _, hash in ipairs(files_of(outcome)) do
    if redis.call('EXISTS', K.OWNERS .. tostring(hash)) == 0 then return false end
  end
  return true
end
