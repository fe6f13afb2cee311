"""Findings as Dagster has them: what checks an asset promises, and what they found."""

import dagster as dg

from collie_pipeline.checking import Finding


def promised(key: str, *names: str, blocking: bool = True) -> list[dg.AssetCheckSpec]:
    """Return the checks called `names` of the asset `key`; blocking ones stop what comes after."""
    return [dg.AssetCheckSpec(name, asset=key.split("/"), blocking=blocking) for name in names]


def found(key: str, name: str, finding: Finding) -> dg.AssetCheckResult:
    """Return what the check `name` of the asset `key` found; a warning never blocks."""
    warns = dg.AssetCheckSeverity.WARN if finding.warns else dg.AssetCheckSeverity.ERROR
    return dg.AssetCheckResult(
        check_name=name,
        asset_key=key.split("/"),
        passed=finding.passed,
        severity=warns,
        description=finding.said,
        metadata=dict(finding.numbers),
    )
