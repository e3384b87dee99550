-- Leaderboards. An outcome's `ranking` says where its job stands: `place` (smaller is better) and, in words, `said`; and
-- which board its configuration enters, where one is named.

local RANKS_KEPT = 31536000  -- seconds after its last entry for which a board is kept

-- What an outcome says of its rank; nil where it says nothing, or nothing that can be read.
local function ranking_of(outcome)
  if not string.find(outcome, '"ranking":{', 1, true) then return nil end
  local read, said = pcall(cjson.decode, outcome)
  local ranking = read and type(said) == 'table' and type(said.d) == 'table' and said.d.ranking
  if type(ranking) ~= 'table' or type(ranking.place) ~= 'number' then return nil end
  return ranking
end

-- A key that holds something else than it should is thrown away: an error here would hold up a job's end.
local function surely(command, key, ...)
  local said = redis.pcall(command, key, ...)
  if type(said) ~= 'table' or not said.err then return said end
  redis.call('DEL', key)
  return redis.call(command, key, ...)
end

-- Enter what a requester's job came to: its requester, its id and the time (ms), one a line, and then the entry itself. The
-- first entry of a configuration stays. Returns its rank, 1 being the best, or 0 if it is not among those kept.
local function enter_ranking(id, requester, ranking, now)
  if type(ranking.board) ~= 'string' or ranking.board == '' then return 0 end
  local board = ranking.board .. ':' .. tostring(ranking.edition)
  local places, entries, own = K.BOARD .. board, K.ENTRIES .. board, tostring(ranking.configuration)
  surely('HSET', K.BOARDS, ranking.board, tostring(ranking.edition))
  if surely('ZADD', places, 'NX', string.format('%.0f', ranking.place), own) == 1 then
    local entry = {requester, id, string.format('%.0f', now), tostring(ranking.entry)}
    surely('HSET', entries, own, table.concat(entry, '\n'))
  end
  for _, beyond in ipairs(redis.call('ZRANGE', places, RANKED, -1)) do
    redis.call('ZREM', places, beyond)
    surely('HDEL', entries, beyond)
  end
  redis.call('EXPIRE', places, RANKS_KEPT)
  redis.call('EXPIRE', entries, RANKS_KEPT)
  local rank = redis.call('ZRANK', places, own)
  return rank and rank + 1 or 0
end
