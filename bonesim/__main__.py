"""`python -m bonesim` is `bonesim`."""

from bonesim.cli import main

if __name__ == "__main__":
    main()
