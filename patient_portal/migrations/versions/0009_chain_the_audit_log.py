"""Chain the audit log, and have the database itself refuse to change it.

Rows that exist are chained as they stand. From here on the database takes a row only if it
follows the end of its chain, moves that end itself, and refuses to change or delete a row.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from patient_portal.database import UtcDateTime
from patient_portal.domain.audit_chain import BEGINNING, START, Link, chain_of, linked
from patient_portal.migrations.rights import keep_audit

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_AT_ONCE = 1000
_ID = sa.String(length=16)
_HASH = sa.String(length=64)
_WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_COLUMNS = (("chain", _ID), ("seq", _WHOLE), ("prev_hash", _HASH), ("hash", _HASH))
_HEAD = ("chain", "seq", "hash", "dropped_seq", "dropped_hash", "turn")
_entry = sa.table(
    "audit_entry",
    sa.column("id", _WHOLE), sa.column("at", UtcDateTime()), sa.column("clinic_id", _ID),
    sa.column("actor_kind", sa.String()), sa.column("actor_id", _ID),
    sa.column("action", sa.String()), sa.column("subject_kind", sa.String()),
    sa.column("subject_id", _ID),
    sa.column("detail", sa.JSON().with_variant(JSONB(), "postgresql")),
    *(sa.column(name, kind) for name, kind in _COLUMNS),
)  # fmt: skip

_SQLITE = (
    """CREATE TRIGGER audit_entry_follows BEFORE INSERT ON audit_entry
    WHEN NOT EXISTS (SELECT 1 FROM audit_head
                     WHERE chain = NEW.chain AND seq = NEW.seq - 1 AND hash = NEW.prev_hash)
    BEGIN SELECT RAISE(ABORT, 'audit: a row must follow the end of its chain'); END""",
    """CREATE TRIGGER audit_entry_moves_the_end AFTER INSERT ON audit_entry
    BEGIN UPDATE audit_head SET seq = NEW.seq, hash = NEW.hash WHERE chain = NEW.chain; END""",
    """CREATE TRIGGER audit_entry_stays BEFORE UPDATE ON audit_entry
    BEGIN SELECT RAISE(ABORT, 'audit: a row is never changed'); END""",
    """CREATE TRIGGER audit_entry_is_kept BEFORE DELETE ON audit_entry
    WHEN NOT EXISTS (SELECT 1 FROM audit_head WHERE chain = OLD.chain AND dropped_seq >= OLD.seq)
    BEGIN SELECT RAISE(ABORT, 'audit: a row is kept until retention lets it go'); END""",
    """CREATE TRIGGER audit_head_is_kept BEFORE DELETE ON audit_head
    BEGIN SELECT RAISE(ABORT, 'audit: the end of a chain is kept'); END""",
)
_POSTGRESQL = (
    # With the owner's rights: who adds a row may not move the end by any other way.
    """CREATE FUNCTION audit_follow() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = {schema}, pg_temp AS $$ BEGIN
        UPDATE audit_head SET seq = NEW.seq, hash = NEW.hash
        WHERE chain = NEW.chain AND seq = NEW.seq - 1 AND hash = NEW.prev_hash;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'audit: a row must follow the end of its chain'
            USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    END $$""",
    """CREATE FUNCTION audit_keep() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = {schema}, pg_temp AS $$ BEGIN
        IF TG_OP = 'DELETE' AND TG_TABLE_NAME = 'audit_entry' THEN
            IF EXISTS (SELECT 1 FROM audit_head
                       WHERE chain = OLD.chain AND dropped_seq >= OLD.seq) THEN
                RETURN OLD;
            END IF;
        END IF;
        RAISE EXCEPTION 'audit: rows are never changed, and kept until retention lets them go'
        USING ERRCODE = 'integrity_constraint_violation';
    END $$""",
    """CREATE TRIGGER audit_entry_follows AFTER INSERT ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_follow()""",
    """CREATE TRIGGER audit_entry_stays BEFORE UPDATE OR DELETE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_keep()""",
    """CREATE TRIGGER audit_entry_is_kept BEFORE TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_keep()""",
    """CREATE TRIGGER audit_head_stays BEFORE DELETE ON audit_head
    FOR EACH ROW EXECUTE FUNCTION audit_keep()""",
    """CREATE TRIGGER audit_head_is_kept BEFORE TRUNCATE ON audit_head
    FOR EACH STATEMENT EXECUTE FUNCTION audit_keep()""",
)


def upgrade() -> None:
    head = op.create_table(
        "audit_head",
        sa.Column("chain", _ID, nullable=False),
        sa.Column("seq", _WHOLE, nullable=False),
        sa.Column("hash", _HASH, nullable=False),
        sa.Column("dropped_seq", _WHOLE, nullable=False),
        sa.Column("dropped_hash", _HASH, nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("chain", name=op.f("pk_audit_head")),
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        for name, kind in _COLUMNS:
            batch_op.add_column(sa.Column(name, kind, nullable=True))
    ends = _chain(op.get_bind())
    op.bulk_insert(
        head,
        [
            dict(zip(_HEAD, (chain, end.seq, end.hash, 0, START, 0), strict=True))
            for chain, end in ends.items()
        ],
    )
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        for name, kind in _COLUMNS:
            batch_op.alter_column(name, existing_type=kind, nullable=False)
        batch_op.create_unique_constraint("uq_audit_entry_place", ["chain", "seq"])
    if op.get_bind().dialect.name == "sqlite":
        for statement in _SQLITE:
            op.execute(statement)
        return
    # Named, and the temporary schema last: a table of that name made by the caller is not taken.
    schema = op.get_bind().scalar(sa.text("SELECT quote_ident(current_schema())"))
    for statement in _POSTGRESQL:
        op.execute(statement.replace("{schema}", str(schema)).replace(":", r"\:"))
    keep_audit(op.get_bind())


def _chain(bind: sa.Connection) -> dict[str, Link]:
    """Chain the rows there are, in the order in which they were written."""
    ends: dict[str, Link] = {}
    place = (
        sa.update(_entry)
        .where(_entry.c.id == sa.bindparam("the_id"))
        .values({name: sa.bindparam(f"the_{name}") for name, _ in _COLUMNS})
    )
    for rows in _in_turn(bind):
        changed = []
        for row in rows:
            chain = chain_of(row["clinic_id"])
            made, ends[chain] = linked(row, chain, ends.get(chain, BEGINNING))
            changed.append({f"the_{name}": made[name] for name in ("id", *dict(_COLUMNS))})
        bind.execute(place, changed)
    return ends


def _in_turn(bind: sa.Connection) -> Iterator[list[dict[str, Any]]]:
    last = 0
    while True:
        found = bind.execute(
            sa.select(_entry).where(_entry.c.id > last).order_by(_entry.c.id).limit(_AT_ONCE)
        ).mappings()
        rows = [dict(row) for row in islice(found, _AT_ONCE)]
        if not rows:
            return
        yield rows
        last = rows[-1]["id"]


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for statement in _SQLITE:
            op.execute(f"DROP TRIGGER {statement.split()[2]}")
    else:
        op.execute("DROP FUNCTION audit_follow() CASCADE")
        op.execute("DROP FUNCTION audit_keep() CASCADE")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_constraint("uq_audit_entry_place", type_="unique")
        for name, _ in reversed(_COLUMNS):
            batch_op.drop_column(name)
    op.drop_table("audit_head")
