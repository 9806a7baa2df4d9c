"""Proving what was decided: the Merkle tree over the log's entries, its signed checkpoints, and receipts.

`merkle` is the tree, `tiles` its stored form; `note` signs text and `checkpoint` the tree's head; `commitment`
hides a value that may be shown later; `receipt` proves one entry to someone who has nothing but our public key.
All of it is computation: entries come as bytes, stored nodes through a function that reads them. Storing them and
naming the time is left to the floors above. Signatures need the extra `audit`.
"""
