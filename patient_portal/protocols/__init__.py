"""Protocols as files: questions, thresholds, wording and sources, strictly loaded."""

from patient_portal.protocols.library import ProtocolError, current, load

__all__ = ["ProtocolError", "current", "load"]
