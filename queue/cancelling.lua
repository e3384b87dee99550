-- Cancel a job: of that requester, or anybody's for ''. Returns 'unknown', 'cancelled', 'stopping' or 'ended'.
local function cancel(id, requester, outcome, keep)
  local job = facts(id)
  if not job.state or (requester ~= '' and job.requester ~= requester) then return 'unknown' end
  if job.members then return cancel_group(id, keep, tell, cancel) end
  if job.leader and job.state == 'waiting' then
    redis.call('LREM', K.FOLLOWERS .. job.leader, 1, id)
    tell(id, job, 'cancelled', outcome, keep)
    local leader = facts(job.leader)
    if leader.state ~= 'waiting' and leader.state ~= 'running' and redis.call('LLEN', K.FOLLOWERS .. job.leader) == 0 then
      redis.call('HSET', K.JOB .. job.leader, 'cancel', 1)  -- nobody waits for that run any more
      redis.call('PUBLISH', K.CANCELS, job.leader)
    end
    return 'cancelled'
  elseif job.state == 'waiting' then
    leave_lane(id, job)
    tell(id, job, 'cancelled', outcome, keep)
    if not promote(id, job) then
      stand_down(id, job)
      if job.place >= 0 then charge(job.lane, band_of(job.place), job.requester, job.weight, -job.cost) end
    end
    return 'cancelled'
  elseif job.state == 'running' then
    if redis.call('LLEN', K.FOLLOWERS .. id) > 0 then  -- the run goes on for those who wait for it
      tell(id, job, 'cancelled', outcome, keep)
      redis.call('EXPIRE', K.JOB .. id, keep + LONGEST_RUN)  -- the run is still under its name
      return 'cancelled'
    end
    redis.call('HSET', K.JOB .. id, 'cancel', keep .. '\n' .. outcome)  -- what it ends with, should its worker die first
    redis.call('PUBLISH', K.CANCELS, id)
    return 'stopping'
  end
  return 'ended'
end
