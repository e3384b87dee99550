-- ARGV: who, reason, id, its request as arq's payload. A job that was kept aside waits in its lane once more, at the end
-- of its requester's, and a second outcome is delivered. Returns 1, 0 if it is not kept aside, or -1 for a member of a group
-- that has ended: nobody would be told of its second outcome.
local id = ARGV[3]
forget_lost()
if not redis.call('ZSCORE', K.ASIDE, id) then return 0 end
local job = facts(id)
if not job.state or job.state == 'waiting' or job.state == 'running' or job.lane == '' then return 0 end
if job.group and not open_group(job.group) then return -1 end
local key, now = K.JOB .. id, clock()
if job.group then redis.call('HDEL', K.GROUP .. job.group, id) end  -- which waits for it once more
redis.call('ZREM', K.ASIDE, id)
redis.call('DEL', K.ASIDE_PAYLOAD .. id)
redis.call('SET', K.PAYLOAD .. id, ARGV[4])
redis.call('PERSIST', key)
redis.call(
  'HDEL', key, 'kills', 'outcome', 'delivery', 'sent', 'started', 'finished', 'cancel', 'promise', 'place', 'lease',
  'worker', 'leader'
)

redis.call('HSET', key, 'submitted', now, 'state', 'waiting')
own_asked(id, job.requester, job.kind, redis.call('HGET', key, 'asked') or '', now)
job.place = new_place(job, job.place < 0 and 1 or math.min(2, band_of(job.place)))
wait_at(id, job, 'RPUSH')
if job.same and not who_stands_for(job.same) then stand_for(job.same, id) end

-- The message that told of its end becomes a ticket again, which is kept up to date.
watch_ticket(id, job)
note(ARGV[1], 'requeue', id, ARGV[2])
return 1
