"""What was found, as lines."""

from __future__ import annotations

__all__ = ["Report"]


class Report:
    """Prints what is done and what is found; knows whether all of it holds."""

    def __init__(self) -> None:
        self.wrong: list[str] = []

    def step(self, text: str) -> None:
        """Something is done."""
        print(f"==> {text}", flush=True)

    def figure(self, text: str) -> None:
        """Something was counted."""
        print(f"    {text}", flush=True)

    def check(self, holds: bool, text: str) -> None:
        """Something must hold."""
        print(f"    {'ok' if holds else 'WRONG'}: {text}", flush=True)
        if not holds:
            self.wrong.append(text)
