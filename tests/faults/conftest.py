import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "pipeline"))  # for surroundings

from surroundings import clean_environment, project

__all__ = ["clean_environment", "project"]
