"""`python -m omnihub` is `omnihub`."""

from omnihub.cli import app

if __name__ == "__main__":
    app()
