"""How Alembic reaches the database: by the address that ``database.upgrade`` hands over."""

from alembic import context

import patient_portal.clock
import patient_portal.models  # noqa: F401 - registers every table
from patient_portal.database import Base, build_engine

url = context.config.attributes["url"]


def run() -> None:
    """Run the migrations in one transaction, on either engine."""
    engine = build_engine(url, pool_size=1)
    is_sqlite = engine.dialect.name == "sqlite"
    with engine.connect() as connection:
        if is_sqlite:
            # A table that is rebuilt is dropped for a moment, and rows that point to it would
            # refuse that. It only works outside a transaction; what is left is checked below.
            driver = connection.connection.driver_connection
            assert driver is not None  # noqa: S101 - narrows the type
            driver.execute("PRAGMA foreign_keys=OFF")
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            # SQLite cannot alter a column in place; batch mode rebuilds the table.
            render_as_batch=is_sqlite,
            transactional_ddl=True,
        )
        with context.begin_transaction():
            context.run_migrations()
            if is_sqlite and connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise RuntimeError("a migration left rows that point to nothing; nothing was done")
        if connection.in_transaction():
            connection.commit()
    engine.dispose()


run()
