"""An ini block as the plugin would start with it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from .blocks import ROOT, Block, of_language

PLAIN = "mysql-proxy"
# The only ready-made script whose section has another name.
OTHER_NAMES = {"rw_splitting": "rwsplit"}
# A path in a value. Addresses (`redis://host/0`) have none.
PATH = re.compile(r"(?<![\w:/.])/(?:etc|run|srv|usr|var|path)/[\w./-]+")
ANY_SCRIPT = "def read_query(proxy, packet):\n    pass\n"


def required(variable: str) -> Path:
    """The file that an environment variable names."""
    value = os.environ.get(variable)
    assert value, f"{variable} must be set: scripts/test.sh does that"
    return Path(value).resolve(strict=True)


def host(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs the host to its end."""
    return subprocess.run(
        [required("PYPROXY_HOST"), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def check(block: Block, folder: Path) -> None:
    """Asks the plugin whether it would start with what the block says. Files that it names are made, below `folder`."""
    sections = _sections(block.text)
    plain = sections.pop(PLAIN, [])
    keys = {line.partition("=")[0].strip() for line in plain}
    if sections and "pyproxy-python-script" not in keys:
        script = _script_of(sections)
        plain.append(f"pyproxy-python-script = /etc/{script}.py")
        # Some do not start without it, and a page shows a further one.
        sections.setdefault(OTHER_NAMES.get(script, script), [])
    settings = "".join(
        f"[{name}]\n" + "".join(f"{line}\n" for line in lines) for name, lines in sections.items()
    )
    if sections and "pyproxy-script-config" not in keys:
        plain.append("pyproxy-script-config = /etc/settings.cnf")
    if "pyproxy-venv" not in keys:
        # Some scripts need a package of it.
        plain.append(f"pyproxy-venv = {sys.prefix}")
    (folder / "plugins").mkdir()
    (folder / "plugins" / "libpyproxy.so").symlink_to(required("PYPROXY_PLUGIN"))
    plain = [line for line in plain if not line.startswith(("plugins ", "plugin-dir ", "user "))]
    plain += ["plugins = pyproxy", f"plugin-dir = {folder / 'plugins'}", "log-level = message"]
    text = f"[{PLAIN}]\n" + "".join(f"{line}\n" for line in plain)
    for path in set(PATH.findall(text + settings)):
        _make(block, path, folder)
    ini = folder / "proxy.ini"
    ini.write_text(_below(text, folder))
    ini.chmod(0o600)
    for path in re.findall(r"^pyproxy-script-config *= *(.*)", text, re.M):
        (folder / path.lstrip("/")).write_text(_below(settings, folder))
    ended = host(f"--defaults-file={ini}", "--pyproxy-check-config")
    assert ended.returncode == 0, f"{ended.stdout}\n{ini.read_text()}{_below(settings, folder)}"
    assert "the configuration is good" in ended.stdout
    # Such as a section that no script reads. Most pages are not about the CA of servers.
    warnings = [line for line in ended.stdout.splitlines() if "(warning)" in line]
    assert all("servers are not verified" in line for line in warnings), ended.stdout


def _sections(text: str) -> dict[str, list[str]]:
    sections: dict[str, list[str]] = {}
    name = PLAIN
    for line in text.splitlines():
        if line.startswith("["):
            name = line.strip("[] ")
        sections.setdefault(name, [])
        if line and not line.startswith(("[", "#")):
            sections[name].append(line)
    return sections


def _script_of(sections: dict[str, list[str]]) -> str:
    """The ready-made script that reads these sections."""
    names = [path.stem for path in (ROOT / "python/pyproxy/hooks").glob("[a-z]*.py")]
    for section in sections:
        found = [
            name
            for name in names
            if f"{section}_".startswith((f"{name}_", f"{OTHER_NAMES.get(name, name)}_"))
        ]
        if found:
            return max(found, key=len)
    raise AssertionError(f"no script reads {sorted(sections)}")


def _below(text: str, folder: Path) -> str:
    return PATH.sub(lambda match: f"{folder}{match[0]}", text)


def _make(block: Block, path: str, folder: Path) -> None:
    """What has to be there for a start: a script, a certificate, a token. Of all else the folder is enough."""
    made = folder / path.lstrip("/")
    made.parent.mkdir(parents=True, exist_ok=True)
    if made.suffix == ".py":
        made.write_text(_script(block, made))
    elif made.suffix == ".pem":
        made.write_bytes(_certificate(folder).read_bytes())
        made.chmod(0o600)
    elif "token" in made.name or "password" in made.name:
        made.write_text("0123456789abcdef0123456789abcdef\n")
        made.chmod(0o600)
    elif made.name == "scripts":
        made.mkdir()
        (made / "mine.py").write_text(ANY_SCRIPT)
    elif re.search(rf"_file *= *{re.escape(path)}\b", block.text):
        made.touch()


def _script(block: Block, path: Path) -> str:
    """The file of this name on the page, or the ready-made script, or any."""
    for other in of_language("python"):
        if other.page == block.page and other.title == path.name:
            return other.text
    if (ROOT / "python/pyproxy/hooks" / path.name).exists():
        return f"from pyproxy.hooks.{path.stem} import *\n"
    return ANY_SCRIPT


def _certificate(folder: Path) -> Path:
    """A key and its certificate in one file, which is its own CA."""
    both = folder / "both.pem"
    if not both.exists():
        command = "req -x509 -newkey rsa:2048 -nodes -subj /CN=proxy -days 2 -keyout".split()
        subprocess.run(
            ["openssl", *command, folder / "key.pem", "-out", folder / "certificate.pem"],
            check=True,
            capture_output=True,
        )
        parts = [folder / "key.pem", folder / "certificate.pem"]
        both.write_bytes(b"".join(part.read_bytes() for part in parts))
    return both
