"""The comparison must see what differs, and the stand-in gateway what a request has wrong."""

import copy
from typing import Any

import pytest

from tests.contract.comparing import differences
from tests.support.messages_api import faults, operation_of, schema

_MESSAGES = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
_ONE = "/2010-04-01/Accounts/{AccountSid}/Messages/{Sid}.json"
GOOD = {"To": "+12125550142", "From": "+12125550100", "Body": "x", "ValidityPeriod": "300"}


def _definition() -> dict[str, Any]:
    """A definition that agrees, in the shape that Twilio's has."""
    ours = schema()
    form = {name: {"type": rule["type"]} for name, rule in _form("create").items()}
    query = [
        {"name": name, "in": "query", "schema": {"type": rule["type"]}}
        for name, rule in _form("list").items()
    ]
    answer: dict[str, Any] = {
        name: {"type": kind} for name, kind in ours["answer"]["properties"].items()
    }
    answer["account_sid"] = {"type": "string", "pattern": "^AC[0-9a-fA-F]{32}$"}
    answer["sid"] = {"type": "string", "pattern": ours["message"]}
    answer["status"] = {"$ref": "#/components/schemas/message_enum_status"}
    posted = {"application/x-www-form-urlencoded": {"schema": {"properties": form}}}
    return {
        "paths": {
            _MESSAGES: {
                "post": {"requestBody": {"content": posted}, "responses": {"201": {}}},
                "get": {"parameters": query, "responses": {"200": {}}},
            },
            _ONE: {"get": {"parameters": [], "responses": {"200": {}}}},
        },
        "components": {
            "schemas": {
                "message_enum_status": {"type": "string", "enum": ours["answer"]["status"]},
                "api.v2010.account.message": {"properties": answer},
            }
        },
    }


def _form(operation: str) -> dict[str, Any]:
    found: dict[str, Any] = schema()["operations"][operation]["form"]["properties"]
    return found


def test_what_agrees_has_no_difference() -> None:
    assert differences(schema(), _definition()) == []


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        (("paths", _ONE), None, "fetch: no get"),
        (("paths", _MESSAGES, "post", "responses", "201"), None, "never answers 201"),
        (("components", "schemas", "message_enum_status", "enum", 0), "lost", "status lost"),
        (
            ("components", "schemas", "api.v2010.account.message", "properties", "error_code"),
            {"type": "string"}, "error_code of an answer is string",
        ),
        (
            ("components", "schemas", "api.v2010.account.message", "properties", "direction"),
            None, "no direction",
        ),
    ],
)  # fmt: skip
def test_what_differs_is_said(where: tuple[Any, ...], value: Any, said: str) -> None:
    theirs = copy.deepcopy(_definition())
    at: Any = theirs
    for name in where[:-1]:
        at = at[name]
    if value is None:
        del at[where[-1]]
    else:
        at[where[-1]] = value
    assert said in "; ".join(differences(schema(), theirs))


@pytest.mark.parametrize(
    ("form", "said"),
    [
        (GOOD, []),
        ({**GOOD, "To": "12125550142"}, ["To has a wrong form"]),
        ({**GOOD, "ValidityPeriod": "36001"}, ["ValidityPeriod is out of range"]),
        ({**GOOD, "ValidityPeriod": "5m"}, ["ValidityPeriod is no number"]),
        ({**GOOD, "Body": ""}, ["Body has a wrong length"]),
        ({**GOOD, "SmartEncode": "1"}, ["SmartEncode is unknown"]),
        ({"To": "+12125550142", "Body": "x"}, ["one of From and MessagingServiceSid is needed"]),
    ],
)
def test_the_stand_in_sees_what_a_request_has_wrong(form: dict[str, str], said: list[str]) -> None:
    assert faults("create", form) == said


def test_operations_are_known_by_method_and_path() -> None:
    path = f"/2010-04-01/Accounts/AC{'0' * 32}/Messages.json"
    assert operation_of("POST", path) == ("create", {"AccountSid": "AC" + "0" * 32})
    assert operation_of("GET", path) is not None
    assert operation_of("DELETE", path) is None
    assert operation_of("GET", "/elsewhere") is None
