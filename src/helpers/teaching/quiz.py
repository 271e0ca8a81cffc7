"""Sphinx extension: the directive ``quiz``, and what makes quizzes and explorers work.

A quiz is a question and a task list; the right option is ticked, and what is said about an
option stands after an arrow::

    :::{quiz} Who is censored?
    - [ ] A patient who died → Death is the event itself.
    - [x] A patient alive at the end of the study → The time of death is not known.
    :::
"""

import re

from docutils import nodes
from docutils.statemachine import StringList
from sphinx.util.docutils import SphinxDirective

OPTION = re.compile(r"- \[(?P<tick>[ xX])\] (?P<text>.+?)(?: → (?P<said>.+))?$")


class quiz(nodes.General, nodes.Element):
    """A question with its options."""


class quiz_question(nodes.General, nodes.Element):
    """The question."""


class quiz_option(nodes.General, nodes.Element):
    """An option: its text, then what is said about it."""


class quiz_said(nodes.General, nodes.Element):
    """What is said about an option."""


class Quiz(SphinxDirective):
    """A question with one right option."""

    has_content = True
    required_arguments = 1
    final_argument_whitespace = True

    def run(self):
        """Return the nodes of the quiz."""
        options = [self._match(line) for line in self._joined()]
        if sum(option["tick"] in "xX" for option in options) != 1 or len(options) < 2:
            raise self.error("a quiz has at least two options, and one of them is ticked")
        number = self.env.new_serialno("quiz")
        found = quiz("", quiz_question("", *self._parse(self.arguments[0])), number=number)
        for place, option in enumerate(options):
            said = quiz_said("", *self._parse(option["said"] or ""))
            node = quiz_option("", *self._parse(option["text"]))
            node.attributes.update(
                name=f"quiz-{number}", key=f"quiz-{number}-{place}", right=option["tick"] in "xX"
            )
            found += [node, said]
        return [found]

    def _joined(self):
        """Yield each option as one line."""
        joined = []
        for line in self.content:
            if line.startswith("- ") or not joined:
                joined.append(line.strip())
            elif line.strip():
                joined[-1] += f" {line.strip()}"
        return [line for line in joined if line]

    def _match(self, line):
        option = OPTION.match(line)
        if not option:
            raise self.error(f"not an option of a quiz: {line!r}")
        return option.groupdict()

    def _parse(self, text):
        """Parse a paragraph and return what is in it."""
        holder = nodes.Element()
        self.state.nested_parse(StringList([text], self.name), 0, holder)
        return holder.children[0].children if holder.children else []


def _open_quiz(writer, node):
    writer.body.append('<form class="quiz"><fieldset>')


def _close_quiz(writer, node):
    said = f'<p class="quiz-result" role="status" id="quiz-{node["number"]}-result"></p>'
    writer.body.append(
        f'<button type="submit" class="quiz-check" hidden>Check</button>{said}</fieldset></form>\n'
    )


def _open_question(writer, node):
    writer.body.append("<legend>")


def _close_question(writer, node):
    writer.body.append("</legend>")


def _open_option(writer, node):
    key, right = node["key"], "true" if node["right"] else "false"
    writer.body.append(
        f'<div class="quiz-option"><input type="radio" name="{node["name"]}" id="{key}" '
        f'data-right="{right}"><label for="{key}">'
    )


def _close_option(writer, node):
    writer.body.append("</label></div>")


def _open_said(writer, node):
    writer.body.append('<details class="quiz-said"><summary>Why</summary><p>')


def _close_said(writer, node):
    writer.body.append("</p></details>")


def setup(app):
    """Register the extension."""
    app.add_node(quiz, html=(_open_quiz, _close_quiz))
    app.add_node(quiz_question, html=(_open_question, _close_question))
    app.add_node(quiz_option, html=(_open_option, _close_option))
    app.add_node(quiz_said, html=(_open_said, _close_said))
    app.add_directive("quiz", Quiz)
    app.add_css_file("teaching.css")
    app.add_js_file("teaching.js", loading_method="defer")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
