"""How long everything is kept and why (`schedule.yaml`), and the jobs that end it.

`schedule` reads the data, `jobs` names what runs, `sweep` runs it; `paper` prints docs/retention.md.
"""
