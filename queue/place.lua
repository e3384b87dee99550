-- ARGV: lane, id ('' for the end of the lane), for how long a heartbeat counts in ms. Returns where it stands.
local lane, id, job = ARGV[1], ARGV[2], nil
if id ~= '' then
  local f = redis.pcall('HMGET', K.JOB .. id, 'leader', 'kind', 'needs', 'apart')
  if f.err then f = {} end
  job = {lane = lane, kind = f[2], needs = f[3], apart = f[4]}
  if f[1] then  -- both want the same
    id = f[1]
    local apart = redis.pcall('HGET', K.JOB .. id, 'apart')
    job.apart = type(apart) == 'string' and apart
  end
end
return (standing(lane, id, job, ARGV[3]))
