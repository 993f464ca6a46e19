"""What may be counted and told: made again for any past week, from the records and from the ledger."""
