import os

os.environ.setdefault("OMP_WAIT_POLICY", "passive")  # see collie_pipeline
