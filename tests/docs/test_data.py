"""What is neither run nor configured can be read by those that it is for: JSON, YAML and Lua."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
import yaml
from support.blocks import Block, of_language


def with_ids(*languages: str) -> list[object]:
    return [pytest.param(block, id=block.id) for block in of_language(*languages)]


@pytest.mark.parametrize("block", with_ids("json"))
def test_json(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("block", with_ids("yaml"))
def test_yaml(block: Block, tmp_path: Path) -> None:
    content = yaml.safe_load(block.text)
    path = tmp_path / "of_the_page.yml"
    path.write_text(block.text, encoding="utf-8")
    if "scrape_configs" in content:
        run("promtool", "check", "config", path)
    elif "groups" in content:
        run("promtool", "check", "rules", path)


# Scripts of the Lua plugin, beside what they become: the plugin has no Lua.
@pytest.mark.parametrize("block", with_ids("lua"))
def test_lua(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "of_the_page.lua"
    path.write_text(block.text, encoding="utf-8")
    run("luac", "-p", path)


def run(*command: str | Path) -> None:
    ran = subprocess.run(command, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stdout + ran.stderr
