"""What a look-up costs as the past of one citizen at one company grows."""
