"""The console script ``patient-portal``: one file a group, imported when it is called for.

``triage`` reads a line in milliseconds of work; it must not wait for the web's imports. So the
table below names each command's place and its one line of help, and nothing else is loaded.
"""

import importlib

import click

from patient_portal import __version__

# name: (where, what it does)
COMMANDS: dict[str, tuple[str, str]] = {
    "audit": ("audit:audit", "Check that the audit log is whole."),
    "clinic": ("clinic:clinic", "Add a clinic."),
    "cohort": ("cohort:cohort", "Put a protocol through synthetic courses of therapy."),
    "db": ("database:db", "Migrate the database; check what must always hold."),
    "demo": ("demo:demo", "Start the demo clinic on this machine."),
    "doctor": ("doctor:doctor", "Look at everything that must work, a line each, with the cure."),
    "drill": ("drilling:drill", "Test the alarm: a TEST text to the nurse on call."),
    "patients": ("patients:patients", "Add patients from a file."),
    "protocol": ("protocol:protocol", "Show or check the clinical rules."),
    "rota": ("rota:rota", "Show who is on call; try how likely an alert is taken in time."),
    "staff": ("staff:staff", "Add and disable members of the care team."),
    "triage": ("triage:triage", "Triage answers: JSON Lines in, JSON Lines out."),
    "web": ("processes:web", "Serve the pages."),
    "worker": ("processes:worker", "Send texts, plan reminders, watch the clock."),
}


class Commands(click.Group):
    """A group that imports a command only when it is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command's name, sorted."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command called ``cmd_name``, imported now; None if there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(f"patient_portal.cli.{module}"), name)
        return command if isinstance(command, click.Command) else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="patient-portal")
def main() -> None:
    """Daily check-ins that get a red answer to a nurse's phone.

    Exit status: 0 done, 1 found something wrong, 2 used wrongly.
    """
