"""How Alembic reaches the database: by the address that ``database.upgrade`` hands over."""

from alembic import context

import patient_portal.clock
import patient_portal.models  # noqa: F401 - registers every table
from patient_portal.database import Base, build_engine

url = context.config.attributes["url"]


def run() -> None:
    """Run the migrations in one transaction, on either engine."""
    engine = build_engine(url, pool_size=1)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            # SQLite cannot alter a column in place; batch mode rebuilds the table.
            render_as_batch=engine.dialect.name == "sqlite",
            transactional_ddl=True,
        )
        with context.begin_transaction():
            context.run_migrations()
        if connection.in_transaction():
            connection.commit()
    engine.dispose()


run()
