"""``python -m patient_portal.cli``: the console script without an installed package."""

from patient_portal.cli import main

main(prog_name="patient-portal")
