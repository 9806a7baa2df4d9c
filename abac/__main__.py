"""Let `python -m abac` be the command line."""

from abac.cli import main

if __name__ == "__main__":
    main()
