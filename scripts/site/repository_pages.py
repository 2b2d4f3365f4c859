"""Pages of the repository that lie beside docs/ and belong to the site: mkdocs.yml names this file as a hook.

On the site a page has its path in the repository, those of docs/ without `docs/`. So that each page can be read as a file,
too, links are written for the repository, and made to fit here. A link to a file that is not on the site becomes its
text; one to nothing stays, and mkdocs warns of it.
"""

from __future__ import annotations

import logging
import os
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

LOG = logging.getLogger("mkdocs.hooks.repository_pages")
ROOT = Path(__file__).parents[2]
DOCS = "docs/"
BESIDE_DOCS = [
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SAFETY.md",
    "examples/README.md",
    "tests/clients/README.md",
]
# What these show: copied as it is.
SHOWN = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("examples/*.py"))
LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)\s#:]+)(?P<heading>#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Adds the pages, and what they show."""
    for path in BESIDE_DOCS + SHOWN:
        files.append(File(path, str(ROOT), config.site_dir, config.use_directory_urls))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Makes links of the repository those of the site."""
    here = page.file.src_uri
    in_repository = here if here in BESIDE_DOCS else DOCS + here

    def on_site(link: re.Match[str]) -> str:
        target = posixpath.normpath(
            posixpath.join(posixpath.dirname(in_repository), link["target"])
        )
        uri = target.removeprefix(DOCS)
        if files.get_file_from_path(uri) is not None:
            path = os.path.relpath(uri, posixpath.dirname(here) or ".")
            return f"[{link['text']}]({path}{link['heading'] or ''})"
        return link["text"] if (ROOT / target).exists() else link[0]

    return LINK.sub(on_site, markdown)


def on_page_content(html: str, page: Any, config: Any, files: Files) -> str:
    """Warns of a block that became none, as what stands behind its backticks is nothing that Markdown knows."""
    if "```" in html:
        LOG.warning("Doc file '%s' has a code block that is not shown as one.", page.file.src_uri)
    return html
