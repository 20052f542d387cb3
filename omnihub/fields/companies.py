"""Company names: legal forms of many countries, abbreviations, and what is left to tell one firm from another."""

from __future__ import annotations

import re

from omnihub.fields.text import Unclean, collapse, fold, is_junk_word, same_key, words


def _folded(table: str) -> frozenset[str]:
    return frozenset(fold(table).split())


# Legal forms are written without dots here: initials are joined first ("S.p.A." → "spa").
# Telling ones, stripped wherever they stand ("Bosch GmbH Niederlassung Berlin").
_LEGAL_ANYWHERE = _folded(
    "gmbh ggmbh mbh gesmbh gmbhcokg kgaa ohg ohgmbh gbr haftungsbeschränkt aktiengesellschaft ltd ltda inc incorporated"
    " llc llp plc pty bhd sdn pte sarl eurl sasu srl srls sapa sro spol oyj osakeyhtiö aps aktieselskab anpartsselskab"
    " aktiebolag aktiebolaget asa aksjeselskap kft zrt nyrt bv bvba vof ood eood ead doo uab sia ooo oao zao pao pjsc"
    " jsc ojsc cjsc spzoo tbk gesellschaftmbh"
)
# Short or ambiguous ones, stripped at the end only.
_LEGAL_LAST = _LEGAL_ANYWHERE | _folded(
    "ag kg eg ev ek ekfr ekfm ug se co company corp corporation limited lp lllp pc sa sas sasu snc sci scop sca sc scs"
    " sl slu sau slne spa ss nv cv ab hb kb oy ky tmi ay osk ry as ans da enk ks ps amba ivs is spj spk spa vos zs rt"
    " bt dd jd ad kd oü tü ou mb ao too kk gk yk lda unipessoal eireli sti sirketi anonim fze fzco fzc fz wll bsc pt"
    " soe cia pvt private sp spk kda sh pk shpk dba inh mbb partg partgmbb og keg stg"
)
_LEGAL_FIRST = _folded("ooo oao zao pao ao too ip pt uab sia ab oy tov firma the")
_AND = frozenset({"and", "und", "et", "og", "och", "y", "ja", "oraz", "en"})

# Forms of several words, looked for only where one of their telling words occurs.
_PHRASES = [
    "gesellschaft mit beschränkter haftung", "gesellschaft m b h", "gesellschaft mbh", "ges m b h",
    "kommanditgesellschaft auf aktien", "kommanditgesellschaft", "offene handelsgesellschaft",
    "gesellschaft bürgerlichen rechts", "eingetragene genossenschaft", "eingetragener kaufmann",
    "eingetragener verein", "public limited company", "limited liability company", "limited liability partnership",
    "limited partnership", "limited company", "public company", "private limited", "open joint stock company",
    "closed joint stock company", "public joint stock company", "joint stock company",
    "societatea cu raspundere limitata", "société anonyme", "société à responsabilité limitée",
    "société par actions simplifiée", "société en nom collectif", "sociedad anónima", "sociedad limitada",
    "sociedad de responsabilidad limitada", "s a de c v", "sa de cv", "società per azioni",
    "società a responsabilità limitata", "sociedade anônima", "naamloze vennootschap", "besloten vennootschap",
    "spółka z ograniczoną odpowiedzialnością", "spółka z o o", "spółka z oo", "sp z o o", "sp z oo", "sp zoo",
    "spółka akcyjna", "spółka jawna", "spółka komandytowa", "spolecnost s rucenim omezenym", "akciova spolecnost",
    "obshchestvo s ogranichennoi otvetstvennostiu", "aktsionernoe obshchestvo",
    "publichnoe aktsionernoe obshchestvo", "zakrytoe aktsionernoe obshchestvo", "otkrytoe aktsionernoe obshchestvo",
    "zhu shi hui she", "you xian gong si", "gu fen you xian gong si", "you xian ze ren gong si", "kabushiki kaisha",
    "kabushiki gaisha", "julkinen osakeyhtiö", "proprietary limited", "sendirian berhad", "anonim sirketi",
    "limited sirketi",
]  # fmt: skip
_PHRASE = re.compile(r"\b(?:" + "|".join(sorted(map(fold, _PHRASES), key=len, reverse=True)) + r")\b")
_TELLING = _folded(
    "gesellschaft ges open closed societatea kommanditgesellschaft offene eingetragene eingetragener limited"
    " public joint société sociedad società sociedade naamloze besloten spółka sp spolecnost akciova"
    " obshchestvo zhu gong kabushiki julkinen proprietary sendirian anonim sa s"
)

_ABBREVIATIONS = {
    "intl": "international", "int": "international", "mfg": "manufacturing", "mfr": "manufacturer",
    "bros": "brothers", "gebr": "gebruder", "svc": "services", "svcs": "services", "service": "services",
    "tech": "technology", "technologies": "technology", "assn": "association", "assoc": "association",
    "ctr": "center", "centre": "center", "natl": "national", "univ": "university", "mgmt": "management",
    "eng": "engineering", "engg": "engineering", "ind": "industries", "inds": "industries", "industry": "industries",
    "sys": "systems", "system": "systems", "dept": "department", "grp": "group", "hldg": "holding",
    "hldgs": "holding", "holdings": "holding", "labs": "laboratories", "lab": "laboratories", "equip": "equipment",
    "mach": "machinery", "masch": "maschinen", "maschbau": "maschinenbau", "maschinenb": "maschinenbau",
    "elektr": "elektro", "dt": "deutsche", "schweiz": "schweizer", "st": "saint", "sankt": "saint", "saint": "saint",
    "organisation": "organization", "labour": "labor", "1st": "first", "2nd": "second", "3rd": "third",
    "solution": "solutions", "product": "products", "prods": "products", "dist": "distribution",
}  # fmt: skip

_AMPERSAND = re.compile(r"\b([a-z0-9]{1,2})&(?=[a-z0-9]{1,2}\b)")  # AT&T, H&M
_INITIAL = re.compile(r"\b([a-z0-9])[./] ?(?=[a-z0-9]\b)")


def clean(text: str, country: str | None = None) -> str:
    """The name as the firm writes it, white space collapsed.

    >>> clean("Müller  Maschinenbau GmbH & Co. KG")
    'Müller Maschinenbau GmbH & Co. KG'
    """
    name = collapse(text)
    if not any(c.isalnum() for c in name):
        raise Unclean("no letters in a company's name")
    if name.lower() in _NO_FIRM or is_junk_word(_LEGAL_TAIL.sub("", name.lower())):
        raise Unclean("a placeholder")
    return name


_NO_FIRM = frozenset({"privat", "private", "privatkunde", "privatperson", "individual", "particulier", "self"})
_LEGAL_TAIL = re.compile(r"[ ,]+(?:gmbh|ag|kg|inc\.?|ltd\.?|llc|corp\.?|oy|ab|sarl|sa|bv|co\.?)$")


def key(value: str) -> str:
    """The words that tell the firm from others, folded, without legal form.

    Group, holding, country and town stay: a branch is not its group.

    >>> key("Müller Maschinenbau GmbH & Co. KG"), key("MUELLER MASCHINENBAU"), key("Acme Intl., Inc.")
    ('muller maschinenbau', 'muller maschinenbau', 'acme international')
    >>> key("Fiat S.p.A."), key("Nokia Oyj"), key("Kowalski Sp. z o.o."), key("ООО Ромашка"), key("The AG")
    ('fiat', 'nokia', 'kowalski', 'romashka', 'ag')
    """
    name = fold(value)
    if "&" in name:
        name = _AMPERSAND.sub(r"\1", name)
    if "." in name or "/" in name:
        name = _INITIAL.sub(r"\1", name)
    found = words(name)
    if not _TELLING.isdisjoint(found):
        found = _PHRASE.sub(" ", " ".join(found)).split() or found
    found = [word for word in found if word not in _AND] or found
    found = _without_legal_form(found)
    return " ".join(_ABBREVIATIONS.get(word, word) for word in found) or same_key(value)


def _without_legal_form(found: list[str]) -> list[str]:
    """At least one word always stays."""
    at, end = 0, len(found)
    while end - at > 1 and found[at] in _LEGAL_FIRST:
        at += 1
    while end - at > 1 and found[end - 1] in _LEGAL_LAST:
        end -= 1
    kept = found[at:end]
    if not _LEGAL_ANYWHERE.isdisjoint(kept):
        kept = [word for word in kept if word not in _LEGAL_ANYWHERE] or kept
    return kept
