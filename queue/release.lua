-- ARGV: id, lease. The job goes back to its place; that it was started does not count against it.
local job = facts(ARGV[1])
if not job.lease or job.lease ~= ARGV[2] then return 0 end
give_back(ARGV[1], job)
return 1
