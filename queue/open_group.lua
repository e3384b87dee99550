-- KEYS: update, the group's hash, its requester's jobs, payload. ARGV: id, updates' life, listed, seconds that it counts
-- as in flight at most, what it asks for, then the group's fields. Its members follow in the same transaction, which watches the first two keys.
local id, now, instant = ARGV[1], clock()
redis.call('SET', KEYS[1], id, 'EX', ARGV[2])
redis.call('SET', KEYS[4], ARGV[5])  -- no worker takes it: it is for the record
local fields, group = {'submitted', now, 'state', 'waiting'}, {}
for i = 6, #ARGV, 2 do
  group[ARGV[i]] = ARGV[i + 1]
  fields[#fields + 1], fields[#fields + 2] = ARGV[i], ARGV[i + 1]
end
redis.call('HSET', KEYS[2], unpack(fields))
redis.call('ZADD', KEYS[3], instant, id)
redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -ARGV[3] - 1)
redis.call('EXPIRE', KEYS[3], 30 * 86400)
for _, name in ipairs(in_flight_sets(group.releases, group.kind, group.requester)) do
  redis.call('ZADD', name, math.ceil(now / 1000) + ARGV[4], id)
  redis.call('PEXPIRE', name, ARGV[4] * 1000 + 60000)
end
return 1
