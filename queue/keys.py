"""Every Redis key and channel. One Redis (or Sentinel) holds all of them: the scripts build keys from ids."""

from __future__ import annotations

PAYLOAD = "arq:job:"  # string: a job as arq writes it; the name is arq's own

JOB = "fd:job:"  # hash: the state of one job
LANE = "fd:lane:"  # sorted set: the waiting jobs of a lane, by their place
LANE_COST = "fd:cost:waiting:"  # number: device-seconds waiting in a lane
BUSY_COST = "fd:cost:running:"  # number: device-seconds running in a lane
APART = "fd:apart:"  # sorted set, by lane and what they want: waiting jobs that some worker cannot run, by their place
APART_AGES = "fd:apart_ages:"  # sorted set: the same jobs by the time of their submission (ms)
AGES = "fd:ages:"  # list: the jobs of a lane in the order of their submission; those that left are skipped
VIRTUAL = "fd:fair:"  # hash: band -> virtual time of a lane, in device-milliseconds; "apart": its sets of APART
TAGS = "fd:tags:"  # sorted set, by lane and band: requester -> finish tag of their last job
RUNNING = "fd:running"  # sorted set: running jobs, by the end of their lease (ms)
HOLDERS = "fd:holders"  # hash: running job -> its requester, tenant and lane, one a line
ALONE = "fd:alone"  # hash: running job that gets its last chance -> the worker that runs nothing beside it
BUSY = "fd:busy"  # hash: "user NAME", "tenant NAME", "lane NAME" -> jobs running
LOOKED = "fd:looked"  # number: when leases were last looked through (ms)
CLAIMS = "fd:claims"  # counter: numbers the leases
SPEED = "fd:speed:"  # hash, by kind: size and model -> runs measured, and measured over declared cost
MODELS = "fd:models"  # hash: kind -> the model, with its precision, that serves it
SAME = "fd:same:"  # hash, by a digest's first signs: the unfinished job that stands for a request and those like it
FRESH = "fd:fresh:"  # string, by digest and model: the finished job whose result answers a request
FOLLOWERS = "fd:followers:"  # list: the jobs that wait for one job's outcome
TICKETS = "fd:tickets:"  # set: a platform's waiting jobs whose tickets are shown
WAITS = "fd:waits:"  # hash, by lane: what expected waits are corrected by
ASIDE = "fd:aside"  # sorted set: jobs that stopped their workers, by the time of the last
ASIDE_PAYLOAD = "fd:aside:"  # string: what such a job asked for
OUTCOMES = "fd:outcomes:"  # stream: ended jobs for one platform
RECORD = "fd:record"  # stream: ended jobs with what they asked for, until the recorder has written them down
RECORDING = "fd:recording"  # string: there while a recorder is at work, or expected back
PROGRESS = "fd:progress:"  # channel: news of running jobs for one platform
IDLE = "fd:idle:"  # hash, by lane: worker -> its free slots, and the ms for which it would lease a job
TURNS = "fd:turns:"  # hash, by worker: its latest turn, and how many jobs were handed over to it
HANDS = "fd:hands:"  # channel, by worker: a job that was handed over to it
DOORBELL = "fd:doorbell"  # channel: a job came to a lane
CANCELS = "fd:cancels"  # channel: a running job is to stop
WORKERS = "fd:workers"  # sorted set: workers by their last heartbeat (ms)
WORKER = "fd:worker:"  # string: what a worker says of itself
MINUTE = "fd:minute:"  # hash: outcomes of one minute, by kind and status; promises of waits, held and missed
LANES = "fd:lanes"  # set: every lane that ever held a job
PAUSED = "fd:paused"  # set: lanes from which no job is taken
DRAINED = "fd:drained"  # set: workers that take no more jobs
BANNED = "fd:banned"  # hash: requester -> why, as JSON
LINKED = "fd:linked"  # hash: identity of a person who has several -> their account, and then all of them, one a line
LINK = "fd:link:"  # string, by a code's hash: the identity that gave it, and the one that entered it
LINKING = "fd:linking:"  # string, by identity: the hash of the code that it gave last
LINK_TRIES = "fd:link_tries:"  # number, by identity: wrong codes that it entered within the hour
FORGET = "fd:forget:"  # string, by identity: the secret of the button that forgets them
EXPORT = "fd:export:"  # string, by identity: there while they may not ask for their data again
FORGOTTEN = "fd:forgotten"  # sorted set: jobs of people who were forgotten, by when (s)
TIERS = "fd:tiers"  # hash: requester -> tier, over what the limits file says
AUDIT = "fd:audit"  # stream: what admins did
BOARDS = "fd:boards"  # hash: data set -> the hash of its content, which names its present leaderboard
BOARD = "fd:board:"  # sorted set, by data set and content: configurations by what is wrong, then by time
ENTRIES = "fd:entries:"  # hash, likewise: configuration -> whose it is, and what it came to
GROUP = "fd:group:"  # hash, by a group's id: its members that ended -> their status and place
MEMBERS = "fd:members:"  # sorted set, by a group's id: the jobs that it is made of
FILES = "fd:files:"  # string, by job: its requester and kind, and the hashes of the files that it holds, one a line
OWNERS = "fd:owners:"  # set, by hash: the jobs that hold a file
OBJECTS = "fd:objects"  # sorted set: jobs that hold files, by when they came to (ms)
OBJECTS_OF = "fd:objects:"  # sorted set, by requester: the same
STORE = "fd:store"  # string: what the artifact store of this queue is stamped with
SWEPT = "fd:swept"  # string: there while no sweep of the files is due
REQUEST = "fd:request:"  # string, by update: what a request of the HTTP door was, and what it was answered
SIGN_IN = "fd:sign_in:"  # string, by the hash of a link to the web page: whose it is
SESSION = "fd:session:"  # string, by the hash of a browser's secret: who is signed in there
SESSIONS = "fd:sessions:"  # set, by requester: the hashes of their browsers' secrets

LOOKING = "fd:looking:"  # hash, by requester: token of a list in a chat -> what it lists, and how far it was read
UNFETCHED = "fd:unfetched"  # hash: Telegram's number of an update whose document is being fetched -> the update


def job(job_id: str) -> str:
    return JOB + job_id


def looking(requester: str) -> str:
    return LOOKING + requester


def payload(job_id: str) -> str:
    return PAYLOAD + job_id


def lane(name: str) -> str:
    return LANE + name


def apart(lane_name: str, wanted: str) -> str:
    return f"{APART}{lane_name}:{wanted}"


def virtual(lane_name: str) -> str:
    return VIRTUAL + lane_name


def speed(kind: str) -> str:
    return SPEED + kind


def tickets(platform: str) -> str:
    return TICKETS + platform


def waits(lane_name: str) -> str:
    return WAITS + lane_name


def outcomes(platform: str) -> str:
    return OUTCOMES + platform


def turns(worker_id: str) -> str:
    return TURNS + worker_id


def hands(worker_id: str) -> str:
    return HANDS + worker_id


def progress(platform: str) -> str:
    return PROGRESS + platform


def worker(worker_id: str) -> str:
    return WORKER + worker_id


def minute(number: int) -> str:
    return f"{MINUTE}{number}"


def files(job_id: str) -> str:
    return FILES + job_id


def owners(sha256: str) -> str:
    return OWNERS + sha256


def objects_of(requester: str) -> str:
    return OBJECTS_OF + requester


def members(group_id: str) -> str:
    return MEMBERS + group_id


def requester_jobs(requester: str) -> str:
    """Sorted set: the jobs of one requester, newest last."""
    return f"fd:jobs:{requester}"


def sessions_of(requester: str) -> str:
    return SESSIONS + requester


def idempotency(key: str) -> str:
    """String: the job that an update of a platform became."""
    return f"fd:update:{key}"


def request(update: str) -> str:
    return REQUEST + update


def form(chat: str, user: str) -> str:
    """String: the half-filled form of one user in one chat."""
    return f"fd:form:{chat}:{user}"


def constants() -> dict[str, str]:
    """The names above, for the scripts."""
    return {name: value for name, value in globals().items() if name.isupper() and isinstance(value, str)}
