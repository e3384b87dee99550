-- ARGV: id, requester ('' for an admin), outcome, seconds to keep.
return cancel(ARGV[1], ARGV[2], ARGV[3], ARGV[4])
