"""The planner's tests; a package so that they share `reference` and `problems`."""
