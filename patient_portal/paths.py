"""Where the folders that are not Python code lie."""

from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def shipped(name: str) -> Path:
    """Return the folder `name` ("templates", "translations") as an absolute path.

    In a wheel it lies inside the package, in a checkout beside it. Raises FileNotFoundError
    when it is in neither place, so that a broken build is noticed at start.
    """
    for folder in (PACKAGE / name, PACKAGE.parent / name):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"folder {name!r} is neither in {PACKAGE} nor beside it")
