"""Three short questions after a consent or a withdrawal: nobody needs to answer, nobody can be found by it.

The page asks with a ticket in the form (`gateway.awareness.ticket`). Taking the answer looks at nothing else:
no session, no cookie, no address of the caller.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from gateway.awareness.answers import ANSWERS, NONE, QUESTIONS
from gateway.errors import Language, Problem
from gateway.web import language
from gateway.web.controls import Option, Select
from gateway.web.forms import read_form
from gateway.web.site import Site
from gateway.web.views import Asking
from gateway.web.words import words

THANKS = "/questionnaire/thanks"


def asking(site: Site, kind: str, consent_id: str, at: int | None, spoken: Language) -> Asking | None:
    """The questions about what happened to a consent at `at`; None when it is not, or no longer, asked."""
    if site.questionnaire is None or at is None:
        return None
    ticket = site.questionnaire.tickets.give(kind, consent_id, at, site.now())
    if ticket is None:
        return None
    t = words(spoken)
    left_out = Option("", t("questionnaire.left_out"), chosen=True)
    options = (left_out, *(Option(answer, t(f"questionnaire.{answer}")) for answer in ANSWERS))
    questions = tuple(
        Select(question, f"question-{question}", t(f"questionnaire_{kind}.{question}"), options)
        for question in QUESTIONS
    )
    return Asking(ticket, questions)


class QuestionnairePages:
    """The endpoints of the questionnaire."""

    def __init__(self, site: Site) -> None:
        """Serve `site`."""
        self._site = site

    async def take(self, request: Request) -> Response:
        """POST /questionnaire: count the answers once; the second time nothing is counted.

        Raises Problem `form_invalid`, `questionnaire_over`.
        """
        form = await read_form(request, single=("ticket", *QUESTIONS), required=("ticket",))
        answers = {question: form.one(question) or NONE for question in QUESTIONS}
        if not set(answers.values()) <= {*ANSWERS, NONE} or NONE in map(form.one, QUESTIONS):
            raise Problem("form_invalid", detail="an unknown answer")
        if self._site.questionnaire is None:
            raise Problem("questionnaire_over")
        await self._site.questionnaire.take(
            self._site.database, form.one("ticket"), answers, self._site.now()
        )
        return RedirectResponse(THANKS, 303)

    async def thanks(self, request: Request) -> Response:
        """GET /questionnaire/thanks: the same for everybody."""
        spoken = language.of_request(request)
        return self._site.renderer.message(spoken, "questionnaire.thanks", "questionnaire.thanks_about")
