"""The log's formats and proofs: pure functions, no I/O, no database. `verify` can be lifted out alone."""
