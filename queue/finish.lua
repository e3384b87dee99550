-- ARGV: id, lease, status, outcome, seconds to keep, measured device-seconds, model, seconds for which the result is
-- fresh (0: it answers nobody else). Returns 1, also where that is done already, or 0 for who lost the lease.
local id, status = ARGV[1], ARGV[3]
local job, measured = facts(id), tonumber(ARGV[6])
if job.state == status and redis.call('HGET', K.JOB .. id, 'outcome') == ARGV[4] then return 1 end  -- sent twice
if not job.lease or job.lease ~= ARGV[2] then return 0 end
leave_running(id)
if status == 'expired' and job.state == 'running' then
  -- Those that came later have not waited too long themselves.
  tell(id, job, status, ARGV[4], ARGV[5])
  if not promote(id, job) then stand_down(id, job) end
  return 1
end
conclude(id, job, status, ARGV[4], ARGV[5])
if measured > 0 and job.place >= 0 then  -- what it really took is what its requester is charged
  charge(job.lane, band_of(job.place), job.requester, job.weight, measured - job.cost)
end
if status ~= 'done' then return 1 end
local ranking = job.private ~= '1' and ranking_of(ARGV[4])
if ranking then enter_ranking(id, job.asker or job.requester, ranking, (clock())) end
-- Under the model that really ran: another may serve by now than when it was asked for.
if job.same and job.state == 'running' and tonumber(ARGV[8]) > 0 then
  redis.call('SET', K.FRESH .. job.same .. ':' .. ARGV[7], id, 'EX', ARGV[8])
end
if measured > 0 and job.kind and job.declared > 0 then
  local field = math.floor(math.log(job.declared) / math.log(2)) .. '|' .. ARGV[7]
  local seen = redis.call('HGET', K.SPEED .. job.kind, field) or ''
  local count, ratio = string.match(seen, '^(%d+) (.+)$')
  count = number(count, 0) + 1
  ratio = number(ratio, 1)
  ratio = ratio + math.max(0.1, 1 / count) * (measured / job.declared - ratio)
  redis.call('HSET', K.SPEED .. job.kind, field, math.min(count, 1000000) .. ' ' .. string.format('%.6g', ratio))
end
return 1
