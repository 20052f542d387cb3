"""Places in companies' names, which tell sister firms apart: countries in many languages, large towns, regions."""

from __future__ import annotations

from functools import lru_cache

from omnihub.fields import countries
from omnihub.fields.text import Unclean

_TOWNS = """
berlin hamburg munchen munich koln cologne frankfurt stuttgart dusseldorf dortmund essen leipzig bremen dresden hannover
hanover nurnberg nuremberg duisburg bochum wuppertal bielefeld bonn munster karlsruhe mannheim augsburg wiesbaden
monchengladbach gelsenkirchen aachen braunschweig chemnitz kiel halle magdeburg freiburg krefeld lubeck mainz erfurt
rostock kassel saarbrucken potsdam oldenburg osnabruck heidelberg darmstadt wurzburg regensburg ingolstadt ulm
heilbronn wien vienna graz linz salzburg innsbruck zurich genf geneve geneva basel bern lausanne winterthur luzern
london birmingham manchester liverpool leeds sheffield bristol glasgow edinburgh cardiff belfast dublin cork
paris lyon marseille toulouse nantes strasbourg montpellier bordeaux lille rennes madrid barcelona valencia sevilla
zaragoza malaga bilbao lisboa lisbon porto roma rome milano milan napoli naples torino turin palermo genova bologna
firenze florence venezia venice verona amsterdam rotterdam utrecht eindhoven antwerpen antwerp gent brussel bruxelles
brussels liege luxembourg kobenhavn copenhagen aarhus odense stockholm goteborg gothenburg malmo oslo bergen trondheim
helsinki espoo tampere turku oulu warszawa warsaw krakow lodz wroclaw poznan gdansk praha prague brno ostrava
bratislava kosice budapest bucuresti bucharest sofia beograd belgrade zagreb ljubljana athens thessaloniki istanbul
ankara izmir moscow moskva petersburg kiev kyiv odessa minsk vilnius riga tallinn tbilisi yerevan baku tashkent almaty
york chicago houston phoenix philadelphia dallas austin boston seattle denver detroit atlanta miami
angeles francisco diego vegas toronto montreal vancouver calgary ottawa mexico monterrey guadalajara bogota lima
santiago caracas paulo janeiro brasilia tokyo osaka kyoto nagoya yokohama seoul busan beijing shanghai shenzhen
guangzhou tianjin wuhan chengdu hongkong kong taipei singapore bangkok jakarta manila hanoi mumbai delhi bangalore
bengaluru chennai kolkata hyderabad pune karachi lahore dhaka colombo dubai abudhabi riyadh jeddah doha kuwait tehran
baghdad cairo alexandria casablanca tunis lagos nairobi johannesburg durban accra sydney melbourne brisbane perth
adelaide auckland wellington
bayern bavaria sachsen hessen westfalen wurttemberg baden niedersachsen holstein thuringen brandenburg saarland
texas california florida ohio michigan virginia georgia illinois scotland wales england bretagne normandie catalunya
nordic nordics baltic baltics benelux iberia iberica scandinavia emea apac dach mena latam
america americas europe europa asia africa
nederland norge sverige danmark suomi polska cesko espana italia francaise
""".split()


_KNOWN = frozenset(_TOWNS) | {"usa", "uk", "uae"}


@lru_cache(maxsize=100_000)
def is_place(word: str) -> bool:
    """Whether this folded word names a place. Codes of two letters are left out: "de", "it" and "in" are words.

    >>> is_place("hamburg"), is_place("deutschland"), is_place("it"), is_place("siemens")
    (True, True, False, False)
    """
    if word in _KNOWN:
        return True
    if len(word) <= 3:
        return False
    try:
        countries.clean(word)
    except Unclean:
        return False
    return True
