-- ARGV: lane, id ('' for the end of the lane), for how long a heartbeat counts in ms.
-- Returns rank (or -1), waiting, workers, median and 90th percentile of the wait in seconds, waiting cost.
local id = ARGV[2]
if id ~= '' then
  local leader = redis.pcall('HGET', K.JOB .. id, 'leader')
  if type(leader) == 'string' then id = leader end
end
local waiting = redis.call('ZCARD', K.LANE .. ARGV[1])
local rank = redis.call('ZRANK', K.LANE .. ARGV[1], id)
local base, workers = base_wait(ARGV[1], rank or waiting, waiting, ARGV[3])
local median, high = corrected(ARGV[1], base)
return {
  rank or -1, waiting, workers, string.format('%.3f', median), string.format('%.3f', high),
  redis.call('GET', K.LANE_COST .. ARGV[1]) or '0'
}
