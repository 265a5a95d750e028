"""Tables that ship with domcore."""
