-- ARGV: worker that is dead, seconds to keep, outcome of a job that is given up, 1 if its jobs may be to blame. Frees
-- what it held, at once.
-- Returns the ids that went back, and those given up.
local back, given_up = {}, {}
for _, id in ipairs(redis.call('ZRANGE', K.RUNNING, 0, -1)) do
  local holder = redis.pcall('HGET', K.JOB .. id, 'worker')
  if holder == ARGV[1] then
    if ARGV[4] == '0' then
      give_back(id, facts(id))
      back[#back + 1] = id
    else
      local list = survive(id, facts(id), ARGV[3], ARGV[2]) == 1 and given_up or back
      list[#list + 1] = id
    end
  end
end
redis.call('ZREM', K.WORKERS, ARGV[1])
redis.call('HDEL', K.HOLDERS, 'alone ' .. ARGV[1])
redis.call('SREM', K.DRAINED, ARGV[1])
redis.call('DEL', K.WORKER .. ARGV[1])
return {back, given_up}
