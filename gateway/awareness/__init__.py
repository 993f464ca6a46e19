"""What the public may know: how the gateway is used, what citizens answered; never a person."""
