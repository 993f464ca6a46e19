"""Retail: orders as schema.org Order JSON, paged by a `next` link, corrected by `modified`."""
