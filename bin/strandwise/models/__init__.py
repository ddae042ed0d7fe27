"""Models: load one with its card, refuse a wrong or damaged one, run it on the lightest runtime."""
