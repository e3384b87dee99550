-- ARGV: lane, id ('' for the end of the lane), for how long a heartbeat counts in ms. Returns where it stands.
local id = ARGV[2]
if id ~= '' then
  local f = redis.pcall('HMGET', K.JOB .. id, 'leader', 'members')
  if type(f[1]) == 'string' then id = f[1] end
  if type(f[2]) == 'string' then id = first_member(id, ARGV[1]) or id end
end
return (standing(ARGV[1], redis.call('ZRANK', K.LANE .. ARGV[1], id), ARGV[3]))
