import os

# The suites run in as many processes as there are cores: more threads only wait for each other.
# Set before torch is loaded, and inherited by the processes that tests start.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # see collie_pipeline
