"""Every block is of a kind that has a test, or is marked as one that nothing can run."""

from __future__ import annotations

from support.blocks import blocks

# What programs show, drawings, and what is no code: nothing to run.
NOT_RUN = {"text"}
RUN = {"console", "ini", "json", "lua", "python", "sh", "yaml"}


def test_every_block_has_a_kind() -> None:
    unknown = [block.id for block in blocks() if block.language not in RUN | NOT_RUN]
    assert not unknown, "\n".join(unknown)


def test_every_option_of_a_block_is_known() -> None:
    unknown = [
        f"{block.id}: {block.options}"
        for block in blocks()
        if block.options and not block.is_body and block.title is None
    ]
    assert not unknown, "\n".join(unknown)
