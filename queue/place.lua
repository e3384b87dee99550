-- ARGV: lane, id ('' for the end of the lane), for how long a heartbeat counts in ms. Returns where it stands.
local id = ARGV[2]
if id ~= '' then
  local leader = redis.pcall('HGET', K.JOB .. id, 'leader')
  if type(leader) == 'string' then id = leader end
end
return (standing(ARGV[1], redis.call('ZRANK', K.LANE .. ARGV[1], id), ARGV[3]))
