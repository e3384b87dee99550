-- ARGV: data set, or '' for all. Returns the entries of their present boards.
local found = {}
for _, name in ipairs(ARGV[1] ~= '' and {ARGV[1]} or redis.call('HKEYS', K.BOARDS)) do
  local hash = redis.call('HGET', K.BOARDS, name)
  if hash then
    for _, entry in ipairs(redis.call('HVALS', K.ENTRIES .. name .. ':' .. hash)) do found[#found + 1] = entry end
  end
end
return found
