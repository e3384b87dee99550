-- ARGV: identity, the hash of the code that it entered, wrong codes that it may enter, seconds after which it may again,
-- identities that a person may have, 1 to look only, which keeps the code for whoever looked. Returns what came of it (`accounts.Linking`), whose code it is (''
-- if it is wrong), and the seconds to wait.
local me, tries = ARGV[1], K.LINK_TRIES .. ARGV[1]
if number(redis.call('GET', tries), 0) >= tonumber(ARGV[3]) then return {'tired', '', redis.call('TTL', tries)} end
local giver, first = unpack(lines(redis.call('GET', K.LINK .. ARGV[2])))
if not giver or first and first ~= me then
  if redis.call('INCR', tries) == 1 then redis.call('EXPIRE', tries, ARGV[4]) end
  return {'wrong', '', 0}
end
if giver == me then return {'self', giver, 0} end
local _, own = identities_of(me)
local account, all = identities_of(giver)
for _, each in ipairs(all) do
  if each == me then return {'together', giver, 0} end
end
if #own > 1 then return {'elsewhere', giver, 0} end
if #all >= tonumber(ARGV[5]) then return {'full', giver, 0} end
if ARGV[6] == '1' then  -- whoever reads it over their shoulder comes too late from now on
  redis.call('SET', K.LINK .. ARGV[2], giver .. '\n' .. me, 'KEEPTTL')
else
  redis.call('GETDEL', K.LINK .. ARGV[2])
  redis.call('DEL', K.LINKING .. giver)
  all[#all + 1] = me
  join(account, all)
end
return {'linked', giver, 0}
