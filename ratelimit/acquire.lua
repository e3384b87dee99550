-- Charge all rules or none; see policy.py, whose arithmetic this repeats operation by operation.
-- KEYS: one a rule. ARGV: the time ('' for the server's), the slack, the spare life of keys in ms, the member,
--   then four a rule: 'rate', burst, per second, cost  or  'flight', limit, lifetime, ''.
-- Returns {the number of the refusing rule or 0, its wait as text or ''}.
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] + time[2] / 1000000
end
local slack, spare, member = tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]

local function exact(number) return string.format('%.17g', number) end
local function milliseconds(seconds) return string.format('%.0f', math.ceil(seconds * 1000) + spare) end

local refusing, severity, longest = 0, -1, 0
local function refuse(rule, how, wait)
  if how > severity or (how == severity and wait > longest) then
    refusing, severity, longest = rule, how, wait
  end
end

for rule, key in ipairs(KEYS) do
  if ARGV[5 + 4 * (rule - 1)] == 'flight' and tonumber(redis.call('ZSCORE', key, member) or '0') > now then
    return {0, ''}
  end
end

local charged = {}
for rule, key in ipairs(KEYS) do
  local at = 5 + 4 * (rule - 1)
  if ARGV[at] == 'rate' then
    local burst, per_second, cost = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
    local tat = tonumber(redis.call('GET', key) or now)
    charged[rule] = math.max(tat, now) + cost / per_second
    local wait = charged[rule] - burst / per_second - now
    if cost > burst then
      refuse(rule, 2, 0)
    elseif wait > slack then
      refuse(rule, 0, wait)
    end
  else
    redis.call('ZREMRANGEBYSCORE', key, '-inf', exact(now))
    if redis.call('ZCARD', key) >= tonumber(ARGV[at + 1]) then refuse(rule, 1, 0) end
  end
end
if refusing > 0 then
  return {refusing, severity == 0 and exact(longest) or ''}
end

for rule, key in ipairs(KEYS) do
  local at = 5 + 4 * (rule - 1)
  if charged[rule] then
    redis.call('SET', key, exact(charged[rule]), 'PX', milliseconds(charged[rule] - now))
  else
    local lifetime = tonumber(ARGV[at + 2])
    redis.call('ZADD', key, exact(now + lifetime), member)
    local last = redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')
    redis.call('PEXPIRE', key, milliseconds(tonumber(last[2]) - now))
  end
end
return {0, ''}
