-- ARGV: who, reason, requester, tier ('' for what the limits file says). Returns 1 if that changed anything.
local before = redis.call('HGET', K.TIERS, ARGV[3]) or ''
if before == ARGV[4] then return 0 end
if ARGV[4] == '' then
  redis.call('HDEL', K.TIERS, ARGV[3])
else
  redis.call('HSET', K.TIERS, ARGV[3], ARGV[4])
end
note(ARGV[1], 'tier', ARGV[3], ARGV[2], ARGV[4] == '' and 'default' or ARGV[4])
return 1
