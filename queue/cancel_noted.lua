-- ARGV: those of cancel.lua, which is `act` here; then who, and the reason. Noted where it was somebody else's job.
local owner = facts(ARGV[1]).requester
local result = act()
if owner ~= ARGV[5] and (result == 'cancelled' or result == 'stopping') then note(ARGV[5], 'cancel', ARGV[1], ARGV[6]) end
return result
