"""The queue's Lua scripts. Each is one atomic step in a job's life; the callers beside it give it types.

All times come from the server's clock. A job's place is its score in its lane: microseconds of the submission, kept
through every retry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from redis.asyncio import Redis

from frontdesk.queue import keys

UPDATES_KEPT = 3 * 86_400  # seconds: Telegram offers an update again for a day, a bot may be down longer
JOBS_LISTED = 50

_COMMON = f"""
local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000), t[1] * 1000000 + t[2]
end

local function shift_cost(key, amount)
  local left = tonumber(redis.call('GET', key) or '0') + amount
  if left < 0.000001 then redis.call('DEL', key) else redis.call('SET', key, string.format('%.6f', left)) end
end

local function enqueue(id, lane, place, cost)
  redis.call('HSET', '{keys.JOB}' .. id, 'state', 'waiting', 'lease', '', 'worker', '')
  redis.call('ZADD', '{keys.LANE}' .. lane, place, id)
  shift_cost('{keys.LANE_COST}' .. lane, cost)
  redis.call('PUBLISH', '{keys.DOORBELL}', lane)
end

local function leave(id, state, lane, cost)
  if state == 'running' then
    redis.call('ZREM', '{keys.RUNNING}', id)
    shift_cost('{keys.BUSY_COST}' .. lane, -cost)
  else
    redis.call('ZREM', '{keys.LANE}' .. lane, id)
    shift_cost('{keys.LANE_COST}' .. lane, -cost)
  end
end

local function conclude(id, status, outcome, keep)
  local key = '{keys.JOB}' .. id
  local now = clock()
  local f = redis.call('HMGET', key, 'state', 'lane', 'cost', 'kind', 'platform', 'releases')
  leave(id, f[1], f[2], tonumber(f[3]))
  redis.call('HSET', key, 'state', status, 'outcome', outcome, 'finished', now, 'lease', '')
  redis.call('DEL', '{keys.PAYLOAD}' .. id, '{keys.TRIES}' .. id)
  redis.call('EXPIRE', key, keep)
  for name in string.gmatch(f[6] or '', '[^\\n]+') do redis.call('ZREM', name, id) end
  local minute = '{keys.MINUTE}' .. math.floor(now / 60000)
  redis.call('HINCRBY', minute, f[4] .. '|' .. status, 1)
  redis.call('EXPIRE', minute, 7200)
  if f[5] == 'console' then
    redis.call('XADD', '{keys.OUTCOMES}console', 'MAXLEN', '~', 1000, '*', 'job', id)
  else
    redis.call('XADD', '{keys.OUTCOMES}' .. f[5], '*', 'job', id)
  end
end
"""

# KEYS: update, payload, job, requester's jobs. ARGV: id, payload, updates' life, listed, then the job's fields.
_SUBMIT = f"""
local given = redis.call('GET', KEYS[1])
if given then return {{given, 1}} end
if redis.call('EXISTS', KEYS[3]) == 1 then return {{'', 0}} end
local now, place = clock()
redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[3])
redis.call('SET', KEYS[2], ARGV[2])
local fields = {{'submitted', now, 'place', place}}
for i = 5, #ARGV do fields[#fields + 1] = ARGV[i] end
redis.call('HSET', KEYS[3], unpack(fields))
redis.call('ZADD', KEYS[4], place, ARGV[1])
redis.call('ZREMRANGEBYRANK', KEYS[4], 0, -ARGV[4] - 1)
redis.call('EXPIRE', KEYS[4], 30 * 86400)
local lane = redis.call('HGET', KEYS[3], 'lane')
redis.call('SADD', '{keys.LANES}', lane)
enqueue(ARGV[1], lane, place, tonumber(redis.call('HGET', KEYS[3], 'cost')))
return {{ARGV[1], 0}}
"""

# ARGV: worker, lease in ms, then lane and free slots in turn. Returns lane, id, lease, place of each job claimed.
_CLAIM = f"""
local now = clock()
for _, id in ipairs(redis.call('ZRANGEBYSCORE', '{keys.RUNNING}', '-inf', now, 'LIMIT', 0, 100)) do
  local f = redis.call('HMGET', '{keys.JOB}' .. id, 'state', 'lane', 'cost', 'place')
  if f[1] == 'running' then
    leave(id, f[1], f[2], tonumber(f[3]))
    enqueue(id, f[2], f[4], tonumber(f[3]))
  else
    redis.call('ZREM', '{keys.RUNNING}', id)
  end
end
local claimed = {{}}
for i = 3, #ARGV, 2 do
  local lane, slots = ARGV[i], tonumber(ARGV[i + 1])
  if slots > 0 then
    for _, id in ipairs(redis.call('ZRANGE', '{keys.LANE}' .. lane, 0, slots - 1)) do
      local key = '{keys.JOB}' .. id
      local f = redis.call('HMGET', key, 'state', 'cost', 'place')
      if f[1] == 'waiting' then
        local lease = ARGV[1] .. '#' .. redis.call('INCR', '{keys.CLAIMS}')
        leave(id, 'waiting', lane, tonumber(f[2]))
        redis.call('HSET', key, 'state', 'running', 'worker', ARGV[1], 'lease', lease, 'started', now)
        redis.call('ZADD', '{keys.RUNNING}', now + ARGV[2], id)
        shift_cost('{keys.BUSY_COST}' .. lane, tonumber(f[2]))
        claimed[#claimed + 1] = lane
        claimed[#claimed + 1] = id
        claimed[#claimed + 1] = lease
        claimed[#claimed + 1] = f[3]
      else
        redis.call('ZREM', '{keys.LANE}' .. lane, id)
      end
    end
  end
end
return claimed
"""

# ARGV: worker, lease in ms, what the worker says of itself, its life in ms, then id and lease in turn.
# Returns the ids whose lease was lost, then those to be cancelled.
_RENEW = f"""
local now = clock()
redis.call('ZADD', '{keys.WORKERS}', now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', '{keys.WORKERS}', '-inf', now - 3600000)
redis.call('SET', '{keys.WORKER}' .. ARGV[1], ARGV[3], 'PX', ARGV[4])
local lost, cancelled = {{}}, {{}}
for i = 5, #ARGV, 2 do
  local f = redis.call('HMGET', '{keys.JOB}' .. ARGV[i], 'lease', 'cancel')
  if f[1] == ARGV[i + 1] then
    redis.call('ZADD', '{keys.RUNNING}', now + ARGV[2], ARGV[i])
    if f[2] then cancelled[#cancelled + 1] = ARGV[i] end
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return {{lost, cancelled}}
"""

# ARGV: id, lease, status, outcome, seconds to keep, measured device-seconds. Returns 1, or 0 for who lost the lease.
_FINISH = f"""
local key = '{keys.JOB}' .. ARGV[1]
local f = redis.call('HMGET', key, 'lease', 'kind', 'declared')
if not f[1] or f[1] ~= ARGV[2] then return 0 end
conclude(ARGV[1], ARGV[3], ARGV[4], ARGV[5])
local declared, measured = tonumber(f[3]), tonumber(ARGV[6])
if ARGV[3] == 'done' and declared > 0 and measured > 0 then
  local seen = tonumber(redis.call('HGET', '{keys.SPEED}', f[2]) or measured / declared)
  redis.call('HSET', '{keys.SPEED}', f[2], string.format('%.6g', seen + 0.1 * (measured / declared - seen)))
end
return 1
"""

# ARGV: id, lease. The job goes back to its place, and the start does not count as a try.
_RELEASE = f"""
local key = '{keys.JOB}' .. ARGV[1]
local f = redis.call('HMGET', key, 'lease', 'lane', 'cost', 'place')
if not f[1] or f[1] ~= ARGV[2] then return 0 end
leave(ARGV[1], 'running', f[2], tonumber(f[3]))
enqueue(ARGV[1], f[2], f[4], tonumber(f[3]))
redis.call('DECR', '{keys.TRIES}' .. ARGV[1])
return 1
"""

# ARGV: id, requester ('' for an admin), outcome, seconds to keep.
_CANCEL = f"""
local key = '{keys.JOB}' .. ARGV[1]
local f = redis.call('HMGET', key, 'state', 'requester')
if not f[1] or (ARGV[2] ~= '' and f[2] ~= ARGV[2]) then return 'unknown' end
if f[1] == 'waiting' then
  conclude(ARGV[1], 'cancelled', ARGV[3], ARGV[4])
  return 'cancelled'
elseif f[1] == 'running' then
  redis.call('HSET', key, 'cancel', 1)
  redis.call('PUBLISH', '{keys.CANCELS}', ARGV[1])
  return 'stopping'
end
return 'ended'
"""

# ARGV: lane, id ('' for the end of the lane), for how long a heartbeat counts in ms.
# Returns rank (or -1), waiting, waiting cost, running cost, fresh workers.
_PLACE = f"""
local now = clock()
local rank = redis.call('ZRANK', '{keys.LANE}' .. ARGV[1], ARGV[2])
local workers = 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', '{keys.WORKERS}', now - ARGV[3], '+inf')) do
  local said = redis.call('GET', '{keys.WORKER}' .. id)
  if said then
    local good, described = pcall(cjson.decode, said)
    if good and type(described) == 'table' and type(described.d) == 'table' and type(described.d.lanes) == 'table' then
      for _, lane in ipairs(described.d.lanes) do if lane == ARGV[1] then workers = workers + 1 end end
    end
  end
end
return {{
  rank or -1, redis.call('ZCARD', '{keys.LANE}' .. ARGV[1]),
  redis.call('GET', '{keys.LANE_COST}' .. ARGV[1]) or '0', redis.call('GET', '{keys.BUSY_COST}' .. ARGV[1]) or '0',
  workers
}}
"""

WORKER_FRESH = 10.0  # seconds without a heartbeat after which a worker no longer counts


@dataclass(frozen=True, slots=True)
class Claimed:
    job_id: str
    lane: str
    lease: str
    place: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job stands in its lane: `rank` 0 is next, None is not waiting; costs in device-seconds."""

    rank: int | None
    waiting: int
    waiting_cost: float
    running_cost: float
    workers: int


class Scripts:
    """The scripts, registered with one Redis client (EVALSHA, and loaded again after a restart)."""

    def __init__(self, redis: Redis) -> None:
        self._submit = redis.register_script(_COMMON + _SUBMIT)
        self._claim = redis.register_script(_COMMON + _CLAIM)
        self._renew = redis.register_script(_COMMON + _RENEW)
        self._finish = redis.register_script(_COMMON + _FINISH)
        self._release = redis.register_script(_COMMON + _RELEASE)
        self._cancel = redis.register_script(_COMMON + _CANCEL)
        self._place = redis.register_script(_COMMON + _PLACE)

    async def submit(
        self, *, job_id: str, update: str, requester: str, payload: bytes, fields: Mapping[str, str | bytes | float]
    ) -> tuple[str | None, bool]:
        """The id that stands for this update (None: the id is taken, draw another), and whether it did before."""
        given, repeated = await self._submit(
            keys=[keys.idempotency(update), keys.payload(job_id), keys.job(job_id), keys.requester_jobs(requester)],
            args=[job_id, payload, UPDATES_KEPT, JOBS_LISTED, *(part for pair in fields.items() for part in pair)],
        )
        return (given.decode() or None), bool(repeated)

    async def claim(self, worker: str, lease: float, free: Mapping[str, int]) -> list[Claimed]:
        """Take up to `free[lane]` jobs of each lane for `lease` seconds; first, free what dead workers held."""
        flat: list[bytes] = await self._claim(
            args=[worker, int(lease * 1000), *(part for pair in free.items() for part in pair)]
        )
        rows = zip(flat[0::4], flat[1::4], flat[2::4], flat[3::4], strict=True)
        return [Claimed(i.decode(), lane.decode(), held.decode(), int(float(place))) for lane, i, held, place in rows]

    async def renew(
        self, worker: str, lease: float, described: bytes, held: Mapping[str, str]
    ) -> tuple[list[str], list[str]]:
        """Heartbeat: prolong `held` (id -> lease). Returns the ids lost to others, and those to cancel."""
        lost, cancelled = await self._renew(
            args=[worker, int(lease * 1000), described, int(WORKER_FRESH * 1000), *(p for x in held.items() for p in x)]
        )
        return [job_id.decode() for job_id in lost], [job_id.decode() for job_id in cancelled]

    async def finish(
        self, job_id: str, lease: str, *, status: str, outcome: bytes, keep: float, gpu_seconds: float
    ) -> bool:
        """Result, removal and outcome event become visible together. False: the lease is someone else's by now."""
        return bool(await self._finish(args=[job_id, lease, status, outcome, int(keep), gpu_seconds]))

    async def release(self, job_id: str, lease: str) -> bool:
        """Give a running job back to its place in the lane."""
        return bool(await self._release(args=[job_id, lease]))

    async def cancel(self, job_id: str, requester: str, outcome: bytes, keep: float) -> str:
        """ "unknown", "cancelled", "stopping" or "ended"; an empty requester may cancel any job."""
        answer: bytes = await self._cancel(args=[job_id, requester, outcome, int(keep)])
        return answer.decode()

    async def place(self, lane: str, job_id: str = "") -> Place:
        rank, waiting, waiting_cost, running_cost, workers = await self._place(
            args=[lane, job_id, int(WORKER_FRESH * 1000)]
        )
        return Place(
            None if rank < 0 else int(rank), int(waiting), float(waiting_cost), float(running_cost), int(workers)
        )
