"""Bundles: what a recipient gets. Rules become a plan, records are treated, sealed, and opened offline.

Imports nothing else of the gateway: no database, no consent, no settings.
"""
