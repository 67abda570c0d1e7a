"""``python -m morphospace`` is ``morpho``."""

from morphospace.cli import main

if __name__ == "__main__":
    main()
