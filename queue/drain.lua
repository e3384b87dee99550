-- ARGV: who, reason, worker, 1 to drain and 0 to let it take jobs again. Returns 1 if that changed anything (-1 where
-- the worker is gone), and how many jobs it runs.
local who, reason, worker, draining = ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1'
for _, name in ipairs(redis.call('SMEMBERS', K.DRAINED)) do  -- those that left will never be asked again
  if not redis.call('ZSCORE', K.WORKERS, name) then redis.call('SREM', K.DRAINED, name) end
end
if not redis.call('ZSCORE', K.WORKERS, worker) then return {-1, 0} end
local changed = redis.call(draining and 'SADD' or 'SREM', K.DRAINED, worker)
if changed == 1 then note(who, draining and 'drain' or 'undrain', worker, reason) end
if not draining then
  for _, lane in ipairs(redis.call('SMEMBERS', K.LANES)) do redis.call('PUBLISH', K.DOORBELL, lane) end
end
return {changed, #held_by(worker)}
