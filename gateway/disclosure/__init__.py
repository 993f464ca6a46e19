"""Records that leave as files: to a regulator, to whoever takes over; and the gateway's ending."""
