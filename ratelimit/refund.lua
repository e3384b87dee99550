-- Undo a charge. KEYS and ARGV as in acquire.lua.
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] + time[2] / 1000000
end
local spare, member = tonumber(ARGV[3]), ARGV[4]

for rule, key in ipairs(KEYS) do
  local at = 5 + 4 * (rule - 1)
  if ARGV[at] == 'flight' then
    redis.call('ZREM', key, member)
  else
    local tat = tonumber(redis.call('GET', key) or nil)
    if tat then
      tat = tat - tonumber(ARGV[at + 3]) / tonumber(ARGV[at + 2])
      if tat > now then
        local life = string.format('%.0f', math.ceil((tat - now) * 1000) + spare)
        redis.call('SET', key, string.format('%.17g', tat), 'PX', life)
      else
        redis.call('DEL', key)
      end
    end
  end
end
return 0
