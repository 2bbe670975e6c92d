"""A protocol as data: what is asked, which answer means what, and where each rule comes from.

Nothing here decides; `domain.triage` evaluates, `protocols.library` loads and refuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from patient_portal.domain.combined import Beyond, SignOff
from patient_portal.domain.levels import TriageLevel

UNKNOWN_DRUG = "unknown"
NOT_SURE = "not_sure"
USUAL = "usual"
NOT_MEASURED = "not_measured"

# Value of one answer option: a word, or true / false for a yes-no item.
Value = str | bool


@dataclass(frozen=True, slots=True)
class Source:
    """Where a rule comes from; `state` says how well it was checked."""

    id: str
    title: str
    state: str  # read, secondary, unverified, opinion


@dataclass(frozen=True, slots=True)
class Option:
    """One answer that can be given. `on_screen` is false for values only staff or scripts send."""

    value: Value
    label: str
    hint: str = ""
    on_screen: bool = True


@dataclass(frozen=True, slots=True)
class Follows:
    """An item that is asked only after one of these answers to another item."""

    item: str
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One question. `kind` is choice, flag (yes or no), flags (tick list), or a number's kind.

    `not_sure` is the value "not sure" counts as; `worse` lists values from mild to bad.
    """

    key: str
    kind: str  # choice, flag, flags, temperature, weight, percent, mmhg
    step: str
    label: str
    question: str
    hint: str = ""
    options: tuple[Option, ...] = ()
    not_sure: Value | None = None
    worse: tuple[Value, ...] = ()
    follows: Follows | None = None

    @property
    def values(self) -> tuple[Value, ...]:
        """The values a rule must classify ("not sure" counts as one of them)."""
        return tuple(option.value for option in self.options if option.value != NOT_SURE)

    def option(self, value: Value) -> Option:
        """The option with this value; raises KeyError."""
        for option in self.options:
            if option.value == value:
                return option
        raise KeyError(value)


@dataclass(frozen=True, slots=True)
class Tick:
    """One row of the "anything else" list; ticking it opens the questions of `items`."""

    value: str
    label: str
    items: tuple[str, ...]
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Drug:
    """A medicine: days of therapy at risk (first and last), QT and APL columns, listed items."""

    code: str
    name: str
    window: tuple[int, int] | None
    qt: bool
    apl: bool
    lists: frozenset[str]
    sources: tuple[str, ...]

    def matches(self, selector: str, item: str) -> bool:
        """Whether a rule's `drugs` selector names this medicine; `item` is the rule's own."""
        wanted = not selector.startswith("not_")
        match selector.removeprefix("not_"):
            case "all":
                return wanted
            case "qt":
                return self.qt is wanted
            case "apl":
                return self.apl is wanted
            case "lists":
                return (item in self.lists) is wanted
        raise ValueError(f"unknown selector of medicines {selector!r}")


@dataclass(frozen=True, slots=True)
class Gauge:
    """A number that bands are laid over.

    `kind` is reading (the value itself), gain or loss (weight against the last `days` days),
    gain_percent (gain in percent of the baseline, small bodies only), over_baseline (how far
    above it), crossing (the same, only when a limit is newly passed) or rise (the gain over the
    last `days` days if there is a reading on each of them and each is higher than the one before).
    `worse` is where a number is worse: "high", "low" or "both" ends.
    """

    id: str
    item: str
    kind: str
    units: tuple[str, ...]
    worse: str = "high"
    days: int | None = None
    below_baseline_kg: Decimal | None = None
    step: Mapping[str, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Band:
    """A half-open range of a gauge in each unit: from `lower` up to, not including, `upper`.

    `window` limits it to one side of the medicine's window. `against` says what a gain is
    counted from: the lowest earlier reading, or the lowest mean of two neighbouring ones.
    """

    id: str
    gauge: str
    window: str  # in, out, any
    lower: Mapping[str, Decimal]
    upper: Mapping[str, Decimal]
    against: str = "lowest"


@dataclass(frozen=True, slots=True)
class Condition:
    """A named fact that a rule's `with` can ask for.

    One of: an item's values, a gauge's bands, a setting, `any_of` or `all_of` others.
    """

    id: str
    item: str = ""
    values: tuple[Value, ...] = ()
    bands: tuple[str, ...] = ()
    missing: bool = False
    measured: bool = False  # there is a reading, whatever it is; of the weight alone
    yesterday: bool = False
    setting: str = ""
    any_of: tuple[str, ...] = ()
    all_of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One cell of the protocol: these values or this band, for these medicines, mean this level.

    `needs` names conditions of which at least one must hold. `patient` and `staff` are the
    reason in the words of each reader, `say` is what to tell the emergency operator, `say_unsure`
    the same where the rule rests on an answer "not sure". The rule of
    a combination, a trend or a notice (`domain.combined`) has these words and no item.
    """

    id: str
    item: str
    level: TriageLevel
    sources: tuple[str, ...]
    values: tuple[Value, ...] = ()
    band: str = ""
    window: str = "any"  # in, out, any
    drugs: str = "all"
    until_day: int | None = None
    needs: tuple[str, ...] = ()
    patient: str = ""
    staff: str = ""
    say: str = ""
    say_unsure: str = ""

    @property
    def is_cell(self) -> bool:
        """Whether the rule is about an answer or a number, not about several or several days."""
        return bool(self.values or self.band)

    @property
    def is_plain(self) -> bool:
        """Whether the rule classifies its answer alone, with nothing else to ask for."""
        return self.is_cell and not self.needs and self.until_day is None


@dataclass(frozen=True, eq=False)
class Protocol:
    """A whole protocol; equal only to itself, so that tables made from it can be cached."""

    id: str  # "ds-1.0", printed with every result
    version: str
    status: str
    title: str
    sources: tuple[Source, ...]
    drugs: tuple[Drug, ...]
    items: tuple[Item, ...]
    ticks: tuple[Tick, ...]
    gauges: tuple[Gauge, ...]
    bands: tuple[Band, ...]
    conditions: tuple[Condition, ...]
    rules: tuple[Rule, ...]
    beyond: Beyond
    authors: tuple[str, ...] = ()
    sign_offs: tuple[SignOff, ...] = ()

    @cached_property
    def cells(self) -> tuple[Rule, ...]:
        """The rules about single answers and numbers, in the file's order."""
        return tuple(rule for rule in self.rules if rule.is_cell)

    @property
    def is_signed(self) -> bool:
        """Whether both clinicians have approved the file."""
        return bool(self.sign_offs) and all(one.name and one.on for one in self.sign_offs)

    @cached_property
    def _items(self) -> dict[str, Item]:
        return {item.key: item for item in self.items}

    @cached_property
    def _rules(self) -> dict[str, Rule]:
        return {rule.id: rule for rule in self.rules}

    @cached_property
    def _drugs(self) -> dict[str, Drug]:
        return {drug.code: drug for drug in self.drugs}

    @cached_property
    def _bands(self) -> dict[str, Band]:
        return {band.id: band for band in self.bands}

    def item(self, key: str) -> Item:
        """The item with this key; raises KeyError."""
        return self._items[key]

    def rule(self, id: str) -> Rule:
        """The rule with this id, for its words and sources; raises KeyError."""
        return self._rules[id]

    def drug(self, code: str) -> Drug:
        """The medicine with this code; raises KeyError."""
        return self._drugs[code]

    def band(self, id: str) -> Band:
        """The band with this id; raises KeyError."""
        return self._bands[id]

    def step_items(self, step: str) -> tuple[Item, ...]:
        """The items asked in one step of the check-in, in the order of asking."""
        return tuple(item for item in self.items if item.step == step)
