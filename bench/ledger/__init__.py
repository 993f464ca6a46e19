"""What the ledger costs: appending against a naive hash chain, the tree, proofs, look-ups, bytes."""
