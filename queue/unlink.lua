-- ARGV: identity. Returns those that it leaves.
return part(ARGV[1])
