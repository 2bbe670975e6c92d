"""What a program or a form has posted."""

from flask import request


def value(name: str) -> str:
    """One field of the form or of the JSON object that was posted; empty when it is not there."""
    sent = request.get_json(silent=True) if request.is_json else request.form
    found = sent.get(name) if isinstance(sent, dict) else None
    return str(found).strip() if isinstance(found, str | int) else ""


def wants_json() -> bool:
    """Whether the answer goes to a program that asked for JSON."""
    return request.is_json or request.accept_mimetypes.best == "application/json"
