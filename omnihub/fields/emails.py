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
    info infos information informations informacion informacje informace kontakt kontakti contact contacts contacto
    contatto contato contactus yhteys yhteydenotto yhteystiedot mail mailbox email epost e-post post posta poste posti
    correo office offices buero buro bureau zentrale central centrale empfang reception receptie recepcion recepcja
    vastaanotto sekretariat secretariat secretaria segreteria sekretariaat sihteeri secretary admin admins
    administration administrator administracion administracao amministrazione administracja administratie hallinto
    adm support suporte soporte supporto tuki service services servicio servizio serwis huolto help helpdesk helpline
    hilfe hotline aide ayuda pomoc kundenservice kundendienst kundenbetreuung kundencenter customerservice
    customersupport customercare customer customers client clients cliente clientes clienti serviceclient
    atencionalcliente klantenservice klant asiakaspalvelu asiakas kundtjanst kundeservice kundservice bok sales salg
    salgs forsaljning vertrieb verkauf verkoop vente ventes ventas vendas vendite myynti sprzedaz handel handlowy
    obchod prodej prodaja commercial commerciale commerciales comercial comerciale einkauf purchase purchases
    purchasing procurement buyer buyers achat achats acquisti compras ostot inkop innkjop indkob zakupy inkoop nakup
    order orders ordering bestellung bestellungen auftrag auftraege commande commandes pedido pedidos ordine ordini
    tilaus tilaukset bestilling bestallning zamowienia bestellingen objednavky accounting accounts account
    accountspayable accountsreceivable ap ar buchhaltung rechnung rechnungen rechnungseingang rechnungswesen
    eingangsrechnung invoice invoices invoicing einvoice billing payment payments faktura fakturor fakturering
    fakturace faktury fatura faturas factura facturas facturacion facturation factuur facturen fattura fatture laskut
    laskutus reskontra kirjanpito talous compta comptabilite comptable contabilidad contabilidade contabilita
    boekhouding ekonomi okonomi finance finances finanzen finanzas financeiro payroll palkat
    lohn kasse hr rh job jobs work karriere career careers carriere empleo emploi lavoro praca prace vacature rekry
    bewerbung bewerbungen recruiting recruitment recrutement personal personalabteilung personnel kadry marketing
    markkinointi mkt newsletter news nieuwsbrief notification notifications notify alert alerts presse press pers
    prensa imprensa stampa media medien redaktion redaction pr webmaster postmaster hostmaster abuse root noreply
    no-reply nao-responda donotreply do-not-reply nepasrepondre no-responder mailer-daemon bounce bounces team teams
    equipe equipo hello hallo hullo hi hej moi bonjour hola ciao salut salve czesc ahoj tere hei welcome
    willkommen privacy datenschutz dataprotection dpo gdpr rgpd dsgvo tietosuoja security sicherheit legal
    compliance export import exports imports logistik logistics logistica logistique logistiek versand shipping
    dispatch delivery livraison disposition dispo lager magazijn magazzino almacen entrepot warehouse shop store
    webshop webstore onlineshop eshop e-shop tienda boutique negozio loja sklep kauppa butik web
    website online internet it edv ict technik tech techn technical techsupport tecnico technique tekniikka production
    produktion produccion produzione tuotanto qualitaet quality qualite qualitaetssicherung qs qm werkstatt werkplaats
    workshop atelier taller officina service-center servicecenter feedback reklamation reklamationen reklamacje
    reklamaatiot claims complaints beschwerde enquiries enquiry inquiry inquiries anfrage anfragen ask question
    questions request requests direction direktion direccion direzione direkce directie accueil ufficio biuro
    toimisto kontor kancelaria kancelar kanzlei sekretar everyone all staff alle mitarbeiter anmeldung registration
    register registrierung booking bookings reservierung reservation reservations reservas prenotazioni varaukset
    rezerwacja rezervace events event veranstaltung kurse seminar schule school praxis apotheke hotel restaurant club
    verein vorstand management geschaeftsleitung geschaeftsfuehrung gf ceo cfo cto coo director manager owner inhaber
    partner partners dealer dealers haendler reseller supplier suppliers lieferant lieferanten fournisseurs
    proveedores fornitori users user system sysadmin server monitoring scan scanner printer drucker fax backup archiv
    archive postbox eingang inbox kundenkonto bestand vertrag vertraege leasing rental miete vermietung asiakaspalaute
    palaute
""")
# Words people put where a form insists on an address.
_MADE_UP = listed("""
    aa abc abcd abc123 asd asda asdasd bb xx 11 123 1234 12345 123456 name yourname youremail your.name your-email
    vorname.nachname vorname nachname firstname.lastname first.last firstname lastname max.mustermann maxmustermann
    erika.mustermann mustermann example beispiel muster sample someone somebody nobody noone anyone anybody jemand
    niemand fake spam trash muell no nope non nein nada nothing blah bla foo bar not not.available notavailable
    notprovided not.provided na guest gast walkin walk-in cash barverkauf laufkunde
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


# Mail houses where several domains lead to one mailbox, and the signs that make no difference there.
_ONE_HOUSE = {
    "gmail.com": ("gmail.com", "."),
    "googlemail.com": ("gmail.com", "."),
    "proton.me": ("proton.me", "._-"),
    "protonmail.com": ("proton.me", "._-"),
    "protonmail.ch": ("proton.me", "._-"),
    "pm.me": ("proton.me", "._-"),
    "me.com": ("icloud.com", ""),
    "mac.com": ("icloud.com", ""),
    "ya.ru": ("yandex.ru", "-."),
    "yandex.ru": ("yandex.ru", "-."),
    "yandex.com": ("yandex.ru", "-."),
}


def key(value: str) -> str:
    """The mailbox: folded, without plus-tag, the dots Gmail ignores, another name of the house or a slip in it.

    >>> key("bob.smith+shop@googlemail.com"), key("Jörg@müller.de") == key("joerg@mueller.de")
    ('bobsmith@gmail.com', True)
    >>> key("anna@gmial.com"), key("anna@mac.com"), key("anna.b@pm.me")
    ('anna@gmail.com', 'anna@icloud.com', 'annab@proton.me')
    """
    local, _, domain = fold(value).rpartition("@")
    local = local.partition("+")[0] or local
    domain = domains.meant(domain)
    if domain in _ONE_HOUSE:
        domain, ignored = _ONE_HOUSE[domain]
        local = "".join(c for c in local if c not in ignored) or local
    return f"{local}@{domain}" if local else fold(value).strip() or same_key(value)


def weak(value: str) -> str | None:
    """Why this address is no evidence of one person, or None.

    >>> weak("info@firma.de"), weak("sales.emea@firma.de"), weak("x1@yopmail.com"), weak("anna@gmail.com")
    ('role address', 'role address', 'disposable domain', None)
    >>> weak("firma@firma.de"), weak("abc@firma.de")
    ("the firm's own name", 'placeholder-like address')
    """
    local, _, domain = value.rpartition("@")
    if _is_role(local):
        return "role address"
    if domains.disposable(domain):
        return "disposable domain"
    bare = local.partition("+")[0]
    if bare in _MADE_UP or (len(bare) > 2 and len(set(bare)) == 1):
        return "placeholder-like address"
    if bare == domains.registered(domain).partition(".")[0]:
        return "the firm's own name"
    return None


def _is_role(local: str) -> bool:
    first = _SPLIT_LOCAL.split(local, maxsplit=1)[0]
    return local in _ROLES or (len(first) > 3 and first in _ROLES)


def name_parts(value: str) -> tuple[str, ...]:
    """The words before the @ that may be somebody's names, folded like the keys of names; none of a role address.

    Single letters are initials. What is grown together ("aschmidt") stays so: compare `login` with it.

    >>> name_parts("anna.schmidt84@firma.de"), name_parts("J-P.Müller+shop@x.fr"), name_parts("info@firma.de")
    (('anna', 'schmidt'), ('j', 'p', 'muller'), ())
    """
    local = value.rpartition("@")[0]
    if _is_role(local):
        return ()
    return tuple(_NAMES.findall(fold(local.partition("+")[0] or local)))


_NAMES = re.compile(r"[a-z]+")


def login(value: str) -> str | None:
    """The letters before the @ in one word, or None of a role address or where there are less than three.

    It may be `first + last`, `f + last`, `last + f`, `first + l` of the keys of somebody's names, or one of them.

    >>> login("a.schmidt84@firma.de"), login("office@firma.de")
    ('aschmidt', None)
    """
    word = "".join(name_parts(value))
    return word if len(word) > 2 else None


def likely(text: str) -> str | None:
    """What an address that can't be cleaned still says, for matching only: "anna.schmidt @firma", "anna(at)firma.de".

    >>> likely("Anna.Schmidt @Firma,de"), likely("anna.schmidt(at)firma.de"), likely("anna schmidt")
    ('anna.schmidt@firma.de', 'anna.schmidt@firma.de', None)
    """
    low = "".join(_AT.sub("@", text.lower()).replace(",", ".").split())
    local, _, domain = low.strip("<>.;:'\"").rpartition("@")
    if not local or not domain or local in JUNK_LOCAL or domain in JUNK_HOST:
        return None
    return f"{local}@{domain}"


_AT = re.compile(r"\s*[(\[{]\s*at\s*[)\]}]\s*")
