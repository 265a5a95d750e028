"""``python -m domcore`` is ``domcore``."""

from domcore.cli import main

if __name__ == "__main__":
    main()
