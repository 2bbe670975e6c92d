"""Alert references: five characters that a nurse can read aloud and type."""

import secrets

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH = 5


def new_ref() -> str:
    """A random reference with at least one digit and one letter, so that no word is taken for one.

    About 24 bits: not guessable within the life of an alert, and a reply counts only from a
    number that was texted.
    """
    while True:
        ref = "".join(secrets.choice(CROCKFORD) for _ in range(LENGTH))
        if any(c.isdigit() for c in ref) and any(c.isalpha() for c in ref):
            return ref
