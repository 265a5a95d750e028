"""What the store does, as pure functions: what was read goes in, a `Changes` comes out."""
