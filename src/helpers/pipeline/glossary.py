"""Sphinx extension: the first use of a glossary's term on a page links to the glossary."""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

# Where a link would be out of place, or there is one already.
SKIPPED = (
    nodes.citation,
    nodes.FixedTextElement,
    nodes.Titular,
    nodes.caption,
    nodes.literal,
    nodes.math,
    nodes.raw,
    nodes.reference,
    nodes.strong,
    nodes.table,
)


class LinkTerms(SphinxPostTransform):
    """Link each term where a page first uses it in running text."""

    default_priority = 900

    def run(self, **kwargs):
        places = glossary_places(self.env)
        here = self.env.docname
        places = {term: place for term, place in places.items() if place[0] != here}
        if not places:
            return
        pattern = term_pattern(places)
        for text in [*self.document.findall(nodes.Text)]:
            if _is_running_text(text):
                self._link(text, pattern, places)

    def _link(self, text, pattern, places):
        parts, end = [], 0
        for match in pattern.finditer(text):
            term = _known(match["term"], places)
            if term is None:
                continue
            document, label = places.pop(term)
            address = self.app.builder.get_relative_uri(self.env.docname, document)
            parts.append(nodes.Text(text[end : match.start()]))
            parts.append(
                nodes.reference(
                    "", match[0], refuri=f"{address}#{label}", internal=True, classes=["term"]
                )
            )
            end = match.end()
        if parts:
            text.parent.replace(text, [*parts, nodes.Text(text[end:])])


def glossary_places(env) -> dict[str, tuple[str, str]]:
    """Map each term of the book's glossaries to its document and anchor."""
    objects = env.get_domain("std").objects.items()
    return {name: place for (kind, name), place in objects if kind == "term"}


def term_pattern(terms) -> re.Pattern:
    """Match any of the terms as a word or its plural, longer ones first."""
    longest_first = sorted(terms, key=len, reverse=True)
    words = "|".join(map(re.escape, longest_first))
    return re.compile(rf"(?<![\w-])(?P<term>{words})s?(?![\w-])", re.IGNORECASE)


def _known(found, places):
    """The term that was found; abbreviations must be written as in the glossary."""
    if found in places:
        return found
    plain = (term for term in places if term[1:] == term[1:].lower())
    return next((term for term in plain if term.casefold() == found.casefold()), None)


def _is_running_text(text):
    node, in_paragraph = text.parent, False
    while node is not None:
        if isinstance(node, SKIPPED) or "table-notes" in node.get("classes", []):
            return False
        in_paragraph = in_paragraph or isinstance(node, nodes.paragraph)
        node = node.parent
    return in_paragraph


def setup(app):
    """Register the extension."""
    app.add_post_transform(LinkTerms)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
