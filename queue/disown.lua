-- ARGV: job. Returns how many of its files nobody holds now.
return disown_files(ARGV[1])
