"""Protocols as files: questions, thresholds, wording and sources, strictly loaded."""

from patient_portal.protocols.library import ProtocolError, current, kept, load

__all__ = ["ProtocolError", "current", "kept", "load"]
