"""The worker process: sends texts, plans reminders, closes forms that nobody sent.

An alert waits neither for a reminder nor for a gateway that hangs. Nothing that matters is kept
in memory: a worker that is killed anywhere leaves rows whose lease ends, and another goes on.
"""

from patient_portal.worker.loop import Worker

__all__ = ["Worker"]
