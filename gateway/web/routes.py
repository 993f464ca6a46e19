"""Every page of the citizen's web and its address."""

from __future__ import annotations

from starlette.routing import Route

from consent.records import Move
from gateway.web.consent_list import ConsentList
from gateway.web.consent_page import ConsentPage
from gateway.web.decline import Decline
from gateway.web.delegates import Delegates
from gateway.web.done import DonePage
from gateway.web.error_page import Endpoint, speaking
from gateway.web.export import Export
from gateway.web.logout import Logout
from gateway.web.my_consents import MyConsents
from gateway.web.my_receipts import MyReceipts
from gateway.web.narrow import Narrow
from gateway.web.notices import NoticesPage
from gateway.web.pause import Pause
from gateway.web.published import Published
from gateway.web.questionnaire import QuestionnairePages
from gateway.web.renewals import Renewals
from gateway.web.rights import Rights
from gateway.web.rights_record import RightsRecord
from gateway.web.sign_in import SignIn
from gateway.web.signature import Signature
from gateway.web.site import Site
from gateway.web.waiting import Later
from gateway.web.withdraw import Withdraw


def routes(site: Site) -> list[Route]:
    """The routes of `site`. Refusals are answered as pages; all else is for the application's handlers."""
    consent, done, mine = ConsentPage(site), DonePage(site), MyConsents(site)
    sign_in, withdraw, logout = SignIn(site), Withdraw(site), Logout(site)
    narrow, pause, resume = Narrow(site), Pause(site, Move.PAUSE), Pause(site, Move.RESUME)
    renewals, notices, rights = Renewals(site), NoticesPage(site), Rights(site)
    delegates, questionnaire, published = Delegates(site), QuestionnairePages(site), Published(site)
    receipts, export, signature = MyReceipts(site), Export(site), Signature(site)
    pages: list[tuple[str, str, Endpoint]] = [
        ("GET", "/static/{name}", site.renderer.static.serve),
        ("GET", "/sign-in", sign_in.show),
        ("GET", "/sign-in/start", sign_in.start),
        ("GET", "/sign-in/return", sign_in.back),
        ("POST", "/sign-out", sign_in.end),
        ("GET", "/signed-out", sign_in.ended),
        ("GET", "/logout", logout.ask),
        ("POST", "/logout", logout.ask),
        ("POST", "/logout/confirm", logout.confirm),
        ("GET", "/consent/{interaction}", consent.show),
        ("POST", "/consent/{interaction}", consent.answer),
        ("POST", "/consent/{interaction}/decline", Decline(site).answer),
        ("GET", "/consent/{interaction}/done", done.show),
        ("GET", "/consent/{interaction}/later", Later(site).show),
        ("POST", "/questionnaire", questionnaire.take),
        ("GET", "/questionnaire/thanks", questionnaire.thanks),
        ("GET", "/statistics", published.every),
        ("GET", "/statistics/{about}/{month}", published.one),
        ("GET", "/my/renewals", renewals.show),
        ("POST", "/my/renewals", renewals.answer),
        ("GET", "/my/renewals/done", renewals.done),
        ("GET", "/my/notices", notices.show),
        ("POST", "/my/notices/read", notices.read),
        ("GET", "/rights", RightsRecord(site).show),
        ("GET", "/my/rights", rights.every),
        ("POST", "/my/rights", rights.ask),
        ("GET", "/my/rights/{right}", rights.one),
        ("POST", "/my/rights/{right}/file", rights.file),
        ("POST", "/my/rights/{right}/cancel", rights.cancel),
        ("GET", "/for/{mandate}/consent/{interaction}", consent.show),
        ("POST", "/for/{mandate}/consent/{interaction}", consent.answer),
        ("GET", "/for/{mandate}/consent/{interaction}/done", delegates.done),
        ("GET", "/my/delegates", delegates.show),
        ("POST", "/my/delegates", delegates.invite),
        ("POST", "/my/delegates/accept", delegates.accept),
        ("POST", "/my/delegates/{mandate}/end", delegates.end),
        ("GET", "/my/consents", ConsentList(site).every),
        ("GET", "/my/consents/{consent}", mine.one),
        ("GET", "/my/consents/{consent}/receipt", mine.receipt),
        ("GET", "/my/consents/{consent}/receipts", receipts.every),
        ("GET", "/my/consents/{consent}/receipts/{part}", receipts.one),
        ("GET", "/my/consents/{consent}/receipts/{part}/file", receipts.file),
        ("GET", "/my/consents/{consent}/text", receipts.text),
        ("GET", "/my/consents/{consent}/signature", signature.show),
        ("POST", "/my/consents/{consent}/signature", signature.add),
        ("GET", "/my/consents/{consent}/signature/content", signature.content),
        ("GET", "/my/export", export.show),
        ("GET", "/my/export/consents", export.consents),
        ("GET", "/my/export/fhir", export.fhir),
        ("GET", "/my/consents/{consent}/narrow", narrow.show),
        ("POST", "/my/consents/{consent}/narrow", narrow.answer),
        ("GET", "/my/consents/{consent}/narrowed", narrow.done),
        ("GET", "/my/consents/{consent}/pause", pause.show),
        ("POST", "/my/consents/{consent}/pause", pause.confirm),
        ("GET", "/my/consents/{consent}/resume", resume.show),
        ("POST", "/my/consents/{consent}/resume", resume.confirm),
        ("GET", "/my/consents/{consent}/withdraw", withdraw.show),
        ("POST", "/my/consents/{consent}/withdraw", withdraw.confirm),
        ("GET", "/my/consents/{consent}/withdrawn", withdraw.done),
        ("POST", "/my/consents/{consent}/delete", withdraw.instruct),
        ("GET", "/my/consents/{consent}/deletion-certificate", withdraw.certificate),
    ]
    return [
        Route(path, speaking(site.renderer, endpoint, secure=site.secure), methods=[method])
        for method, path, endpoint in pages
    ]
