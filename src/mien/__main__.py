"""`python -m mien`: the command line, where the command `mien` can't be found or a launcher wants a module."""

from mien.cli import main

if __name__ == "__main__":
    main()
