"""What the working role may do on PostgreSQL: everything with rows, nothing with tables.

And with the audit log: read it and add to it. Two roles are wanted, an owner that migrates and a
role that works; see ``docs/security/audit.md``.
"""

from sqlalchemy import Connection, text

from patient_portal.database import build_engine

_GRANTEES = text(
    "SELECT DISTINCT grantee FROM information_schema.role_table_grants "
    "WHERE table_schema = current_schema() AND table_name = 'audit_entry' "
    "AND grantee <> current_user"
)


def keep_audit(connection: Connection) -> None:
    """Let every role but the owner read the audit log and add to it, and no more.

    The one column of ``audit_head`` that they may write says nothing; without it they could not
    lock its rows.
    """
    quoted = connection.dialect.identifier_preparer.quote
    for role in connection.scalars(_GRANTEES).all():
        to = "PUBLIC" if role == "PUBLIC" else quoted(role)
        for statement in (
            f"REVOKE ALL ON audit_entry, audit_head FROM {to}",
            f"GRANT SELECT, INSERT ON audit_entry, audit_head TO {to}",
            f"GRANT UPDATE (turn) ON audit_head TO {to}",
        ):
            connection.execute(text(statement))


def grant_to(owner_url: str, role: str) -> None:
    """Give the working role its rights, as the owner; safe to run again.

    Tables that the owner makes later are covered too. Does nothing on SQLite.
    """
    engine = build_engine(owner_url, pool_size=1)
    try:
        if engine.dialect.name != "postgresql":
            return
        to = engine.dialect.identifier_preparer.quote(role)
        with engine.begin() as connection:
            schema = connection.scalar(text("SELECT quote_ident(current_schema())"))
            for statement in (
                f"GRANT USAGE ON SCHEMA {schema} TO {to}",
                f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {to}",
                f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {schema} TO {to}",
                f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} "
                f"GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {to}",
                f"ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} "
                f"GRANT USAGE, SELECT ON SEQUENCES TO {to}",
                f"REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM {to}",
            ):
                connection.execute(text(statement))
            keep_audit(connection)
    finally:
        engine.dispose()
