"""The policy: a frozen `Question` in, a `Decision` out, from one of two engines, never an open door.

question.py   what a door asks           decision.py  what an engine may answer, checked
engine.py     the Protocol               decide.py    the one function doors call
embedded.py   in process                 opa.py       OPA server; server.py starts a local one
bundle.py     the policy's bytes and their revision
reasons.py    the text of each code      record.py    the row a decision leaves (tables.py)
"""
