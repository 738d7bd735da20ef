"""Makes `python -m pixelwise` the same as the command `pixelwise`."""

from pixelwise.cli import main

if __name__ == "__main__":
    main()
