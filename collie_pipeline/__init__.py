"""The Dagster project that turns raw interactions into published recommendations."""
