"""The version, where every file can read it: the package itself names them all."""

__version__ = "0.1.0"
