"""`python -m sim` does what `sim` does."""

from sim.cli import main

if __name__ == "__main__":
    main()
