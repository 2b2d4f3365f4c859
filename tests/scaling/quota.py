"""Whether a quota was one, over all proxies."""

from __future__ import annotations

from typing import NamedTuple

from .report import Report

__all__ = ["Quota", "check_quota"]


class Quota(NamedTuple):
    """As in [quota_users]."""

    queries_per_second: float
    burst: int

    @classmethod
    def of(cls, config: str, user: str) -> Quota:
        """The quota of a user in the settings of a proxy."""
        (line,) = (each for each in config.splitlines() if each.startswith(f"{user} = "))
        values = dict(part.split("=") for part in line.split(" = ")[1].split())
        return cls(float(values["queries_per_second"]), int(values["burst"]))

    def most(self, seconds: float) -> int:
        """The most that it lets through in so many seconds."""
        return int(self.burst + self.queries_per_second * seconds)


def check_quota(
    report: Report,
    quota: Quota,
    seconds: float,
    passed: int,
    refused: int,
    by_proxy: dict[str, int],
) -> None:
    """`by_proxy`: how many each proxy let through."""
    most = quota.most(seconds)
    text = f"quota: {passed} of {passed + refused} commands passed in {seconds:.1f} s"
    report.check(passed <= most, f"{text}, at most {most} may")
    # Otherwise nothing is shown.
    report.check(passed > quota.burst and refused > 0, "quota: more was wanted than was allowed")
    served = {name: count for name, count in by_proxy.items() if count}
    report.check(len(served) > 1, f"quota: it was used on several proxies: {served}")
