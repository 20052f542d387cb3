"""Whether two names are one, as people, clerks and other alphabets write them; measured on labelled pairs as well."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from omnihub.fields import companies, names
from omnihub.fields.alike import SAME_NAME, alike, measured
from omnihub.model import Kind

SAME_PERSON = [
    ("Doe, John", "John Doe"),
    ("DOE John", "Mr. John Doe"),
    ("Bob Miller", "Robert Miller"),
    ("Ted Doe", "Theodore Doe"),
    ("Gosia Nowak", "Małgorzata Nowak"),
    ("J. Smith", "John Smith"),
    ("J.-C. Juncker", "Jean-Claude Juncker"),
    ("JC Juncker", "Jean-Claude Juncker"),
    ("Hans J. Friedrich", "Hans Joachim Friedrich"),
    ("Ludwig van Beethoven", "Beethoven, Ludwig"),
    ("Jan van der Berg", "Jan Vanderberg"),
    ("Jürgen Müller", "Juergen Mueller"),
    ("Maria García López", "Maria García"),
    ("Anna Müller-Lüdenscheidt", "Anna Müller Lüdenscheidt"),
    ("Михаил Горбачёв", "Mikhail Gorbachev"),
    ("Владимир Владимирович Путин", "Vladimir Putin"),
    ("Κυριάκος Μητσοτάκης", "Kyriakos Mitsotakis"),
    ("فرناندو بيريز", "Fernando Pérez"),
    ("김정은", "Kim Jong-un"),
    ("习近平", "Xi Jinping"),
    ("Mohammed Husayn", "Muhammad Hussein"),
    ("Iurii Gagarin", "Yuri Gagarin"),
    ("'Abd al-Aziz al-Nuristani", "Abdulaziz Nuristani"),
    ("Osama bin Laden", "Usama ibn Ladin"),
    ("SergeiLavrov", "Sergei Lavrov"),
    ("Emanuel Macrone", "Emmanuel Macron"),
    ("Robert (Bob) Smith", "Bob Smith"),
    ("Wm. Brown", "William Brown"),
    ("JRR Tolkien", "John Ronald Reuel Tolkien"),
    ("Sergei Rachmaninoff", "Сергей Рахманинов"),
    ("Abdel Fattah el-Sisi", "عبد الفتاح السيسي"),
    ("Benjamin Netanyahu", "בנימין נתניהו"),
    ("Nguyễn Văn An", "An Nguyen Van"),
    ("Robert Downey Jr.", "Robert Downey"),
    ("Mao Tse-tung", "Mao Zedong"),
    ("Teng Hsiao-p'ing", "Deng Xiaoping"),
    ("Hsiao-ping Teng", "Deng Xiaoping"),
    ("毛泽东", "Mao Tse-tung"),
]
OTHER_PERSON = [
    ("Martin King Jr.", "Martin King Sr."),
    ("Henry Ford II", "Henry Ford III"),
    ("Karl Meyer jun.", "Karl Meyer sen."),
    ("Hans Holbein the Younger", "Hans Holbein the Elder"),
    ("Lucas Cranach d. Ä.", "Lucas Cranach d. J."),
    ("John Paul II", "John Paul I"),
    ("George H. W. Bush", "George W. Bush"),
    ("John Smith", "Joan Smith"),
    ("Andrea Koch", "Andreas Koch"),
    ("Jan Novák", "Jana Nováková"),
    ("Thomas Müller", "Thomas Möller"),
    ("Anna Schmidt", "Anna Schmitt"),
    ("Peter Jones", "Peter James"),
    ("Daniel Weber", "Daniela Weber"),
    ("Mario Rossi", "Maria Rossi"),
    ("Larry Page", "Barry Page"),
    ("William G. Frost", "William W. Frost"),
    ("A. Nazarbayev", "Nursultan Nazarbayev"),
    ("N. N.", "Nursultan Nazarbayev"),
    ("Michelle", "Michelle Obama"),
    ("Omar bin Ahmad al-Ubaidi", "Ahmad bin Omar al-Ubaidi"),
    ("Malik Ruslanovich Ivanov", "Malik Petrovich Ivanov"),
    ("习近朋", "习近平"),
    ("Lee Kuan Hsien", "Lee Kuan Yew"),
    ("Deng Jiping", "Teng Chiping"),
    ("Teng Hsiao-ping", "Deng Xiaoming"),
    ("Kim Jung-il", "Kim Jong-nam"),
]
SAME_COMPANY = [
    ("Siemens AG", "Siemens Aktiengesellschaft"),
    ("SiemensAG", "Siemens AG"),
    ("Siemens Aktiengeselschaft", "Siemens"),
    ("OAO Gazprom", "Open Joint Stock Company Gazprom"),
    ("ООО Ромашка", "Romashka LLC"),
    ("トヨタ株式会社", "トヨタ K.K."),
    ("Kowalski Sp. z o.o.", "Kowalski spółka z ograniczoną odpowiedzialnością"),
    ("Grupo Bimbo S.A.B. de C.V.", "Grupo Bimbo"),
    ("First Intl. Bank", "1st International Bank"),
    ("Meyer & Söhne", "Meyer und Soehne GmbH"),
    ("J.P. Morgan & Co.", "JP Morgan and Co"),
    ("Van der Bilt Corp", "Vanderbilt Corporation"),
    ("Brigade Forty-Four", "Brigade 44"),
    ("IBM", "International Business Machines Corp."),
    ("Hutchison Whampoa Ltd", "Hutchinson Whampoa Limited"),
    ("Muster Handels GmbH", "Muster Handelsgesellschaft mbH"),
    ("A.P. Møller - Mærsk A/S", "AP Moller Maersk"),
    ("7-Eleven Inc", "Seven Eleven"),
    ("삼성전자 주식회사", "삼성전자"),
    ("U.S. Department of State", "United States Department of State"),
    ("Smith Foods LLC dba Corner Deli", "Corner Deli"),
    ("Corner Deli, formerly Smith Foods LLC", "Smith Foods"),
    ("Nordwerft / Seehafen Kiel", "Seehafen Kiel GmbH"),
]
OTHER_COMPANY = [
    ("Schule 12", "Schule 13"),
    ("Equity Fund II", "Equity Fund III"),
    ("Equity Fund", "Equity Fund II"),
    ("Müller AG", "Müller GmbH"),
    ("Acme Holding AG", "Acme AG"),
    ("Bosch Niederlassung Hamburg", "Bosch"),
    ("Acme Deutschland", "Acme Schweiz"),
    ("Siemens Energy AG", "Siemens AG"),
    ("Tata Motors Ltd", "Tata Steel Ltd"),
    ("Stadtwerke München GmbH", "Stadtwerke Augsburg GmbH"),
    ("First Baptist Church", "Second Baptist Church"),
    ("Banco Santander", "Banco Santander Mexico"),
    ("China Construction Bank", "China Construction Trust"),
    ("Bank of Armenia", "Bank of America"),
    ("ABC Company", "CDE Company"),
    ("BP p.l.c.", "BD p.l.c."),
    ("Volkswagen AG", "Siemens AG"),
    ("Meyer A/S", "Huber A/S"),
    ("Nordwerft / Seehafen Kiel", "Seehafen Lübeck"),
]


@pytest.mark.parametrize(("a", "b"), SAME_PERSON)
def test_one_persons_name_is_recognised(a: str, b: str) -> None:
    assert alike(Kind.NAME, a, b) >= SAME_NAME


@pytest.mark.parametrize(("a", "b"), OTHER_PERSON)
def test_two_persons_names_are_told_apart(a: str, b: str) -> None:
    assert alike(Kind.NAME, a, b) < SAME_NAME


@pytest.mark.parametrize(("a", "b"), SAME_COMPANY)
def test_one_companys_name_is_recognised(a: str, b: str) -> None:
    assert alike(Kind.COMPANY, a, b) >= SAME_NAME


@pytest.mark.parametrize(("a", "b"), OTHER_COMPANY)
def test_two_companies_names_are_told_apart(a: str, b: str) -> None:
    assert alike(Kind.COMPANY, a, b) < SAME_NAME


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [("MV Hellenic Spirit", "Hellenic Spirit", True), ("Lady Leila", "Lady Rania", False), ("Nova 5", "Nova 6", False)],
)
def test_ships_and_things_are_told_apart_by_words_and_numbers(a: str, b: str, expected: bool) -> None:
    assert (alike(Kind.TEXT, a, b) >= SAME_NAME) is expected


NAMES = st.one_of(
    st.text(max_size=25),
    st.lists(
        st.sampled_from(
            "Anna Bob J. van bin al- Jr II Müller Mueller Schmidt, GmbH AG 12 VI Holding 金 김 م IBM".split()
        ),
        max_size=6,
    ).map(" ".join),
)


@pytest.mark.parametrize("kind", [Kind.NAME, Kind.COMPANY, Kind.TEXT])
@settings(max_examples=150, deadline=None, database=None, derandomize=True)
@given(a=NAMES, b=NAMES)
def test_likeness_is_a_share_the_same_both_ways_and_whole_for_itself(kind: Kind, a: str, b: str) -> None:
    assert 0.0 <= alike(kind, a, b) == alike(kind, b, a) <= 1.0
    assert alike(kind, a, a) == 1.0


def test_a_companys_name_falls_into_core_family_and_marks() -> None:
    found = companies.parts("Müller Maschinenbau Holding GmbH & Co. KG, Niederlassung Hamburg 2")
    assert found.core == ("muller", "maschinenbau")
    assert found.family == {"limited", "partnership"}
    assert found.marks == {
        ("group", "holding"),
        ("branch", "niederlassung"),
        ("place", "hamburg"),
        ("number", "2"),
    }


@pytest.mark.parametrize(
    ("made", "spellings"),
    [
        (names.spelled, ["Doe, Bob", "Robert DOE", "Mr. Bobby Doe"]),
        (names.sounds, ["Mohammed Husayn", "Hussein, Muhammad"]),
        (names.sounds, ["Юрий Гагарин", "Iurii Gagarin"]),
        (names.initials, ["John P. Smith", "Smith, J.P."]),
    ],
)
def test_spellings_of_one_name_share_the_keys_for_finding_it(made: object, spellings: list[str]) -> None:
    assert callable(made)
    assert len({made(spelling) for spelling in spellings}) == 1


TRUTH = Path(os.environ.get("OMNIHUB_TRUTH", Path(__file__).parents[2] / ".." / "shared" / "truth"))
KINDS = {"Person": Kind.NAME, "Vessel": Kind.TEXT}  # all the others are companies


def test_labelled_pairs_of_names_nobody_here_made_are_judged_well() -> None:
    """0.909 of the pairs, 0.975 of those taken for one. 20 of the 75 misses are of one sort: the set calls "Fund V" and
    "Fund VI" or "Storm 1" and "Storm 2" one name, here numbers tell apart. The rest are mostly other persons by one
    word or syllable that the set calls one. Tuned on one half by case group the other half gives 0.91 and 0.88."""
    found = TRUTH / "os_name_bench" / "pairs.parquet"
    if not found.is_file():
        pytest.skip("truth sets not found")
    rows = pq.read_table(found).to_pylist()
    measure = measured(
        (KINDS.get(row["schema"], Kind.COMPANY), row["name1"], row["name2"], row["is_match"] == "true") for row in rows
    )
    assert measure.precision >= 0.97
    assert measure.accuracy >= 0.905
