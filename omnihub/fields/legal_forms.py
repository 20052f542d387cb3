"""Legal forms of companies in many countries, short, long and in their own scripts, by the family they belong to.

Forms of one family are each other's translations (a GmbH is a Ltd abroad); one firm is not of two families at once,
so that Müller AG and Müller GmbH are two firms. "open" forms (Inc., Corp., Oy, Co.) may be of any family.
"""

from __future__ import annotations

import re

from omnihub.fields.text import fold, words

# Written without dots: initials are joined before they are looked up ("S.p.A." → "spa").
# "anywhere": so telling that they are dropped wherever they stand ("Bosch GmbH Niederlassung Berlin").
# "last": short or ambiguous ones, dropped at the end only. "first": dropped in front only.
_TABLE: dict[str, dict[str, str]] = {
    "stock": {
        "anywhere": "aktiengesellschaft plc kgaa asa aktieselskab aksjeselskap zrt nyrt oao zao pao pjsc jsc ojsc cjsc"
        " ead tbk sapa bhd berhad",
        "last": "ag sa spa nv rt ad dd kk sab psc qpsc saog saoc aktg vjsc pcl saa",
        "first": "oao zao pao ao",
    },
    "limited": {
        "anywhere": "gmbh ggmbh mbh gesmbh haftungsbeschränkt ltd ltda llc pty sdn pte sarl eurl sasu srl srls sro aps"
        " anpartsselskab kft bvba ood eood doo uab sia ooo spzoo gesellschaftmbh pvt bv ltdsti",
        "last": "limited ug sl slu ivs oü tü ou lda fze fzco fzc wll sh shpk dooel tov gk yk eireli unipessoal"
        " srlu sprl too mb private sti sarlu eirl bvi dmcc",
        "first": "ooo tov too uab sia",
    },
    "partnership": {
        "anywhere": "ohg gbr llp vof ohgmbh lllp",
        "last": "kg lp sas snc sca sc scs ss cv hb kb ky ay ans da ks ps spj spk kda sd og keg oeg partg partgmbb mbb"
        " stg gp is inh kd",
        "first": "",
    },
    "association": {"anywhere": "asbl aisbl vzw", "last": "ev ry eg scop amba stiftelse onlus ngo", "first": "ano"},
    "sole": {"anywhere": "", "last": "ek ekfr ekfm enk", "first": "ip fop"},
    "open": {
        "anywhere": "inc incorporated oyj osakeyhtiö aktiebolag aktiebolaget gmbhcokg spol sro",
        "last": "se co company corp corporation pc sau slne cia oy tmi osk ab as sci bt jd sp zs vos ao ent pt"
        " sirketi anonim fz bsc soe pvt pk dba na",
        "first": "firma the ab oy ip pt",
    },
}

# Forms of several words, by family. Written as in their language, folded on loading.
_PHRASES: dict[str, tuple[str, ...]] = {
    "stock": (
        "kommanditgesellschaft auf aktien", "public limited company", "public company", "open joint stock company",
        "closed joint stock company", "public joint stock company", "joint stock company", "joint stock co",
        "société anonyme", "sociedad anónima", "s a de c v", "sa de cv", "s a b de c v", "sab de cv",
        "sociedad anónima de capital variable", "società per azioni", "sociedade anônima", "naamloze vennootschap",
        "spółka akcyjna", "akciová společnost", "akciová spoločnosť", "aktsionernoe obshchestvo",
        "publichnoe aktsionernoe obshchestvo", "zakrytoe aktsionernoe obshchestvo",
        "otkrytoe aktsionernoe obshchestvo", "gu fen you xian gong si", "kabushiki kaisha", "kabushiki gaisha",
        "zhu shi hui she", "julkinen osakeyhtiö", "anonim şirketi", "anonim şirket", "ανώνυμη εταιρεία",
        "ανώνυμη εταιρία",
        "акціонерне товариство", "публічне акціонерне товариство", "приватне акціонерне товариство",
        "непубличное акционерное общество", "акционерно дружество", "акционарско друштво", "dioničko društvo",
        "akcionarsko društvo", "delniška družba", "részvénytársaság", "zártkörűen működő részvénytársaság",
        "societate pe actiuni", "akcinė bendrovė", "akciju sabiedrība", "công ty cổ phần", "perseroan terbatas",
    ),
    "limited": (
        "gesellschaft mit beschränkter haftung", "ges mit beschr haftung", "gesellschaft m b h", "gesellschaft mbh",
        "ges m b h", "unternehmergesellschaft", "limited liability company", "limited company", "private limited",
        "private limited company", "proprietary limited", "sendirian berhad", "société à responsabilité limitée",
        "société par actions simplifiée", "sociedad limitada", "sociedad de responsabilidad limitada",
        "s de r l de c v", "s de rl de cv", "società a responsabilità limitata", "sociedade limitada",
        "sociedade por quotas", "besloten vennootschap", "besloten vennootschap met beperkte aansprakelijkheid",
        "spółka z ograniczoną odpowiedzialnością", "spółka z o o", "spółka z oo", "sp z o o", "sp z oo", "sp zoo",
        "společnost s ručením omezeným", "spoločnosť s ručením obmedzeným", "spol s r o", "spol s ro",
        "societatea cu răspundere limitată", "societate cu răspundere limitată",
        "obshchestvo s ogranichennoi otvetstvennostiu", "obshchestvo s ogranichennoy otvetstvennostyu",
        "товариство з обмеженою відповідальністю", "дружество с ограничена отговорност",
        "društvo s ograničenom odgovornošću", "družba z omejeno odgovornostjo", "korlátolt felelősségű társaság",
        "εταιρεία περιορισμένης ευθύνης", "limited şirketi", "limited sirket", "uždaroji akcinė bendrovė",
        "sabiedrība ar ierobežotu atbildību", "you xian gong si", "you xian ze ren gong si", "godo kaisha",
        "yugen kaisha", "công ty trách nhiệm hữu hạn", "công ty tnhh",
    ),
    "partnership": (
        "kommanditgesellschaft", "offene handelsgesellschaft", "gesellschaft bürgerlichen rechts",
        "limited liability partnership", "limited partnership", "société en nom collectif",
        "société en commandite simple", "spółka jawna", "spółka komandytowa", "società in nome collettivo",
        "società in accomandita semplice", "vennootschap onder firma", "commanditaire vennootschap", "l l p",
    ),
    "limited+partnership": ("gmbh co kg", "gmbh co ohg", "gmbh co kgaa", "mbh co kg", "ug co kg"),
    "stock+partnership": ("ag co kg", "ag co kgaa", "ag co ohg", "se co kg", "se co kgaa"),
    "association": (
        "eingetragener verein", "eingetragene genossenschaft", "association sans but lucratif",
        "автономная некоммерческая организация",
    ),
    "sole": ("eingetragener kaufmann", "индивидуальный предприниматель", "фізична особа підприємець", "s p"),
    "open": ("national association", "co ltd", "co limited", "co inc", "company limited", "company inc"),
}  # fmt: skip

# Signs of scripts that are written without spaces, or that no transliteration spells well.
_SIGNS = {
    "株式会社": "kk", "(株)": "kk", "（株）": "kk", "㈱": "kk", "有限会社": "yk", "合同会社": "gk",
    "股份有限公司": "jsc", "有限责任公司": "llc", "有限責任公司": "llc", "有限公司": "ltd", "集团": "group",
    "주식회사": "jsc", "(주)": "jsc", "㈜": "jsc", "유한회사": "llc", "בע\"מ": "ltd", "בע״מ": "ltd", "בע''מ": "ltd",
    "ش.م.ع": "pjsc", "ش.م.م": "jsc", "ذ.م.م": "llc", "ش.ذ.م.م": "llc", "บริษัท": "", "จำกัด (มหาชน)": "plc",
    "จำกัด": "ltd", "შპს": "llc", "ՍՊԸ": "llc", "ՓԲԸ": "cjsc", "ԲԲԸ": "ojsc", "Α.Ε.": "ag", "ΑΕ": "ag",
    "Ε.Π.Ε.": "ltd", "ΕΠΕ": "ltd", "Ι.Κ.Ε.": "ltd", "ΙΚΕ": "ltd",
}  # fmt: skip


def _sign_pattern(sign: str) -> str:
    """Letters of an alphabet must stand alone; Asian signs and dotted forms stand anywhere."""
    alone = sign.isalpha() and sign[0] < "\u0e00"
    return rf"(?<!\w){sign}(?!\w)" if alone else re.escape(sign)


_SIGN = re.compile("|".join(map(_sign_pattern, sorted(_SIGNS, key=len, reverse=True))))


def in_latin(name: str) -> str:
    """The name with legal forms in other scripts' signs replaced by Latin ones.

    >>> in_latin("トヨタ自動車株式会社"), in_latin("삼성전자(주)"), in_latin("Müller AG")
    ('トヨタ自動車 kk ', '삼성전자 jsc ', 'Müller AG')
    """
    return name if max(name) < "\u0370" else _SIGN.sub(lambda found: f" {_SIGNS[found[0]]} ", name)


def _words(place: str) -> dict[str, str]:
    return {word: family for family, row in _TABLE.items() for word in fold(row[place]).split()}


ANYWHERE = _words("anywhere")
LAST = _words("last") | ANYWHERE
FIRST = _words("first")
"""Folded form → family, by the place where it may stand."""

Phrase = tuple[tuple[str, ...], str]


def _by_first_word() -> dict[str, tuple[Phrase, ...]]:
    found: dict[str, dict[tuple[str, ...], str]] = {}
    for family, row in _PHRASES.items():
        for phrase in row:
            folded = tuple(words(phrase))
            found.setdefault(folded[0], {}).setdefault(folded, family)
    return {first: tuple(sorted(of.items(), key=lambda e: -len(e[0]))) for first, of in found.items()}


_STARTING = _by_first_word()  # a table by first word: one big regular expression takes five times as long


def without_phrases(found: list[str]) -> tuple[list[str], set[str]]:
    """The words of a name without forms of several words, and the families of those. Some word always stays.

    >>> without_phrases("limited liability company iskra".split()), without_phrases(["limited", "company"])
    ((['iskra'], {'limited'}), (['limited', 'company'], set()))
    """
    if _STARTING.keys().isdisjoint(found):
        return found, set()
    rest: list[str] = []
    families: set[str] = set()
    at = 0
    while at < len(found):
        for phrase, family in _STARTING.get(found[at], ()):
            if found[at : at + len(phrase)] == list(phrase):
                families.update(family.split("+"))
                at += len(phrase)
                break
        else:
            rest.append(found[at])
            at += 1
    return (rest, families) if rest else (found, set())


LONG = frozenset(word for word in LAST if len(word) >= 9) | {"company", "limited", "corporation", "private"}
"""Forms so long that one with a slip of the pen is still told from a name."""
