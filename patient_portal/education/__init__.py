"""Pages that explain, in plain words, and the way they are read and shown."""

from patient_portal.education.library import Page, PageFault, Source, load, page, pages
from patient_portal.education.reading import ReadablePage, readable

__all__ = ["Page", "PageFault", "ReadablePage", "Source", "load", "page", "pages", "readable"]
