-- ARGV: who, reason, lane, 1 to pause and 0 to resume. Returns 1 if that changed anything, and how many jobs wait there.
local who, reason, lane, pausing = ARGV[1], ARGV[2], ARGV[3], ARGV[4] == '1'
local changed = redis.call(pausing and 'SADD' or 'SREM', K.PAUSED, lane)
if changed == 1 then note(who, pausing and 'pause' or 'resume', lane, reason) end
if not pausing then redis.call('PUBLISH', K.DOORBELL, lane) end
return {changed, redis.call('ZCARD', K.LANE .. lane)}
