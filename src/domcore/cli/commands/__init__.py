"""The built-in commands: ``domcore NAME`` lives in ``NAME.py`` as `command`."""
