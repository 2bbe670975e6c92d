"""The protocol stated a second time: tables written by hand, and a reader of their own."""
