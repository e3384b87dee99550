-- ARGV: who, reason, requester, 1 to ban and 0 to lift it. Returns 1 if that changed anything.
local who, reason, requester = ARGV[1], ARGV[2], ARGV[3]
if ARGV[4] == '1' then
  local ban = {v = 1, d = {reason = reason, by = who, at = clock() / 1000}}
  redis.call('HSET', K.BANNED, requester, cjson.encode(ban))
  note(who, 'ban', requester, reason)
  return 1
end
local changed = redis.call('HDEL', K.BANNED, requester)
if changed == 1 then note(who, 'unban', requester, reason) end
return changed
