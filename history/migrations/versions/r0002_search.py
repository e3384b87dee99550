"""What search needs beyond tables: indexes of words, triggers that keep them and the log of changes, and vectors.

`texts.tags` holds words that say who may find a text: "=k" and "=o" with the kind and the owner in hexadecimal digits,
and "=public". They stand in the index of words, so that what a viewer may not see costs a search nothing; the final
rows are checked against `jobs` all the same.

On PostgreSQL with the extension `vector`, vectors are halfvec under HNSW indexes (Malkov and Yashunin 2016), one for
each sort. Without it, and on SQLite, they stay bytes, which processes hold in memory and renew by `changes`.
"""

from __future__ import annotations

from collections.abc import Iterator

from alembic import op
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from frontdesk.history.sorts import WIDTHS

revision = "0002"
down_revision = "0001"

SQLITE_TAGS = (
    "'=k' || hex(new.kind) || ' =o' || hex(new.owner)"
    " || CASE WHEN new.published_at IS NOT NULL AND NOT new.hidden THEN ' =public' ELSE '' END"
)
POSTGRES_TAGS = (
    "'=k' || upper(encode(convert_to(new.kind, 'UTF8'), 'hex'))"
    " || ' =o' || upper(encode(convert_to(new.owner, 'UTF8'), 'hex'))"
    " || CASE WHEN new.published_at IS NOT NULL AND NOT new.hidden THEN ' =public' ELSE '' END"
)


def upgrade() -> None:
    bind = op.get_bind()
    if bind.dialect.name == "sqlite":
        statements = [*_sqlite_words(), *_sqlite_changes()]
    elif _extended(bind):
        statements = [*_postgres_words(), *_postgres_vectors()]
    else:
        statements = [*_postgres_words(), *_postgres_changes()]
    for statement in statements:
        bind.exec_driver_sql(statement)


def _sqlite_words() -> Iterator[str]:
    yield (
        "CREATE VIRTUAL TABLE words USING fts5(text, tags, content='texts', content_rowid='n',"
        " tokenize='porter unicode61 remove_diacritics 2')"
    )
    add = "INSERT INTO words(rowid, text, tags) VALUES (new.n, new.text, new.tags);"
    drop = "INSERT INTO words(words, rowid, text, tags) VALUES ('delete', old.n, old.text, old.tags);"
    for event, body in (("INSERT", add), ("DELETE", drop), ("UPDATE", drop + add)):
        yield f"CREATE TRIGGER texts_{event.lower()} AFTER {event} ON texts BEGIN {body} END"
    yield (
        "CREATE TRIGGER jobs_tags AFTER UPDATE OF kind, owner, published_at, hidden ON jobs BEGIN"
        f" UPDATE texts SET tags = {SQLITE_TAGS} WHERE job = new.id; END"
    )


def _sqlite_changes() -> Iterator[str]:
    """A change of the same job replaces its last one: deleted and written anew, since "OR REPLACE" in a trigger gives
    way to what the statement outside of it says."""
    for name, event, job in _changing():
        body = f"DELETE FROM changes WHERE job = {job}; INSERT INTO changes(job) VALUES ({job});"
        yield f"CREATE TRIGGER {name} AFTER {event} BEGIN {body} END"


def _postgres_words() -> Iterator[str]:
    yield (
        "ALTER TABLE texts ADD COLUMN words tsvector GENERATED ALWAYS AS"
        " (to_tsvector('english', text) || array_to_tsvector(string_to_array(tags, ' '))) STORED"
    )
    yield "CREATE INDEX ix_texts_words ON texts USING gin (words)"
    yield (
        "CREATE FUNCTION frontdesk_tags() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" UPDATE texts SET tags = {POSTGRES_TAGS} WHERE job = new.id; RETURN NULL; END $$"
    )
    yield (
        "CREATE TRIGGER jobs_tags AFTER UPDATE OF kind, owner, published_at, hidden ON jobs"
        " FOR EACH ROW EXECUTE FUNCTION frontdesk_tags()"
    )


def _postgres_vectors() -> Iterator[str]:
    yield "DELETE FROM vectors"
    yield "ALTER TABLE vectors ALTER COLUMN vector TYPE halfvec USING NULL::halfvec"
    yield "ALTER TABLE vectors ALTER COLUMN vector SET STORAGE PLAIN"  # short enough to lie in the row
    for sort, width in WIDTHS.items():
        yield (
            f"CREATE INDEX ix_vectors_{sort} ON vectors USING hnsw ((vector::halfvec({width})) halfvec_cosine_ops)"
            f" WHERE sort = '{sort}'"
        )


def _postgres_changes() -> Iterator[str]:
    """Numbers are drawn under a lock that is held until the commit: else a reader could pass over one that is drawn but
    not yet committed."""
    for name, event, job in _changing():
        yield (
            f"CREATE FUNCTION frontdesk_{name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
            " PERFORM pg_advisory_xact_lock(7220457);"
            f" DELETE FROM changes WHERE job = {job}; INSERT INTO changes(job) VALUES ({job}); RETURN NULL; END $$"
        )
        yield f"CREATE TRIGGER {name} AFTER {event} FOR EACH ROW EXECUTE FUNCTION frontdesk_{name}()"


def _changing() -> Iterator[tuple[str, str, str]]:
    """Triggers: name, what fires it, whose id is noted."""
    yield "jobs_changed", "UPDATE OF kind, owner, published_at, hidden, made ON jobs", "new.id"
    yield "vectors_written", "INSERT ON vectors", "new.job"
    yield "vectors_rewritten", "UPDATE ON vectors", "new.job"
    yield "vectors_removed", "DELETE ON vectors", "old.job"


def _extended(bind: Connection) -> bool:
    """Whether this server has, or could be given, pgvector."""
    try:
        with bind.begin_nested():
            bind.execute(text("CREATE EXTENSION IF NOT EXISTS vector"))
    except DBAPIError:
        return False
    return True
