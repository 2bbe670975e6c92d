"""`patient-portal triage`: one JSON object a line in, one a line out."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any, BinaryIO

import click

from patient_portal import protocols
from patient_portal.domain.answers import AnswerError, shown
from patient_portal.domain.cases import id_of, read_case
from patient_portal.domain.protocol import Protocol
from patient_portal.domain.triage import triage as judge

LONGEST_LINE = 1_000_000  # bytes
LONGEST_INT = 400  # digits; Python refuses to read far longer ones
QUIET_SECONDS = 2.0


class BadLine(ValueError):
    """A line that is not one JSON object; `id` is its own, where it can be told."""

    def __init__(self, reason: str, id: str | int | None = None) -> None:
        super().__init__(reason)
        self.id = id


@click.command()
@click.argument("file", type=click.File("rb"), default="-")
@click.pass_context
def triage(context: click.Context, file: BinaryIO) -> None:
    """Judge check-ins: JSON Lines from FILE (or -, standard input), results to standard output.

    A line that cannot be judged is answered with its error and does not stop the others.
    Exits 1 if there was one.
    """
    protocol = protocols.current()
    out = sys.stdout.buffer
    bad = 0
    spoken = time.monotonic()
    for number, line in enumerate(_lines(file), start=1):
        if line is not None and not line.strip():
            continue
        answer = answer_line(protocol, line, number)
        bad += "error" in answer
        out.write(json.dumps(answer).encode("ascii") + b"\n")
        out.flush()
        if time.monotonic() - spoken > QUIET_SECONDS:
            spoken = time.monotonic()
            click.echo(f"{number} lines done", err=True)
    if bad:
        context.exit(1)


def _lines(file: BinaryIO) -> Iterator[bytes | None]:
    """The file's lines; None for one that is too long to be read into memory."""
    while line := file.readline(LONGEST_LINE + 1):
        if len(line) <= LONGEST_LINE:
            yield line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE)
        yield None


def answer_line(protocol: Protocol, line: bytes | None, number: int) -> dict[str, Any]:
    """The result of one line, or its error; never raises for what the line holds."""
    try:
        raw = _parse(line)
    except BadLine as error:
        return {"id": error.id, "error": f"line {number}: {error}"}
    id = id_of(raw)
    try:
        case = read_case(protocol, raw)
    except AnswerError as error:
        message = f"line {number}: {error.message}" if error.path == "line" else str(error)
        return {"id": id, "error": message}
    result = judge(protocol, case.answers, case.course)
    reasons = [
        {"rule": reason.rule, "level": reason.level.code, "text": reason.text}
        for reason in result.reasons
    ]
    return {"id": id, "level": result.level.code, "reasons": reasons, "protocol": result.protocol}


def _parse(line: bytes | None) -> object:
    """The line's JSON with exact decimals; raises BadLine for anything else.

    NaN, infinities and numbers of any size are read, so that the answer can name their path.
    """
    if line is None:
        raise BadLine(f"longer than {LONGEST_LINE} bytes")
    doubled: list[str] = []

    def as_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
        made = dict(pairs)
        if len(made) != len(pairs):
            keys = [key for key, _ in pairs]
            doubled.extend(key for key in keys if keys.count(key) > 1)
        return made

    try:
        raw: object = json.loads(
            line.decode("utf-8-sig"),
            parse_float=_exact,
            parse_int=_whole,
            parse_constant=Decimal,
            object_pairs_hook=as_object,
        )
    except UnicodeDecodeError as error:
        raise BadLine(f"not UTF-8 text (byte {error.start + 1})") from None
    except json.JSONDecodeError as error:
        raise BadLine(f"not JSON: {error.msg} (column {error.colno})") from None
    except RecursionError:
        raise BadLine("not JSON: nested too deep") from None
    if doubled:
        id = None if "id" in doubled else id_of(raw)
        raise BadLine(f"key {shown(doubled[0])} is given twice", id)
    return raw


def _exact(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond any number
        return Decimal("Infinity")


def _whole(text: str) -> int | Decimal:
    return int(text) if len(text) <= LONGEST_INT else Decimal(text)
