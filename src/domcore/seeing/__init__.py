"""Seeing where things stand: an order's timeline, what waits for a person, and the figures."""
