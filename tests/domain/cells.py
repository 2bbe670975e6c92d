"""One case for each cell of the protocol, written by hand: what it must come to, and by which rule.

IN is day 20, OUT is day 700, for every medicine that has a window.
"""

from decimal import Decimal
from typing import Any, NamedTuple

from patient_portal.domain.levels import TriageLevel
from patient_portal.domain.measures import Measure
from patient_portal.domain.triage import Course

NONE, WATCH, URGENT, EMERGENCY = TriageLevel
IN, OUT = 20, 700


class Cell(NamedTuple):
    """The rule that must fire, the level of the whole, and the case."""

    rule: str
    level: TriageLevel
    answers: dict[str, Any]
    drug: str = "atra"
    day: int | None = IN
    more: dict[str, Any] = {}  # noqa: RUF012 - never changed

    @property
    def course(self) -> Course:
        return Course(drug=self.drug, day_of_therapy=self.day, **self.more)


def c(text: str) -> dict[str, Any]:
    """A temperature in Celsius."""
    return {"temperature_c": Decimal(text)}


def gained(*rows: tuple[int, str], **more: Any) -> dict[str, Any]:
    """A weight series in kilograms; the last row is today."""
    return {"weight_series": tuple((day, Decimal(kg), "kg") for day, kg in rows), **more}


def baseline(kg: str) -> dict[str, Any]:
    return {"baseline": Measure(Decimal(kg), "kg")}


CELLS = [
    # red flags
    Cell("RF1", EMERGENCY, {"red_flags": ("very_hard_to_breathe",)}),
    Cell("RF2", EMERGENCY, {"red_flags": ("chest_pain",)}, day=OUT),
    Cell("RF3", EMERGENCY, {"red_flags": ("blue_lips",)}),
    Cell("RF4", EMERGENCY, {"red_flags": ("fainted_seizure_confused",)}, "midostaurin", OUT),
    Cell("RF5", EMERGENCY, {"red_flags": ("weak_side_or_worst_headache",)}),
    Cell("RF6", EMERGENCY, {"red_flags": ("bleeding_or_coughing_blood",)}, day=None),
    # breathing
    Cell("BR1", URGENT, {"breathlessness": "mild_exertion"}),
    Cell("BR1", URGENT, {"breathlessness": "mild_exertion"}, day=OUT),
    Cell("BR1", URGENT, {"breathlessness": "not_sure"}, day=OUT),
    Cell("BR1", URGENT, {"breathlessness": "usual"}, more={"usual": ()}),
    Cell("BR2", URGENT, {"breathlessness": "moderate_exertion"}, day=OUT),
    Cell("BR3", EMERGENCY, {"breathlessness": "at_rest"}, day=OUT),
    Cell("BR4", EMERGENCY, {"breathlessness": "cannot_speak"}),
    Cell("BR5", EMERGENCY, {"breathlessness": "mild_exertion", "chest_pain": "present"}),
    Cell("OR1", EMERGENCY, {"orthopnea": True}, day=OUT),
    Cell("OR1", EMERGENCY, {"orthopnea": "not_sure"}),
    Cell("OX1", URGENT, {"spo2": 92}, day=OUT),
    Cell("OX1", URGENT, {"spo2": 94}),
    Cell("OX2", EMERGENCY, {"spo2": 91}),
    # chest pain
    Cell("CP1", URGENT, {"chest_pain": "gone_now"}, day=OUT),
    Cell("CP1", URGENT, {"chest_pain": "not_sure"}),
    Cell("CP2", EMERGENCY, {"chest_pain": "present"}),
    # temperature
    Cell("F1", URGENT, c("38.0"), day=OUT),
    Cell("F1", URGENT, c("39.9")),
    Cell("F2", EMERGENCY, c("40.0"), day=OUT),
    Cell("F3", EMERGENCY, {**c("38.0"), "chills": True}),
    Cell("F4", EMERGENCY, {**c("38.0"), "confusion": "new"}),
    Cell("F5", EMERGENCY, {**c("38.0"), "dizziness": "severe"}),
    Cell("F6", EMERGENCY, {**c("38.0"), "breathlessness": "moderate_exertion"}, day=OUT),
    Cell("F7", WATCH, c("37.5")),
    Cell("F8", URGENT, {**c("37.5"), "fever_medicine_6h": True}),
    Cell("F8", URGENT, {**c("37.9"), "on_steroid": True}, day=OUT),
    Cell("F8", URGENT, {**c("37.9"), "fever_medicine_6h": "not_sure"}),
    Cell("F9", URGENT, {**c("37.5"), "yesterday": c("37.6")}),
    Cell("F9", URGENT, {**c("37.5"), "yesterday": c("38.4")}),
    Cell("F10", URGENT, c("37.5"), more={"uk_lines": True}),
    Cell("F11", WATCH, c("35.0")),
    Cell("F12", URGENT, {**c("35.9"), "feels_much_worse": True}),
    Cell("F13", URGENT, c("35.9"), more={"uk_lines": True}),
    Cell("F14", URGENT, c("34.9"), day=OUT),
    Cell("CH1", URGENT, {**c("36.8"), "chills": True}, day=OUT),
    Cell("FF1", WATCH, {**c("36.8"), "felt_feverish": True}),
    Cell("FF2", URGENT, {"felt_feverish": True}),
    Cell("FF2", URGENT, {"temperature": "not_measured", "felt_feverish": "not_sure"}),
    Cell("FF2", URGENT, {**c("36.8"), "felt_feverish": True, "fever_medicine_6h": True}),
    Cell("FF2", URGENT, {**c("36.8"), "felt_feverish": True, "on_steroid": True}),
    # swelling
    Cell("SW1", URGENT, {"swelling": "new_mild"}),
    Cell("SW1", URGENT, {"swelling": "not_sure"}),
    Cell("SW2", WATCH, {"swelling": "new_mild"}, day=OUT),
    Cell("SW3", URGENT, {"swelling": "worse"}, day=OUT),
    Cell("SW4", URGENT, {"swelling": "face"}, day=OUT),
    Cell("SW5", URGENT, {"swelling": "neck_groin_armpit"}, day=OUT),
    Cell("SW6", URGENT, {"swelling": "one_leg"}, day=OUT),
    Cell("SW7", EMERGENCY, {"swelling": "face", "breathlessness": "mild_exertion"}, day=OUT),
    Cell("SW8", EMERGENCY, {"swelling": "face", "swelling_breathing": True}, day=OUT),
    Cell("SB1", URGENT, {"swelling_breathing": True}, day=OUT),
    Cell("TF1", URGENT, {"weight": "not_measured", "tighter_fit": True}),
    Cell("TF2", WATCH, {"tighter_fit": True}, day=OUT),
    # weight
    Cell("WD1", WATCH, gained((699, "70"), (700, "71.4")), day=OUT),
    Cell("WT1", WATCH, gained((17, "70"), (20, "71.0"))),
    Cell("WT2", URGENT, gained((17, "70"), (20, "72.0"))),
    Cell("WT4", WATCH, gained((697, "70"), (700, "72.0")), day=OUT),
    Cell("WW1", WATCH, gained((13, "70"), (20, "71.5"))),
    Cell("WW2", URGENT, gained((13, "70"), (20, "72.3"))),
    Cell("WW3", URGENT, gained((13, "70"), (20, "74.5"))),
    Cell("WW4", EMERGENCY, gained((13, "70"), (20, "74.5"), urine="less")),
    Cell("WW6", WATCH, gained((693, "70"), (700, "72.3")), day=OUT),
    Cell("WW7", URGENT, gained((693, "70"), (700, "74.5")), day=OUT),
    Cell("WW8", EMERGENCY, gained((693, "70"), (700, "74.5"), dizziness="mild"), day=OUT),
    Cell("WS1", URGENT, gained((17, "40"), (20, "41.2"), baseline_kg=Decimal(40))),
    Cell("WS4", URGENT, gained((693, "40"), (700, "42"), baseline_kg=Decimal(40)), day=OUT),
    Cell("WB3", EMERGENCY, gained((20, "75"), felt_feverish=True), more=baseline("70")),
    Cell("WB5", WATCH, gained((20, "73")), more=baseline("70")),
    Cell("WB6", URGENT, gained((20, "75")), more=baseline("70")),
    Cell("WB8", WATCH, gained((700, "75")), day=OUT, more=baseline("70")),
    Cell("WL1", WATCH, gained((697, "70"), (700, "68")), day=OUT),
    Cell("T1B", WATCH, gained((17, "70"), (18, "70.1"), (19, "70.2"), (20, "71.0"))),
    Cell("T1C", URGENT, gained((17, "70"), (18, "70.5"), (19, "71.0"), (20, "71.5"))),
    Cell("T1E", WATCH, gained((697, "70"), (698, "70.5"), (699, "71"), (700, "71.5")), day=OUT),
    # cough
    Cell("CO1", URGENT, {"cough": "new"}),
    Cell("CO1", URGENT, {"cough": "not_sure"}),
    Cell("CO2", URGENT, {"cough": "worse"}),
    Cell("CO3", WATCH, {"cough": "new"}, day=OUT),
    Cell("CO4", WATCH, {"cough": "worse"}, day=OUT),
    Cell("CO5", EMERGENCY, {"cough": "blood"}, day=OUT),
    # dizziness and blood pressure
    Cell("DZ1", URGENT, {"dizziness": "mild"}),
    Cell("DZ2", URGENT, {"dizziness": "mild"}, "gilteritinib", OUT),
    Cell("DZ3", WATCH, {"dizziness": "mild"}, "enasidenib", OUT),
    Cell("DZ3", WATCH, {"dizziness": "not_sure"}, "olutasidenib", OUT),
    Cell("DZ4", EMERGENCY, {"dizziness": "severe"}, day=OUT),
    Cell("DZ5", EMERGENCY, {"dizziness": "fainted"}, day=OUT),
    Cell("BP1", URGENT, {"bp_systolic": 90}, day=OUT),
    Cell("BP1", URGENT, {"bp_systolic": 99}),
    Cell("BP2", EMERGENCY, {"bp_systolic": 89}, day=OUT),
    # urine
    Cell("UR1", URGENT, {"urine": "less"}),
    Cell("UR2", WATCH, {"urine": "less"}, day=OUT),
    Cell("UR3", URGENT, {"urine": "very_little"}, day=OUT),
    Cell("UR4", EMERGENCY, {"urine": "very_little", "breathlessness": "mild_exertion"}, day=OUT),
    Cell("UR5", EMERGENCY, {"urine": "very_little", "swelling": "new_mild"}, day=OUT),
    Cell("UR5", EMERGENCY, {"urine": "very_little", "tighter_fit": True}, day=OUT),
    Cell("UR6", EMERGENCY, {"urine": "very_little", "confusion": "new"}, day=OUT),
    # bone pain: listed by ivosidenib, enasidenib, gilteritinib, ziftomenib
    Cell("BN1", WATCH, {"bone_pain": "mild"}, "atra"),
    Cell("BN1", WATCH, {"bone_pain": "mild"}, "revumenib"),
    Cell("BN2", WATCH, {"bone_pain": "mild"}, "enasidenib", OUT),
    Cell("BN3", URGENT, {"bone_pain": "mild"}, "enasidenib"),
    Cell("BN3", URGENT, {"bone_pain": "mild"}, "ivosidenib"),
    Cell("BN3", URGENT, {"bone_pain": "mild"}, "gilteritinib"),
    Cell("BN3", URGENT, {"bone_pain": "mild"}, "ziftomenib"),
    Cell("BN4", URGENT, {"bone_pain": "moderate"}, day=OUT),
    Cell("BN5", URGENT, {"bone_pain": "severe"}, day=OUT),
    # rash: listed by ivosidenib, gilteritinib, ziftomenib
    Cell("RS1", WATCH, {"rash": "mild"}, "enasidenib"),
    Cell("RS2", WATCH, {"rash": "mild"}, "gilteritinib", OUT),
    Cell("RS3", URGENT, {"rash": "mild"}, "ivosidenib"),
    Cell("RS3", URGENT, {"rash": "mild"}, "gilteritinib"),
    Cell("RS3", URGENT, {"rash": "mild"}, "ziftomenib"),
    Cell("RS4", URGENT, {"rash": "painful_or_widespread"}, day=OUT),
    Cell("RS5", URGENT, {"rash": "mild", **c("38.0")}, day=OUT),
    Cell("RS6", EMERGENCY, {"rash": "blisters_or_mouth"}, day=OUT),
    # confusion, nerves
    Cell("CF1", EMERGENCY, {"confusion": "new"}, day=OUT),
    Cell("CF1", EMERGENCY, {"confusion": "not_sure"}),
    Cell("NE1", EMERGENCY, {"neuro": "stroke_signs"}, day=OUT),
    Cell("NE2", EMERGENCY, {"neuro": "seizure"}, day=OUT),
    # bleeding
    Cell("BL1", URGENT, {"bleeding": "minor"}, "atra"),
    Cell("BL1", URGENT, {"bleeding": "minor"}, "ato"),
    Cell("BL1", URGENT, {"bleeding": "minor"}, "atra_ato"),
    Cell("BL2", WATCH, {"bleeding": "minor"}, "enasidenib"),
    Cell("BL3", WATCH, {"bleeding": "minor"}, "atra", OUT),
    Cell("BL4", URGENT, {"bleeding": "moderate"}, day=OUT),
    Cell("BL5", EMERGENCY, {"bleeding": "major"}, day=OUT),
    # heart
    Cell("HP1", URGENT, {"palpitations": "brief"}, "ato", OUT),
    Cell("HP2", WATCH, {"palpitations": "brief"}, "atra"),
    Cell("HP3", EMERGENCY, {"palpitations": "sustained"}, day=OUT),
    Cell("HP4", EMERGENCY, {"palpitations": "brief", "dizziness": "mild"}, day=OUT),
    Cell("HP5", EMERGENCY, {"palpitations": "brief", "chest_pain": "gone_now"}, day=OUT),
    Cell("HP6", EMERGENCY, {"palpitations": "brief", "breathlessness": "mild_exertion"}),
    # head and eyes
    Cell("HA1", WATCH, {"headache": "mild"}),
    Cell("HA2", URGENT, {"headache": "severe"}, "enasidenib"),
    Cell("HA3", EMERGENCY, {"headache": "sudden_worst"}, day=OUT),
    Cell("HA4", EMERGENCY, {"headache": "severe", "vision": "blurred_or_double"}, day=OUT),
    Cell("HA5", EMERGENCY, {"headache": "severe", "vomiting": True}, day=OUT),
    Cell("HA6", EMERGENCY, {"headache": "severe", "confusion": "new"}, day=OUT),
    Cell("HA7", EMERGENCY, {"headache": "severe"}, "atra", 30),
    Cell("HA7", EMERGENCY, {"headache": "severe"}, "ato", None),
    Cell("HA7", EMERGENCY, {"headache": "severe"}, "unknown", 30),
    Cell("VI1", URGENT, {"vision": "blurred_or_double"}, day=OUT),
    Cell("VI1", URGENT, {"vision": "not_sure"}, day=OUT),
    Cell("VI2", EMERGENCY, {"vision": "loss"}, day=OUT),
    # level of concern
    Cell("MW1", URGENT, {"feels_much_worse": True}, day=OUT),
    Cell("CW1", URGENT, {"caregiver_very_worried": True}, day=OUT),
]

# Answers that mean nothing by themselves.
QUIET: list[dict[str, Any]] = [
    {},
    {"red_flags": ()},
    {"red_flags": "none"},
    {"breathlessness": "none", "swelling": "none", "cough": "none"},
    {"breathlessness": "usual", "swelling": "usual", "cough": "usual"},
    {"bone_pain": "usual", "headache": "usual"},
    {"orthopnea": False, "swelling_breathing": False, "tighter_fit": False, "chills": False},
    {"fever_medicine_6h": True, "on_steroid": True, "vomiting": True},
    {"temperature": "not_measured", "weight": "not_measured", "felt_feverish": False},
    c("36.0"),
    c("37.4"),
    {"temperature_f": Decimal("99.4")},
    {"spo2": 95, "bp_systolic": 100},
    {"chest_pain": "none", "dizziness": "none", "urine": "normal", "rash": "none"},
    {"confusion": "none", "neuro": "none", "bleeding": "none", "palpitations": "none"},
    {"headache": "none", "vision": "normal", "feels_much_worse": False},
    {"caregiver_very_worried": False},
    gained((20, "70")),
    gained((13, "70"), (20, "70.5")),
    gained((19, "70"), (20, "70.9"), baseline_kg=Decimal(70)),
    gained((17, "70"), (20, "68.1"), baseline_kg=Decimal(68)),
    gained((19, "40"), (20, "40.9"), baseline_kg=Decimal(40)),
    gained((19, "75.2"), (20, "75.4"), baseline_kg=Decimal(70)),  # far above, but no step passed
]
