"""`python -m bonesim` is `bonesim`."""

from bonesim.cli.main import main

if __name__ == "__main__":
    main()
