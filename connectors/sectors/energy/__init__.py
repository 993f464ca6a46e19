"""Energy: Green Button (NAESB REQ.21 ESPI) Atom feeds, one record an interval reading."""
