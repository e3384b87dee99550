"""The tables of what the desk remembers.

Times are Unix seconds, as everywhere; parameters and results are JSON as the queue carried them. A row of `jobs` is a
job that ended, written once by the recorder.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

NAMES = {  # so that a migration can name what it changes
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMES)
Document = JSON().with_variant(JSONB(), "postgresql")

jobs = Table(
    "jobs",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("lane", String(64), nullable=False),
    Column("status", String(16), nullable=False),
    Column("owner", String(96), nullable=False),  # who asked, as "discord:1": a requester's identity
    Column("tenant", String(160), nullable=False),
    Column("private", Boolean, nullable=False),
    Column("params", Document, nullable=False),
    Column("result", Document),
    Column("reason", Text),
    Column("title", Text, nullable=False),  # what a card says: the prompt, or the text's beginning
    Column("submitted_at", Double, nullable=False),
    Column("started_at", Double),
    Column("finished_at", Double, nullable=False),
    Column("seconds", Double, nullable=False),  # that it ran
    Column("gpu_seconds", Double, nullable=False),
    Column("model", Text, nullable=False),  # with its precision; "" where there is none
    Column("revision", Text, nullable=False),  # which of it exactly
    Column("device", Text, nullable=False),
    Column("worker", Text),
    Column("seed", BigInteger),
    Column("made", Boolean, nullable=False),  # an object: something to look at or to read came of it
    Column("published_at", Double),  # since when others see it; NULL: its owner alone
    Column("hidden", Boolean, nullable=False, default=False),  # by an admin, from all but its owner
    Column("indexed", Boolean, nullable=False, default=False),  # its vectors were looked for
)
Index(None, jobs.c.owner, jobs.c.finished_at)
Index(None, jobs.c.published_at)
Index(None, jobs.c.kind, jobs.c.published_at)
Index(None, jobs.c.kind, jobs.c.finished_at)
Index(None, jobs.c.indexed, jobs.c.id)

files = Table(
    "files",
    metadata,
    Column("job", String(16), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("position", Integer, primary_key=True),  # in the order of the answer; a smaller version after its whole
    Column("role", String(16), nullable=False),  # preview, still, file, smaller
    Column("name", String(96), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("media_type", String(100), nullable=False),
    Column("note", Text),  # what was done for a smaller version
)
Index(None, files.c.sha256)

# What search goes by, written by `indexing`. Indexes for words, triggers, and PostgreSQL's own type of `vector` and
# index for it are in migrations/versions/r0002_search.py.
vectors = Table(
    "vectors",
    metadata,
    Column("job", String(16), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("sort", String(16), primary_key=True),  # meaning, shape
    Column("vector", LargeBinary, nullable=False),  # float16, little-endian, of length 1; with pgvector: halfvec
)

texts = Table(
    "texts",
    metadata,
    Column("n", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),  # newer ones have a larger one
    Column("job", String(16), ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False, unique=True),
    Column("text", Text, nullable=False),  # the words it is found by, as `words.folded` gives them
    Column("tags", Text, nullable=False),  # kind, owner and whether it is public, as words; triggers keep them true
    sqlite_autoincrement=True,
)

# Jobs whose vectors or visibility changed, for processes that hold vectors in memory: filled by triggers.
changes = Table(
    "changes",
    metadata,
    Column("seq", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("job", String(16), nullable=False, unique=True),  # gone ones, too
    sqlite_autoincrement=True,
)

reports = Table(
    "reports",
    metadata,
    Column("job", String(16), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("reporter", String(96), primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("settled_at", Double),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("owner", String(96), nullable=False, index=True),
    Column("name", String(80), nullable=False),
    Column("sha256", String(64), nullable=False, unique=True),  # of the key, which nobody keeps
    Column("scopes", Document, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("used_at", Double),
    Column("revoked_at", Double),
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("job", String(16), primary_key=True),
    Column("owner", String(96), nullable=False, index=True),
    Column("url", Text, nullable=False),
    Column("secret", Text, nullable=False),  # signs what is sent; it is the key's, made from it
    Column("due_at", Double),  # of the next try; NULL: not before the job ends, or settled
    Column("tries", Integer, nullable=False, default=0),
    Column("state", String(16), nullable=False),  # waiting, due, delivered, given up
)
Index(None, webhooks.c.state, webhooks.c.due_at)
