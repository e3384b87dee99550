-- Under whom a job counts, moved to somebody else.

local function rename_holder(id, requester, tenant)
  local before, their_tenant, lane, cost = holder(id)
  if not before then return end
  shift_count('user ' .. before, -1)
  shift_count('tenant ' .. their_tenant, -1)
  shift_count('user ' .. requester, 1)
  shift_count('tenant ' .. tenant, 1)
  redis.call('HSET', K.HOLDERS, id, table.concat({requester, tenant, lane, cost}, '\n'))
end

local function rename_files(id, requester)
  local before, hashes, kind = file_entry(id)
  if not before then return end
  local since = redis.call('ZSCORE', K.OBJECTS_OF .. before, id)
  write_file_entry(id, requester, kind, hashes)
  redis.call('ZREM', K.OBJECTS_OF .. before, id)
  if since then redis.call('ZADD', K.OBJECTS_OF .. requester, since, id) end
end

local function rename(id, requester)
  local job = facts(id)
  if not job.state then return end
  local theirs = in_flight_sets(job.releases, job.kind, requester)
  for i, name in ipairs(in_flight_sets(job.releases, job.kind, job.requester)) do
    local until_then = redis.call('ZSCORE', name, id)
    if until_then then
      redis.call('ZADD', theirs[i], until_then, id)
      redis.call('PEXPIRE', theirs[i], math.max(1, redis.call('PTTL', name)))
      redis.call('ZREM', name, id)
    end
  end
  rename_holder(id, requester, job.tenant)
  rename_files(id, requester)
  redis.call('HSET', K.JOB .. id, 'requester', requester)
  redis.call('HDEL', K.JOB .. id, 'asker')
end
