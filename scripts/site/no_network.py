"""Warns of what a page would load from elsewhere: the site is read where there is no network. mkdocs.yml names this file as a hook."""

from __future__ import annotations

import logging
import re
from typing import Any

LOG = logging.getLogger("mkdocs.hooks.no_network")
# Links may lead anywhere; these are loaded without being asked for.
LOADED = re.compile(
    r"""<(?:script|img|iframe|source)\b[^>]*\bsrc="?(?:https?:)?//"""
    r"""|<link\b(?=[^>]*\brel="?(?:stylesheet|preconnect|preload)\b)[^>]*\bhref="?(?:https?:)?//"""
)


def on_post_page(output: str, page: Any, config: Any) -> str:
    """Looks at the page as it is written."""
    if LOADED.search(output):
        LOG.warning("Doc file '%s' loads something from the network.", page.file.src_uri)
    return output
