"""The ground the other tests stand on is what it says it is."""

import socket
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from sqlalchemy import inspect, text

from patient_portal.database import Database
from tests.support.browser import Phones
from tests.support.network import OutsideAddress
from tests.support.postgres import APP, OWNER, Cluster


def test_no_test_reaches_another_machine() -> None:
    with socket.socket() as outside, pytest.raises(OutsideAddress):
        outside.connect(("192.0.2.1", 80))
    with pytest.raises(OutsideAddress):
        socket.getaddrinfo("example.org", 443)


def test_a_server_has_the_two_roles_of_production(cluster: Cluster) -> None:
    with cluster.connect() as connection:
        roles = connection.execute(
            "SELECT rolname, rolsuper FROM pg_roles WHERE rolname = ANY(%s)", ([OWNER, APP],)
        ).fetchall()
    assert sorted(roles) == [(APP, False), (OWNER, False)]


def test_a_fresh_database_is_migrated_and_empty(database: Database, engine_name: str) -> None:
    assert database.engine.dialect.name == engine_name
    tables = set(inspect(database.engine).get_table_names())
    assert "alembic_version" in tables
    with database.reading() as session:
        for table in tables - {"alembic_version", "clock_shift"}:
            assert session.execute(text(f'SELECT count(*) FROM "{table}"')).scalar() == 0  # noqa: S608


def test_the_working_role_owns_no_table(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.reading() as session:
        owners = session.execute(
            text("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
        ).scalars()
        assert set(owners) == {OWNER}
        assert session.execute(text("SELECT current_user")).scalar() == APP
    database.dispose()


class _Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"<!doctype html><title>ground</title><img src='http://192.0.2.1/x.png' alt=''>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(body if self.path == "/outside" else body[: body.index(b"<img")])

    def log_message(self, *_: object) -> None:
        """Say nothing: the page is fetched by our own browser."""


@pytest.mark.browser
def test_the_browser_is_a_phone_and_reports_another_origin(phones: Phones) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Page)
    Thread(target=server.serve_forever, daemon=True).start()
    page = phones.open(f"http://127.0.0.1:{server.server_port}")
    page.goto("/")
    assert page.title() == "ground"
    assert page.viewport_size == {"width": 390, "height": 844}
    assert not phones.complaints
    page.goto("/outside")
    assert any("192.0.2.1" in complaint for complaint in phones.complaints)
    phones.complaints.clear()
    server.shutdown()
    server.server_close()
