"""Where our schema and Twilio's definition differ, in words."""

from collections.abc import Iterator, Mapping
from typing import Any

from patient_portal.sms.twilio import STATES
from tests.contract.definition import resolve

Definition = dict[str, Any]
# Words that a text of ours never comes to: they are of texts to us, and of groups.
NOT_OURS = {"received", "receiving", "partially_delivered"}
_FORM = "application/x-www-form-urlencoded"


def differences(ours: Mapping[str, Any], theirs: Definition) -> list[str]:
    """Everything in our schema that Twilio's definition does not bear out."""
    found = [*_status_words(ours, theirs), *_answer(ours, theirs)]
    for name, operation in ours["operations"].items():
        there = theirs["paths"].get(operation["path"], {}).get(operation["method"])
        if there is None:
            found.append(f"{name}: no {operation['method']} {operation['path']}")
            continue
        if str(operation["answers"]) not in there["responses"]:
            found.append(f"{name}: never answers {operation['answers']}")
        found += [f"{name}: {said}" for said in _form(operation, there, theirs)]
    return found


def _form(
    operation: Mapping[str, Any], there: Mapping[str, Any], theirs: Definition
) -> Iterator[str]:
    if operation["method"] == "post":
        schema = resolve(theirs, there["requestBody"]["content"][_FORM]["schema"])
        known, required = schema["properties"], set(schema.get("required", ()))
    else:
        query = [each for each in there["parameters"] if each["in"] == "query"]
        known = {each["name"]: each["schema"] for each in query}
        required = {each["name"] for each in query if each.get("required")}
    rules = operation["form"]
    for name in sorted(required - set(rules["required"])):
        yield f"{name} is required there"
    for name, rule in rules["properties"].items():
        if name not in known:
            yield f"{name} is not known there"
            continue
        told = resolve(theirs, known[name])
        if told.get("type", "string") != rule["type"]:
            yield f"{name} is {told.get('type')} there, {rule['type']} here"
        for limit in ("maxLength", "maximum"):
            if limit in told and rule.get(limit, 0) > told[limit]:
                yield f"{name}: {limit} is {told[limit]} there, {rule[limit]} here"


def _status_words(ours: Mapping[str, Any], theirs: Definition) -> Iterator[str]:
    words = set(theirs["components"]["schemas"]["message_enum_status"]["enum"])
    for word in sorted(words ^ set(ours["answer"]["status"])):
        yield f"the status {word} is on one side only"
    for word in sorted(words - set(STATES) - NOT_OURS):
        yield f"the adapter does not know the status {word}"
    for word in sorted(set(STATES) - words):
        yield f"the adapter knows a status {word} that is not there"


def _answer(ours: Mapping[str, Any], theirs: Definition) -> Iterator[str]:
    told = theirs["components"]["schemas"]["api.v2010.account.message"]["properties"]
    for name, kind in ours["answer"]["properties"].items():
        if name not in told:
            yield f"an answer has no {name} there"
        elif resolve(theirs, told[name]).get("type") != kind:
            yield f"{name} of an answer is {resolve(theirs, told[name]).get('type')} there"
    for name, here in (("account_sid", "account"), ("sid", "message")):
        there = told[name].get("pattern", "")
        if there.replace("a-fA-F", "a-f") != ours[here].replace("a-fA-F", "a-f"):
            yield f"the form of {name} is {there} there"
