-- ARGV: id, outcome, seconds to keep, who, reason. Noted where it was somebody else's job.
local owner = facts(ARGV[1]).requester
local result = cancel(ARGV[1], '', ARGV[2], ARGV[3])
if owner ~= ARGV[4] and (result == 'cancelled' or result == 'stopping') then note(ARGV[4], 'cancel', ARGV[1], ARGV[5]) end
return result
