"""Commands of the pages: they are not run, as they need a system of their own (services, packages, a server, another user).

Bash can read them, shellcheck finds nothing, and the options of the plugin in them exist.
"""

from __future__ import annotations

import re
import subprocess

import pytest
from support.blocks import Block, of_language
from support.configuration import host, required

OPTION = re.compile(r"--((?:no-|help-)?pyproxy[\w-]*)")
# What a page leaves out: where variables come from, and where a path leads.
NOT_OURS = "SC2148,SC2154,SC2164,SC1091"


def commands(block: Block) -> str:
    """The script that it is; of what a terminal shows, the lines behind a prompt and those that continue them."""
    if block.language == "sh":
        return block.text
    lines: list[str] = []
    for line in block.text.splitlines():
        if line.startswith(("$ ", "# ")):
            lines.append(line[2:])
        elif lines and lines[-1].endswith("\\"):
            lines.append(line.removeprefix("> "))
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="session")
def options(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """Those of the plugin, as its help has them."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "libpyproxy.so").symlink_to(required("PYPROXY_PLUGIN"))
    shown = host("--plugins=pyproxy", f"--plugin-dir={folder}", "--help-pyproxy")
    return set(OPTION.findall(shown.stdout)) | {"help-pyproxy"}


@pytest.mark.parametrize(
    "block", [pytest.param(it, id=it.id) for it in of_language("console", "sh")]
)
def test_commands(block: Block, options: set[str]) -> None:
    script = commands(block)
    assert script.strip(), "there is no command in it"
    ran = subprocess.run(
        ["shellcheck", "--shell=bash", "--severity=warning", f"--exclude={NOT_OURS}", "-"],
        input=script,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, f"{script}\n{ran.stdout}{ran.stderr}"
    assert set(OPTION.findall(script)) <= options
