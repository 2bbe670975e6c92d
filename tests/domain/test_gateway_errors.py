"""What an error of the gateway means, and when nobody knows whether a text has left."""

import pytest

from patient_portal.domain.gateway_policy import (
    ANY_OTHER,
    NO_CODE,
    POLICIES,
    TABLE,
    Act,
    Fault,
    Number,
    is_unsure,
    policy_of,
    printed,
    still_unsure,
)


def test_every_code_has_one_row() -> None:
    assert len(POLICIES) == len(TABLE)
    for row in TABLE:
        assert policy_of(row.code) is row
    assert policy_of("99999") is ANY_OTHER
    assert policy_of(None) is policy_of("") is NO_CODE


def test_an_account_that_is_refused_lets_the_gateway_rest_and_a_bad_number_does_not() -> None:
    assert policy_of("20003").is_down
    assert not policy_of("21211").is_down
    assert policy_of("21211").number is Number.BAD
    assert policy_of("21610").number is Number.STOPPED


def test_another_sender_is_tried_only_where_ours_is_the_trouble() -> None:
    tried = {row.code for row in TABLE if row.other_sender}
    assert tried == {"21611", "21612", "30001", "30007", "30034"}
    assert not (NO_CODE.other_sender or ANY_OTHER.other_sender)


def test_an_answer_that_never_came_is_the_gateways_own_failure() -> None:
    assert policy_of("unsure:timeout") is POLICIES["504"]
    assert policy_of("unsure:500") is POLICIES["500"]
    assert policy_of("timeout") is ANY_OTHER


@pytest.mark.parametrize(
    ("code", "unsure"),
    [
        (None, False),
        ("", False),
        ("21211", False),
        ("not_connected", False),  # nothing ever left
        ("500", True),
        ("unsure:timeout", True),
        ("unsure:21211", True),
    ],
)
def test_a_text_may_have_left_when_the_gateway_failed_after_taking_it(
    code: str | None, unsure: bool
) -> None:
    assert is_unsure(code) is unsure


def test_a_doubt_stays_until_the_text_is_found_or_sent() -> None:
    assert still_unsure("500", "21211") == "unsure:21211"
    assert still_unsure("500", "503") == "503"
    assert still_unsure(None, "21211") == "21211"
    assert still_unsure("500", "x" * 60) == "unsure:" + "x" * 33  # forty signs fit the column


def test_the_printed_table_has_a_line_for_each_row() -> None:
    head, rule, *lines = printed().splitlines()
    assert head.count("|") == rule.count("|") == 8
    assert len(lines) == len(TABLE) + 2
    assert "| 20003 | our password is refused | retry | once more | - | down | - |" in lines
    assert (
        "| 30034 | our sender is not registered | once more | once more | - | filtered | yes |"
        in (lines)
    )
    assert "| no code | lost, without a reason | retry | once more | - | - | - |" in lines
    assert policy_of("30003").refused is Act.RETRY and policy_of("30003").fault is None
    assert policy_of("30008").fault is Fault.UNKNOWN


def test_the_rows_that_the_safety_case_names() -> None:
    def codes(fault: Fault) -> set[str]:
        return {row.code for row in TABLE if row.fault is fault}

    assert codes(Fault.DOWN) == {"20003", "20005", "20404", "401", "403", "30002"}
    assert codes(Fault.FILTERED) == {"30007", "30034", "21408"}
    assert codes(Fault.QUEUE) == {"21611", "30001"}
    assert codes(Fault.LATE) == {"30036"}
    assert {row.code for row in TABLE if row.number is Number.BAD} == {
        "21211", "21217", "21604", "21614", "21635", "30005", "30006",
    }  # fmt: skip
    for row in TABLE:
        if row.number is not Number.KEEP:
            assert (row.refused, row.lost) == (Act.GIVE_UP, Act.GIVE_UP)
