-- ARGV: who, reason, id. The request of a job that was kept aside is forgotten. Returns 1, or 0 if it is not kept aside.
forget_lost()
if redis.call('ZREM', K.ASIDE, ARGV[3]) == 0 then return 0 end
redis.call('DEL', K.ASIDE_PAYLOAD .. ARGV[3])
note(ARGV[1], 'drop', ARGV[3], ARGV[2])
return 1
