"""Internet domains: cut out of addresses, and the hosts that say nothing about who owns a site or mailbox."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from itertools import pairwise

from disposable_email_domains import blocklist

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
    hey.com yahoo.at yahoo.ch yahoo.be yahoo.nl yahoo.se yahoo.dk yahoo.no yahoo.pl yahoo.gr yahoo.ie yahoo.ro yahoo.in
    yahoo.com.mx yahoo.com.ar yahoo.com.sg yahoo.com.hk yahoo.com.tw yahoo.com.ph yahoo.com.tr yahoo.co.id yahoo.co.nz
    yahoo.co.za yahoo.cn myyahoo.com hotmail.at hotmail.ch hotmail.be hotmail.nl hotmail.dk hotmail.no hotmail.gr
    hotmail.ca hotmail.com.br hotmail.com.ar hotmail.com.mx hotmail.com.tr hotmail.com.au hotmail.cz hotmail.hu
    hotmail.co.jp outlook.at outlook.be outlook.dk outlook.ie outlook.pt outlook.com.br outlook.com.au outlook.jp
    outlook.cz live.at live.be live.dk live.no live.fi live.ca live.ie live.com.pt live.com.mx live.com.au live.cn
    windowslive.com passport.com aol.fr aol.it aol.co.uk netscape.net compuserve.com compuserve.de gmx.eu gmx.co.uk
    gmx.us gmx.es gmx.pt caramail.com kabelmail.de vodafonemail.de vodafone.de unitybox.de unity-mail.de
    magenta.de o2mail.de o2online.de alice-dsl.net alice-dsl.de netcologne.de ewetel.net ewe.net htp-tel.de osnanet.de
    versanet.de gmx.info mail.ch swissonline.ch vtxmail.ch gmx.li liwest.at utanet.at inode.at drei.at kabsi.at
    mailo.com club-internet.fr numericable.fr voila.fr noos.fr aliceadsl.fr dbmail.com libertysurf.fr
    infinito.it iol.it inwind.it fastwebnet.it teletu.it poste.it pec.it legalmail.it arubapec.it blu.it email.es
    ono.com jazztel.es movistar.es wp.eu vp.pl tlen.pl go2.pl interia.eu neostrada.pl autograf.pl
    post.cz volny.cz quick.cz atlas.cz tiscali.cz post.sk centrum.sk t-online.hu indamail.hu vipmail.hu dir.bg
    yandex.by yandex.kz yandex.ua narod.ru internet.ru tut.by meta.ua bigmir.net dnainternet.net pp.inet.fi inet.fi
    mbnet.fi netti.fi sonera.fi elisa.fi telia.se tele2.se swipnet.se hotmail.nu passagen.se tele2.no start.no
    getmail.no c2i.net stofanet.dk tdcadsl.dk get2net.dk ofir.dk upcmail.nl upcmail.at hccnet.nl quicknet.nl casema.nl
    chello.nl tele2.nl zonnet.nl kpnplanet.nl pandora.be scarlet.be proximus.be voo.be pt.lu internet.lu eircom.net
    gmail.co.uk o2.co.uk tiscali.co.uk btopenworld.com blueyonder.com freeserve.co.uk lineone.net virgin.net ymail.co.uk
    mindspring.com optonline.net frontier.com frontiernet.net centurylink.net windstream.net roadrunner.com rr.com
    suddenlink.net mail2world.com lycos.com excite.com myself.com writeme.com consultant.com post.com iname.com
    engineer.com mail.com.br telus.net videotron.ca bell.net eastlink.ca xtra.co.nz bigpond.net.au iinet.net.au
    internode.on.net tpg.com.au ozemail.com.au westnet.com.au mweb.co.za vodamail.co.za telkomsa.net webmail.co.za
    ig.com.br globo.com globomail.com r7.com oi.com.br zipmail.com.br prodigy.net.mx fibertel.com.ar arnet.com.ar
    ciudad.com.ar speedy.com.ar clix.pt iol.pt netcabo.pt mail.telepac.pt otenet.gr forthnet.gr in.gr freemail.gr
    mynet.com ttmail.com superonline.com walla.com walla.co.il 012.net.il netvision.net.il bezeqint.net yeah.net
    aliyun.com 139.com 189.cn vip.qq.com vip.163.com sina.cn docomo.ne.jp ezweb.ne.jp softbank.ne.jp i.softbank.jp
    nifty.com biglobe.ne.jp nate.com kakao.com indiatimes.com sify.com in.com tutamail.com tuta.com keemail.me
    runbox.com mailfence.com startmail.com disroot.org riseup.net ik.me kolabnow.com zohomail.com zohomail.eu
    protonmail.de fastmail.de fastmail.net fastmail.co.uk mail.ee hot.ee online.ee inbox.lv apollo.lv inbox.lt
    takas.lt net.hr siol.net t-2.net eunet.rs ptt.rs
""")
# Addresses made up for one shop or one form, behind which anyone may be: privacy relays and market places.
_RELAYS = listed("""
    privaterelay.appleid.com duck.com mozmail.com relay.firefox.com simplelogin.com simplelogin.co simplelogin.io
    slmail.me aleeas.com anonaddy.com anonaddy.me addy.io passmail.net passinbox.com passfwd.com members.ebay.com
    guest.airbnb.com guest.booking.com reply.airbnb.com reply.craigslist.org users.noreply.github.com
""")
_MARKETPLACE = re.compile(r"(?:^|\.)marketplace\.amazon\.[a-z.]+$")
# Seen in the wild beside those of the maintained list of `disposable_email_domains`.
DISPOSABLE = blocklist | listed("""
    33mail.com burnermail.io minutemail.com muell.email spamgourmet.com temp-mail.io tempmail.com tempmail.net
""")
# Sites where anyone has a page: the host says nothing of the firm.
_SHARED_HOST = re.compile(
    r"(?:^|\.)(?:facebook|fb|instagram|linkedin|xing|twitter|x|youtube|tiktok|google|github|github\.io|gitlab|blogspot"
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


def meant(value: str) -> str:
    """The big mail domain that a slip of the finger was meant to be, or the domain itself.

    Only for comparing: what was typed stays what is written.

    >>> meant("gmial.com"), meant("hotmail.con"), meant("yaho.com"), meant("mail.com"), meant("gmx.de")
    ('gmail.com', 'hotmail.com', 'yahoo.com', 'mail.com', 'gmx.de')
    """
    return _slips().get(value, value)


_TYPED = listed("gmail.com googlemail.com yahoo.com hotmail.com outlook.com icloud.com t-online.de freenet.de")
_ENDINGS = {"com": listed("con cim vom xom ocm cmo om cm comm coom cpm cok"), "de": listed("dee ed dw dr")}
# Domains of other people one letter beside a big one.
_NO_SLIPS = listed("mail.com email.com ymail.com gail.com gmai.com yaoo.com loud.com cloud.com icloud.co googlemail.co")
_BESIDE = {left: right for row in ("qwertyuiop", "asdfghjkl", "zxcvbnm") for left, right in pairwise(row)}


@cache
def _slips() -> dict[str, str]:
    """Domain as mistyped → as meant. A slip is one letter left out, typed twice, swapped or caught beside its key."""
    found: dict[str, str] = {}
    for domain in sorted(_TYPED):
        label, _, ending = domain.partition(".")
        found |= dict.fromkeys((f"{label}.{slip}" for slip in _ENDINGS[ending]), domain)
        found |= dict.fromkeys((f"{slip}.{ending}" for slip in _mistyped(label)), domain)
    known = FREE_MAIL | _NO_SLIPS
    return {typed: right for typed, right in found.items() if typed not in known}


def _mistyped(label: str) -> set[str]:
    near = _BESIDE | {right: left for left, right in _BESIDE.items()}
    found = set()
    for n, letter in enumerate(label):
        before, after = label[:n], label[n + 1 :]
        found |= {before + after, before + letter + letter + after}
        if after:
            found.add(before + after[0] + letter + after[1:])
        if n and letter in near:  # the first letter is the one people see
            found.add(before + near[letter] + after)
    return found - {label}


# Where names are registered below a second ending; two-letter endings behind com, org … are found by rule.
_SECOND = listed("co com org net ac edu gov or ne gob gouv ltd plc me in info biz nom asso govt school k12 go gv mil")


def registered(value: str) -> str:
    """The domain somebody registered, without the machine in front of it.

    >>> registered("mail.acme.co.uk"), registered("de.acme.com"), registered("acme.fi")
    ('acme.co.uk', 'acme.com', 'acme.fi')
    """
    labels = value.split(".")
    keep = 3 if len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in _SECOND else 2
    return ".".join(labels[-keep:])


def name(value: str) -> str | None:
    """The word a firm registered, folded, without hyphens: it often is the firm's name. None where it says nothing.

    >>> name("shop.mueller-bau.de"), name("müller-bau.at"), name("gmail.com")
    ('mullerbau', 'mullerbau', None)
    """
    return None if weak(value) else fold(registered(value).partition(".")[0]).replace("-", "") or None


def weak(value: str) -> str | None:
    """Why this domain is no evidence of which firm it is, or None.

    >>> weak("gmail.com"), weak("gmial.com"), weak("facebook.com"), weak("siemens.com")
    ('free-mail domain', 'free-mail domain', 'shared host', None)
    """
    if meant(value) in FREE_MAIL:
        return "free-mail domain"
    if value in _RELAYS or _MARKETPLACE.search(value):
        return "mail relay"
    if disposable(value):
        return "disposable domain"
    if _SHARED_HOST.search(value):
        return "shared host"
    return None


def disposable(value: str) -> bool:
    """Whether mailboxes here are made to be thrown away, also below such a domain.

    >>> disposable("mailinator.com"), disposable("x.mailinator.com"), disposable("gmial.com"), disposable("acme.fi")
    (True, True, False, False)
    """
    if meant(value) != value:  # the list has some: thrown away they are, but what was meant is known
        return False
    return value in DISPOSABLE or (value.count(".") > 1 and registered(value) in DISPOSABLE)
