"""What goes wrong when people type: slips, nicknames, swapped names, other alphabets, old spellings, junk."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from omnihub.sandbox.world.dice import Dice

_GERMAN = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})
_PLAIN = str.maketrans({"ß": "ss", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "æ": "ae", "đ": "d"})
_SPLITS = {"de"}  # languages that write ü as ue; the others drop the dots


@lru_cache(maxsize=20_000)
def latin(text: str, language: str) -> str:
    """The text in plain ASCII, the way people of that language do it.

    >>> latin("Müller", "de"), latin("Hämäläinen", "fi"), latin("Wójcik", "pl")
    ('Mueller', 'Hamalainen', 'Wojcik')
    """
    if text.isascii():
        return text
    if language in _SPLITS:
        text = text.translate(_GERMAN)
    text = unicodedata.normalize("NFKD", text.translate(_PLAIN))
    return text.encode("ascii", "ignore").decode()


@lru_cache(maxsize=20_000)
def slug(text: str, language: str) -> str:
    """As in a domain or an e-mail address.

    >>> slug("Jäger & Söhne", "de")
    'jaeger-soehne'
    """
    words = "".join(c if c.isalnum() else " " for c in latin(text, language).lower().replace("'", ""))
    return "-".join(words.split())


def slip(text: str, dice: Dice) -> str:
    """One slip of the fingers that changes a letter, never the first."""
    places = [i for i in range(1, len(text) - 1) if text[i].isalpha() and text[i + 1].isalpha()]
    if not places:
        return text + text[-1]
    at, way = dice.pick(places), dice.below(3)
    if way == 0 and text[at] != text[at + 1]:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    if way == 1:
        return text[:at] + text[at] + text[at:]
    return text[:at] + text[at + 1 :]


def _alphabet(letters: str) -> dict[str, str]:
    return dict(zip("abcdefghijklmnopqrstuvwxyz", letters.split(), strict=True))


_CYRILLIC = _alphabet("а б к д е ф г х и й к л м н о п к р с т у в в кс и з")
_GREEK = _alphabet("α μπ κ ντ ε φ γκ χ ι τζ κ λ μ ν ο π κ ρ σ τ ου β γου ξ υ ζ")


def foreign(text: str, language: str, *, greek: bool) -> str:
    """The name as somebody would write it down in Cyrillic or Greek.

    >>> foreign("Weber", "de", greek=False)
    'Вебер'
    """
    table = _GREEK if greek else _CYRILLIC
    return "".join(table.get(c, c) for c in latin(text, language).lower()).title()


def _pairs(table: str) -> dict[str, str]:
    return {name: short for name, _, short in (pair.partition("=") for pair in table.split())}


NICKNAMES: dict[str, str] = _pairs(
    """
    Alexander=Alex Alexandra=Alex Andreas=Andi Anton=Toni Antonia=Toni Benjamin=Ben Bernhard=Bernd Christian=Chris
    Christina=Tina Christine=Christl Christoph=Chris Daniel=Dani Daniela=Dani Dominik=Dom Elisabeth=Lisa Ferdinand=Ferdi
    Franziska=Franzi Friedrich=Fritz Gabriele=Gabi Georg=Schorsch Gerhard=Gerd Hans-Peter=Hape Heinrich=Heinz
    Jakob=Jaki Johann=Hans Johanna=Hanna Johannes=Hannes Josef=Sepp Josefine=Josy Katharina=Kathi Kathrin=Kati
    Klaus=Klausi Magdalena=Leni Manfred=Fredi Margarete=Grete Maria=Mia Martin=Martl Matthias=Matze Maximilian=Max
    Michael=Michi Michaela=Michi Nikolaus=Klaus Philipp=Phil Rudolf=Rudi Sebastian=Basti Stefan=Steff Stefanie=Steffi
    Susanne=Susi Theresia=Resi Thomas=Tom Tobias=Tobi Ulrich=Uli Ursula=Uschi Valentin=Vali Viktoria=Vicky Walter=Walti
    Werner=Wern Wilhelm=Willi Wolfgang=Wolf Andrew=Andy Anthony=Tony Catherine=Cathy Charles=Charlie David=Dave
    Deborah=Debbie Donald=Don Edward=Ed Elizabeth=Liz Frederick=Fred Gregory=Greg James=Jim Jennifer=Jenny
    Jessica=Jess John=Jack Jonathan=Jon Joseph=Joe Joshua=Josh Katherine=Kate Kenneth=Ken Kimberly=Kim
    Lawrence=Larry Leonard=Leo Margaret=Peggy Matthew=Matt Nathan=Nate Nicholas=Nick Patricia=Pat Patrick=Pat
    Pamela=Pam Peter=Pete Raymond=Ray Rebecca=Becky Richard=Dick Robert=Bob Ronald=Ron Samuel=Sam Samantha=Sam
    Sandra=Sandy Stephen=Steve Steven=Steve Susan=Sue Theodore=Ted Timothy=Tim Victoria=Vicky Vincent=Vince
    William=Bill Zachary=Zach Antoine=Toine Émilie=Mimi Frédéric=Fred Jacqueline=Jackie Jean=Jeannot
    Véronique=Véro Alessandro=Sandro Domenico=Mimmo Francesca=Franca Francesco=Franco Giovanni=Gianni Giuseppe=Beppe
    Luigi=Gigi Salvatore=Totò Antonio=Toni Carmen=Menchu Dolores=Lola Enrique=Quique Ignacio=Nacho Isabel=Isa
    José=Pepe Jesús=Chus Manuel=Manolo Mercedes=Merche Pilar=Pili Rafael=Rafa Rosario=Charo Aleksander=Olek
    Aleksandra=Ola Agnieszka=Aga Barbara=Basia Elżbieta=Ela Ewa=Ewka Grzegorz=Grzesiek Jakub=Kuba Jan=Janek
    Joanna=Asia Katarzyna=Kasia Krzysztof=Krzysiek Małgorzata=Gosia Michał=Michaś Paweł=Pawełek Piotr=Piotrek
    Stanisław=Staszek Tomasz=Tomek Wojciech=Wojtek Zofia=Zosia Zuzanna=Zuza Cornelis=Kees Hendrik=Henk Johanna=Jo
    Theodorus=Theo Willem=Wim Erik=Ecke Lars=Lasse Mikael=Micke Per=Pelle Karl=Kalle Juhani=Jussi Matti=Masa
    """
)

JUNK_PHONES = ("n/a", "0000", "unknown", "000000", "test")
JUNK_EMAILS = ("test@test.com", "n/a", "unknown", "none")
JUNK_VAT_IDS = ("n/a", "0000", "unknown")


def misspelt(email: str, dice: Dice) -> str:
    """An e-mail address with a slip before the @."""
    local, _, domain = email.partition("@")
    return f"{slip(local, dice)}@{domain}"
