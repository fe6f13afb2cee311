import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
# `benchmarks` is no part of what is installed, and its sides import each other by bare names
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks" / "sides")]
