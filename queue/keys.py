"""Every Redis key and channel. One Redis (or Sentinel) holds all of them: the scripts build keys from ids."""

from __future__ import annotations

# arq's own names, so that its Worker reads what the broker wrote.
PAYLOAD = "arq:job:"
TRIES = "arq:retry:"

JOB = "fd:job:"  # hash: the state of one job
LANE = "fd:lane:"  # sorted set: the waiting jobs of a lane, by their place
LANE_COST = "fd:cost:waiting:"  # number: device-seconds waiting in a lane
BUSY_COST = "fd:cost:running:"  # number: device-seconds running in a lane
RUNNING = "fd:running"  # sorted set: running jobs, by the end of their lease (ms)
CLAIMS = "fd:claims"  # counter: numbers the leases
SPEED = "fd:speed"  # hash: kind -> measured / declared cost
OUTCOMES = "fd:outcomes:"  # stream: ended jobs for one platform
PROGRESS = "fd:progress:"  # channel: news of running jobs for one platform
DOORBELL = "fd:doorbell"  # channel: a job came to a lane
CANCELS = "fd:cancels"  # channel: a running job is to stop
WORKERS = "fd:workers"  # sorted set: workers by their last heartbeat (ms)
WORKER = "fd:worker:"  # string: what a worker says of itself
MINUTE = "fd:minute:"  # hash: outcomes of one minute, by kind and status
LANES = "fd:lanes"  # set: every lane that ever held a job


def job(job_id: str) -> str:
    return JOB + job_id


def payload(job_id: str) -> str:
    return PAYLOAD + job_id


def lane(name: str) -> str:
    return LANE + name


def outcomes(platform: str) -> str:
    return OUTCOMES + platform


def progress(platform: str) -> str:
    return PROGRESS + platform


def worker(worker_id: str) -> str:
    return WORKER + worker_id


def minute(number: int) -> str:
    return f"{MINUTE}{number}"


def requester_jobs(requester: str) -> str:
    """Sorted set: the jobs of one requester, newest last."""
    return f"fd:jobs:{requester}"


def idempotency(key: str) -> str:
    """String: the job that an update of a platform became."""
    return f"fd:update:{key}"


def form(chat: str, user: str) -> str:
    """String: the half-filled form of one user in one chat."""
    return f"fd:form:{chat}:{user}"
