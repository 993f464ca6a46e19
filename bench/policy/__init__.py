"""What a decision costs: embedded, through an OPA, with its record; and what a reload costs."""
