"""The Dagster project that turns raw interactions into published recommendations."""

import os

# torch's threads wait for each other in a loop that keeps the processor busy: beside any other
# process this made training 5 to 8 times slower. Read once, when torch loads.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# Arrow's own allocator keeps what is freed: a quarter of what preparation takes. Read once, too.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
