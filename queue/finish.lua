-- ARGV: id, lease, status, outcome, seconds to keep, measured device-seconds, model, seconds for which the result is
-- fresh (0: it answers nobody else). Returns 1, or 0 for who lost the lease.
local id, status = ARGV[1], ARGV[3]
local f = redis.pcall('HMGET', K.JOB .. id, 'lease', 'kind', 'declared', 'same', 'place')
if f.err or not f[1] or f[1] ~= ARGV[2] then return 0 end
local job, measured = facts(id), tonumber(ARGV[6])
leave_running(id)
if f[4] and redis.call('GET', K.SAME .. f[4]) == id then redis.call('DEL', K.SAME .. f[4]) end
if status == 'expired' and job.state == 'running' then
  -- Those that came later have not waited too long themselves.
  tell(id, status, ARGV[4], ARGV[5])
  promote(id, job)
  return 1
end
if status == 'failed' and measured == 0 and job.state == 'cancelled' and promote(id, job) then
  return 1  -- its asker left before it was read, and took the request along: somebody who waits for it has it, too
end
conclude(id, job, status, ARGV[4], ARGV[5])
if measured > 0 and f[5] and job.place >= 0 then  -- what it really took is what its requester is charged
  charge(job.lane, band_of(job.place), job.requester, job.weight, measured - job.cost)
end
if status ~= 'done' then return 1 end
-- Under the model that really ran: another may serve by now than when it was asked for.
if f[4] and job.state == 'running' and tonumber(ARGV[8]) > 0 then
  redis.call('SET', K.FRESH .. f[4] .. ':' .. ARGV[7], id, 'EX', ARGV[8])
end
if measured > 0 then
  local declared = number(f[3], 0)
  if f[2] and declared > 0 then
    local field = math.floor(math.log(declared) / math.log(2)) .. '|' .. ARGV[7]
    local seen = redis.call('HGET', K.SPEED .. f[2], field) or ''
    local count, ratio = string.match(seen, '^(%d+) (.+)$')
    count = number(count, 0) + 1
    ratio = number(ratio, 1)
    ratio = ratio + math.max(0.1, 1 / count) * (measured / declared - ratio)
    redis.call('HSET', K.SPEED .. f[2], field, math.min(count, 1000000) .. ' ' .. string.format('%.6g', ratio))
  end
end
return 1
