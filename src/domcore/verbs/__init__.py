"""The verbs of the application object, by what they are about."""
