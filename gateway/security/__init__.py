"""What keeps a browser safe at our doors: response headers, the cross-origin check, citizen sessions."""
