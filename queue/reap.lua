-- ARGV: worker that is dead, seconds to keep, outcome of a job that is given up, 1 if its jobs may be to blame. Frees
-- what it held, at once. Returns the ids that went back, and those given up.
local back, given_up = {}, {}
for _, id in ipairs(held_by(ARGV[1])) do
  local job, list = facts(id), back
  if ARGV[4] == '0' then
    give_back(id, job)
  elseif survive(id, job, ARGV[3], ARGV[2]) == 1 then
    list = given_up
  end
  list[#list + 1] = id
end
redis.call('ZREM', K.WORKERS, ARGV[1])
for _, lane in ipairs(redis.call('SMEMBERS', K.LANES)) do redis.call('HDEL', K.IDLE .. lane, ARGV[1]) end
redis.call('SREM', K.DRAINED, ARGV[1])
redis.call('DEL', K.WORKER .. ARGV[1], K.TURNS .. ARGV[1])
return {back, given_up}
