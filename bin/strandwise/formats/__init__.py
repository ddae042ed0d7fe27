"""What files hold: read, check, write; nothing else."""
