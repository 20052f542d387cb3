"""Internet domains: cut out of addresses, and the hosts that say nothing about who owns a site or mailbox."""

from __future__ import annotations

import re
import unicodedata

from omnihub.fields.text import Unclean, fold, listed, same_key

_LABEL = r"[^\W_](?:[\w-]{0,61}[^\W_])?"
_HOST = re.compile(rf"(?:{_LABEL}\.)+(?:[^\W\d_]{{2,63}}|xn--[a-z0-9-]{{2,59}})")
_AROUND = re.compile(r"(?:[a-z][a-z0-9+.-]*://|mailto:|//)?(?:[^/?#@]*@)?([^/?#:]*).*", re.DOTALL)
_WWW = re.compile(r"^(?:www\d?\.)+(?=.+\.)")

FREE_MAIL = listed("""
    gmail.com googlemail.com yahoo.com yahoo.de yahoo.fr yahoo.es yahoo.it yahoo.co.uk yahoo.co.in yahoo.co.jp
    yahoo.com.br yahoo.ca yahoo.com.au ymail.com rocketmail.com hotmail.com hotmail.de hotmail.fr hotmail.es hotmail.it
    hotmail.co.uk hotmail.se hotmail.fi outlook.com outlook.de outlook.fr outlook.es outlook.it live.com live.de live.fr
    live.it live.nl live.se live.co.uk msn.com icloud.com me.com mac.com aol.com aol.de aim.com gmx.de gmx.net gmx.at
    gmx.ch gmx.com gmx.fr gmx.org web.de t-online.de freenet.de arcor.de online.de email.de mail.de posteo.de
    mailbox.org tutanota.com tutanota.de tuta.io proton.me protonmail.com protonmail.ch pm.me fastmail.com fastmail.fm
    hushmail.com zoho.com mail.com email.com usa.com inbox.com yandex.ru yandex.com ya.ru mail.ru bk.ru list.ru inbox.ru
    rambler.ru orange.fr wanadoo.fr free.fr laposte.net sfr.fr neuf.fr bbox.fr libero.it virgilio.it tiscali.it alice.it
    tin.it tim.it email.it telefonica.net terra.es wp.pl o2.pl onet.pl onet.eu interia.pl gazeta.pl op.pl poczta.fm
    seznam.cz centrum.cz email.cz azet.sk zoznam.sk freemail.hu citromail.hu abv.bg mail.bg ukr.net i.ua bluewin.ch
    sunrise.ch hispeed.ch aon.at chello.at a1.net kolumbus.fi luukku.com suomi24.fi elisanet.fi saunalahti.fi welho.com
    telia.com spray.se bredband.net comhem.se online.no broadpark.no mail.dk jubii.dk ziggo.nl kpnmail.nl xs4all.nl
    planet.nl home.nl hetnet.nl telenet.be skynet.be btinternet.com sky.com virginmedia.com ntlworld.com talktalk.net
    blueyonder.co.uk comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net earthlink.net
    juno.com rogers.com shaw.ca sympatico.ca bigpond.com optusnet.com.au qq.com 163.com 126.com sina.com sohu.com
    foxmail.com naver.com hanmail.net daum.net uol.com.br bol.com.br terra.com.br sapo.pt rediffmail.com
    duck.com hey.com
""")
DISPOSABLE = listed("""
    mailinator.com guerrillamail.com guerrillamail.net guerrillamail.org guerrillamail.de grr.la sharklasers.com
    10minutemail.com 10minutemail.net 20minutemail.com temp-mail.org tempmail.com tempmail.net tempmail.de
    tempmailo.com tempr.email discard.email discardmail.com discardmail.de trashmail.com trashmail.de trashmail.net
    trash-mail.com trash-mail.de wegwerfmail.de wegwerfmail.net wegwerfemail.de wegwerfadresse.de einrot.com
    spambog.com spambog.de spamgourmet.com spam4.me spamex.com byom.de mailnesia.com mailcatch.com maildrop.cc
    mailnull.com mailsac.com mintemail.com mohmal.com moakt.com mytemp.email mytrashmail.com nada.email getnada.com
    getairmail.com dispostable.com dropmail.me emailondeck.com fakeinbox.com fakemail.net fake-mail.ml throwawaymail.com
    throwam.com tmpmail.org tmpmail.net yopmail.com yopmail.fr yopmail.net jetable.org jetable.com kurzepost.de
    objectmail.com proxymail.eu rcpt.at sofort-mail.de muellmail.com muell.email burnermail.io inboxkitten.com
    incognitomail.org anonbox.net anonymbox.com armyspy.com cuvox.de dayrep.com fleckens.hu gustr.com jourrapide.com
    rhyta.com superrito.com teleworm.us meltmail.com harakirimail.com tempinbox.com temp-mail.io minutemail.com
    mailtemp.info emailfake.com crazymailing.com linshiyouxiang.net 33mail.com
""")
# Sites where anyone has a page: the host says nothing of the firm.
_SHARED_HOST = re.compile(
    r"(?:^|\.)(?:facebook|instagram|linkedin|xing|twitter|x|youtube|tiktok|google|github|github\.io|gitlab|blogspot"
    r"|wordpress|wixsite|weebly|jimdo|jimdofree|jimdosite|squarespace|webnode|tumblr|medium|etsy|ebay|amazon|linktr"
    r"|myshopify|shopify|business\.site|herokuapp|netlify|vercel|tripadvisor|yelp|kununu|wikipedia"
    r")(?:\.(?:com|de|net|org|io|app|site|ee|page|fr|es|it|co\.uk))?$"
)


def clean(text: str, country: str | None = None) -> str:
    """The host in lower case, cut out of a web or e-mail address, without www.

    >>> clean("https://www.Example.com/de/?x=1"), clean("info@firma.de"), clean("xn--mller-kva.de"), clean("@acme.fi")
    ('example.com', 'firma.de', 'müller.de', 'acme.fi')
    """
    match = _AROUND.fullmatch(text.strip().lower())
    found = host(match[1].strip().strip(".") if match else "")
    return _WWW.sub("", found)


def host(text: str) -> str:
    """A lower-case host name in Unicode, or Unclean."""
    name = text.lower()
    if "xn--" in name:
        name = _decoded(name)
    if not name.isascii():
        name = unicodedata.normalize("NFC", name)
    if len(name) > 253 or not _HOST.fullmatch(name):
        raise Unclean("not a domain")
    return name


def _decoded(name: str) -> str:
    try:
        return name.encode("ascii").decode("idna").lower()
    except UnicodeError:
        raise Unclean("not a domain") from None


def key(value: str) -> str:
    """Folded, without www: müller.de and mueller.de may well be one firm.

    >>> key("www.müller.de") == key("mueller.de")
    True
    """
    return fold(_WWW.sub("", value)).strip() or same_key(value)


def weak(value: str) -> str | None:
    """Why this domain is no evidence of which firm it is, or None.

    >>> weak("gmail.com"), weak("facebook.com"), weak("siemens.com")
    ('free-mail domain', 'shared host', None)
    """
    if value in FREE_MAIL:
        return "free-mail domain"
    if value in DISPOSABLE:
        return "disposable domain"
    if _SHARED_HOST.search(value):
        return "shared host"
    return None
