-- ARGV: worker, lease in ms, what the worker says of itself, its life in ms, number of kinds, then kind and model in
-- turn, then id and lease in turn. Returns the ids whose lease was lost, and those to be cancelled.
local now, worker = clock(), ARGV[1]
redis.call('ZADD', K.WORKERS, now, worker)
redis.call('ZREMRANGEBYSCORE', K.WORKERS, '-inf', now - 3600000)
redis.call('EXPIRE', K.TURNS .. worker, 3600)
redis.call('SET', K.WORKER .. worker, ARGV[3], 'PX', ARGV[4])
local first = 6 + 2 * tonumber(ARGV[5])
for i = 6, first - 1, 2 do redis.call('HSET', K.MODELS, ARGV[i], ARGV[i + 1]) end
local lost, cancelled = {}, {}
for i = first, #ARGV, 2 do
  local f = redis.pcall('HMGET', K.JOB .. ARGV[i], 'lease', 'cancel')
  if not f.err and f[1] == ARGV[i + 1] then
    redis.call('ZADD', K.RUNNING, now + ARGV[2], ARGV[i])
    if f[2] then cancelled[#cancelled + 1] = ARGV[i] end
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return {lost, cancelled}
