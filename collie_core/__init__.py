"""A recommender library: everything Collie 1.1.2 documents, written afresh."""

__version__ = "0.1.0"
