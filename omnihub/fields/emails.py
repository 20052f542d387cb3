"""E-mail addresses: one form, junk refused, and the ones that many people share."""

from __future__ import annotations

import re
import unicodedata

from omnihub.fields import domains
from omnihub.fields.text import Unclean, fold, listed, same_key

_BARE = re.compile(r"[a-z0-9_%+-]+(?:\.[a-z0-9_%+-]+)*@(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")
_LOCAL = re.compile(r"[^\s@\"(),:;<>\[\]\\.]+(?:\.[^\s@\"(),:;<>\[\]\\.]+)*")
_IN_BRACKETS = re.compile(r"[^<>]*<([^<>]+)>")
_SEPARATOR = re.compile(r"[;,\s]+")

JUNK_LOCAL = listed(
    "test tests testing test1 test123 tester asdf asdfg asdfgh qwerty qwertz xxx noemail no-email no.email nomail"
    " no-mail none keine keineemail keine-email keinemail n.a n-a n/a null unknown unbekannt dummy foobar nospam"
    " invalid ohne-email ohne.email"
)
JUNK_HOST = listed(
    "test.com test.de test.test test.fi test.org test.net asdf.com asdf.de xxx.com xxx.de xxx.xx none.com none.none"
    " noemail.com nomail.com email.invalid invalid.com null.com null.null foo.bar aa.aa na.na unknown.com keine.de"
    " dummy.com fake.com"
)

_ROLES = listed("""
    info infos information kontakt contact contacto contatto yhteys mail email post posti office buero buro
    zentrale empfang reception sekretariat secretary admin administration administrator administracion amministrazione
    support service services help helpdesk hilfe hotline kundenservice kundendienst customerservice customercare
    asiakaspalvelu kundtjanst sales vertrieb verkauf vente ventes ventas vendite myynti forsaljning handel
    commercial commerciale comercial einkauf purchasing purchase procurement buyer achats acquisti compras ostot
    inkop order orders bestellung bestellungen auftrag tilaukset accounting accounts accountspayable
    accountsreceivable buchhaltung rechnung rechnungen invoice invoices billing faktura laskutus laskut compta
    comptabilite facturacion facturation fatture ekonomi finance finanzen payroll kasse hr jobs job karriere career
    careers bewerbung bewerbungen recruiting personal marketing newsletter news presse press pr media webmaster
    postmaster hostmaster abuse root noreply no-reply donotreply do-not-reply mailer-daemon team hello hallo hi hej
    moi bonjour hola ciao welcome privacy datenschutz gdpr dsgvo security legal compliance export import logistik
    logistics versand shipping dispo lager warehouse shop store webshop onlineshop web online it edv technik tech
    technical techsupport production produktion qualitaet quality werkstatt workshop service-center feedback
    enquiries enquiry inquiry anfrage anfragen direction direktion accueil segreteria ufficio biuro sklep kadry
    toimisto everyone all staff alle mitarbeiter anmeldung registration booking reservierung events
""")
_SPLIT_LOCAL = re.compile(r"[._+-]|\d+")


def clean(text: str, country: str | None = None) -> str:
    """The bare address in lower case.

    >>> clean("Anna Schmidt <Anna.Schmidt@Firma.DE>"), clean("mailto:a.b+shop@firma.de;")
    ('anna.schmidt@firma.de', 'a.b+shop@firma.de')
    """
    low = text.lower()
    if "xn--" in low or not _BARE.fullmatch(low):
        low = _bare(low)
    local, _, domain = low.rpartition("@")
    if len(local) > 64 or len(low) > 254:
        raise Unclean("not a valid e-mail address")
    if local in JUNK_LOCAL or domain in JUNK_HOST:
        raise Unclean("a placeholder")
    return low


def _bare(low: str) -> str:
    """The address inside what people and mail programs put around it."""
    inside = _IN_BRACKETS.fullmatch(low)
    found = (inside[1] if inside else low).strip().removeprefix("mailto:").strip(" .,;'\"")
    if found.count("@") > 1 and len([part for part in _SEPARATOR.split(found) if "@" in part]) > 1:
        raise Unclean("more than one e-mail address")
    local, at, domain = found.rpartition("@")
    if not at or not _LOCAL.fullmatch(local):
        raise Unclean("not a valid e-mail address")
    try:
        return unicodedata.normalize("NFC", f"{local}@{domains.host(domain)}")
    except Unclean:
        raise Unclean("not a valid e-mail address") from None


def key(value: str) -> str:
    """The mailbox: folded, without plus-tag, Gmail's dots and Gmail's other name.

    >>> key("bob.smith+shop@googlemail.com"), key("Jörg@müller.de") == key("joerg@mueller.de")
    ('bobsmith@gmail.com', True)
    """
    local, _, domain = fold(value).rpartition("@")
    local = local.partition("+")[0] or local
    if domain in ("gmail.com", "googlemail.com"):
        local, domain = local.replace(".", "") or local, "gmail.com"
    return f"{local}@{domain}" if local else fold(value).strip() or same_key(value)


def weak(value: str) -> str | None:
    """Why this address is no evidence of one person, or None.

    >>> weak("info@firma.de"), weak("sales.emea@firma.de"), weak("x@yopmail.com"), weak("anna@gmail.com")
    ('role address', 'role address', 'disposable domain', None)
    """
    local, _, domain = value.rpartition("@")
    first = _SPLIT_LOCAL.split(local, maxsplit=1)[0]
    if local in _ROLES or (len(first) > 3 and first in _ROLES):
        return "role address"
    if domain in domains.DISPOSABLE:
        return "disposable domain"
    return None
