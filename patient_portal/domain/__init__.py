"""Plain rules of the house: no I/O, no framework, the same answer for the same input."""
