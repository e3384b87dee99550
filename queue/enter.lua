-- ARGV: data set, hash of its content, configuration, place (smaller is better), entry, how many are kept, seconds to keep
-- them. The first entry of a configuration stays. Returns its rank, 1 being the best, or 0 if it is not among them.
local board = ARGV[1] .. ':' .. ARGV[2]
local places, entries = K.BOARD .. board, K.ENTRIES .. board
redis.call('HSET', K.BOARDS, ARGV[1], ARGV[2])
if redis.call('ZADD', places, 'NX', ARGV[4], ARGV[3]) == 1 then redis.call('HSET', entries, ARGV[3], ARGV[5]) end
for _, beyond in ipairs(redis.call('ZRANGE', places, ARGV[6], -1)) do
  redis.call('ZREM', places, beyond)
  redis.call('HDEL', entries, beyond)
end
redis.call('EXPIRE', places, ARGV[7])
redis.call('EXPIRE', entries, ARGV[7])
local rank = redis.call('ZRANK', places, ARGV[3])
return rank and rank + 1 or 0
