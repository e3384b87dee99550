-- What admins do is written down in the same step that does it. Times are the entries' ids: the server's clock.

local ENTRIES = 10000      -- kept, about

local function note(who, action, target, reason, detail)
  redis.call(
    'XADD', K.AUDIT, 'MAXLEN', '~', ENTRIES, '*',
    'who', who, 'action', action, 'target', target, 'reason', reason, 'detail', detail or ''
  )
end

-- Of the jobs kept aside, those whose request has expired leave the set.
local function forget_lost()
  for _, id in ipairs(redis.call('ZRANGE', K.ASIDE, 0, -1)) do
    if redis.call('EXISTS', K.ASIDE_PAYLOAD .. id) == 0 then redis.call('ZREM', K.ASIDE, id) end
  end
end
