"""Poland: names, towns, streets and numbers of the sandbox world."""

from __future__ import annotations

from omnihub.sandbox.world.lands.land import Land, towns, words

LAND = Land(
    code="PL",
    language="pl",
    currency="EUR",
    tld="pl",
    dial="48",
    digits=9,
    mobiles=("501", "502", "600", "601", "660", "691", "720", "880"),
    address="ul. {street} {no}",
    sons="Synowie",
    forms=(
        ("Sp. z o.o.", "Spółka z ograniczoną odpowiedzialnością"),
        ("S.A.", "Spółka Akcyjna"),
        ("Sp. j.", "Spółka jawna"),
    ),
    towns=towns(
        """
Warszawa|02-###|22|mazowieckie
Kraków|30-###|12|małopolskie
Wrocław|50-###|71|dolnośląskie
Poznań|60-###|61|wielkopolskie
Gdańsk|80-###|58|pomorskie
Łódź|90-###|42|łódzkie
Katowice|40-###|32|śląskie
Lublin|20-###|81|lubelskie
Szczecin|70-###|91|zachodniopomorskie
"""
    ),
    streets=(
        "Przemysłowa",
        "Fabryczna",
        "Kolejowa",
        "Długa",
        "Szkolna",
        "Ogrodowa",
        "Lipowa",
        "Polna",
        "Kościuszki",
        "Mickiewicza",
        "Sienkiewicza",
        "Portowa",
        "Magazynowa",
        "Energetyków",
    ),
    trades=(
        "Maszyny",
        "Hydraulika",
        "Automatyka",
        "Pompy",
        "Opakowania",
        "Drewno",
        "Dźwigi",
        "Elektro",
        "Chłodnictwo",
        "Stal",
        "Papier",
        "Spożywcza",
        "Plastik",
        "Logistyka",
        "Browar",
        "Mleczarnia",
        "Narzędzia",
        "Budowa",
        "Agro",
        "Stocznia",
        "Energia",
        "Szkło",
        "Metal",
        "Transport",
    ),
    men=words(
        """
Dawid Julian Sławomir Kazimierz Krystian Jacek Emil Miłosz Jerzy Piotr Maciej Stefan Arkadiusz Igor Patryk
Władysław Daniel Dariusz Błażej Franciszek Karol Adam Mateusz Witold Szymon Jarosław Andrzej Hubert Mariusz
Roman Tadeusz Marcin Norbert Marek Oskar Józef Cezary Radosław Bartosz Michał Wojciech Mikołaj Aleksander Janusz
Przemysław Dominik Fabian Krzysztof Damian Tomasz Wiktor Artur Zbigniew Eryk Robert Jakub Sebastian Paweł Antoni
Filip Leszek Kamil Jan Łukasz Ryszard Waldemar Konrad Stanisław Kacper Tymoteusz Rafał Grzegorz
"""
    ),
    women=words(
        """
Agnieszka Lucyna Edyta Celina Justyna Katarzyna Sylwia Marta Bożena Emilia Janina Lidia Klaudia Izabela Alicja
Julia Maria Hanna Joanna Karolina Małgorzata Lena Barbara Olga Agata Magdalena Beata Wiktoria Iwona Zuzanna Nina
Urszula Dominika Anna Paulina Jadwiga Zofia Ewelina Teresa Jolanta Kamila Irena Aleksandra Oliwia Krystyna
Halina Kinga Ewa Renata Natalia Dorota Danuta Patrycja Helena Martyna Gabriela Grażyna Sandra Weronika Elżbieta
Monika
"""
    ),
    surnames=words(
        """
Kurek Pietrzak Sikora Trzaska Sobczak Duda Jagoda Bednarz Wróbel Król Rogala Krupa Jasiński Fijał Kubiak Bury
Malinowicz Dziedzic Cebula Ćwik Lipka Adamczyk Rybak Banaś Ulman Pawlak Pająk Madej Iwan Jurek Wójcik Karaś
Krawczyk Dyrda Gruca Drozd Frączek Klimek Wieczorek Walczak Skiba Czech Ptak Kmiecik Michalak Zając Jakubiak
Czajka Kaczmarek Palka Sadowy Kania Tomczyk Niemiec Zaręba Kowal Kulesza Kłos Janik Kosiba Matysiak Mika Stępień
Zalewicz Leja Hajduk Pasternak Marzec Gawron Biernat Zych Olejnik Hanus Włodarczyk Faber Śliwa Tkacz Wolak
Musiał Mróz Serafin Kubik Zaborek Wcisło Woźniak Szczepaniak Noga Bąk Chmiel Janusz Dudek Wawrzyniak Gołąb Oleś
Bochenek Lis Cichoń Kaczor Marciniak Marek Baran Mazur Różycki Kaźmierczak Socha Kołodziej Żurek Łuczak Głowacz
Kapusta Kowalczyk Dąbek Szewczyk Panek Żak Gil Wnuk Bartczak Wilk Kasprzak Gajda Laskowicz Kopeć Mazurek Piątek
Mikołajczak Bielak Sroka Stelmach Szulc Ratajczak Kruk Cieślak Góral Owczarek Sowa Lech Wrona Świderek Urban
Kozak Rak Nowak
"""
    ),
)
