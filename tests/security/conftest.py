import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "pipeline"))  # small_project

from pickles import marker

__all__ = ["marker"]
