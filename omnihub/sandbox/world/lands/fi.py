"""Finland: names, towns, streets and numbers of the sandbox world."""

from __future__ import annotations

from omnihub.sandbox.world.lands.land import Land, towns, words

LAND = Land(
    code="FI",
    language="fi",
    currency="EUR",
    tld="fi",
    dial="358",
    digits=9,
    mobiles=("40", "44", "45", "50"),
    address="{street} {no}",
    sons="Pojat",
    forms=(
        ("Oy", "Osakeyhtiö"),
        ("Oyj", "Julkinen osakeyhtiö"),
        ("Ky", "Kommandiittiyhtiö"),
    ),
    towns=towns(
        """
Helsinki|00##0|9|Uusimaa
Espoo|02##0|9|Uusimaa
Tampere|33##0|3|Pirkanmaa
Turku|20##0|2|Varsinais-Suomi
Oulu|90##0|8|Pohjois-Pohjanmaa
Jyväskylä|40##0|14|Keski-Suomi
Lahti|15##0|3|Päijät-Häme
Vaasa|65##0|6|Pohjanmaa
Kuopio|70##0|17|Pohjois-Savo
"""
    ),
    streets=(
        "Teollisuuskatu",
        "Mannerheimintie",
        "Hämeentie",
        "Kauppakatu",
        "Satamatie",
        "Rautatienkatu",
        "Koulukatu",
        "Myllytie",
        "Tehtaankatu",
        "Ratakatu",
        "Puistokatu",
        "Yrittäjäntie",
        "Konepajankatu",
        "Telakkatie",
    ),
    trades=(
        "Konepaja",
        "Metalli",
        "Hydrauliikka",
        "Automaatio",
        "Pumput",
        "Pakkaus",
        "Puutuote",
        "Nosturit",
        "Sähkö",
        "Kylmätekniikka",
        "Teräs",
        "Paperi",
        "Elintarvike",
        "Muovi",
        "Logistiikka",
        "Panimo",
        "Meijeri",
        "Työkalu",
        "Rakennus",
        "Maatalouskone",
        "Telakka",
        "Energia",
        "Lasi",
        "Kaivos",
    ),
    men=words(
        """
Samuel Kustaa Kalevi Henri Tomi Emil Eerik Lauri Karl Juha Keijo Otto Paavo Pertti Ismo Eelis Kai Peter Aimo
Aaron Lassi Kimmo Arvo Joonatan Tuukka Jarmo Oskari Jukka Rasmus Heikki Asko Samu Aarne Tauno Jalmari Ahti Esa
Juhana Iisakki Riku Henrik Niilo Edvard Kristian Simo Joonas Anssi Sakari Eetu Robert Leo Antti Jarkko Tero
Matti Jarno Aaro Jari Pasi Eino Ilmari Jorma Patrik Petteri Henrikki Markus Hermanni Taisto Santeri Benjamin
Pekka Reino Aatos Artturi Reijo Allan Veijo Jaakko Erkki Kim Vesa Antero Aukusti Olli Markku Ville Tommi Niklas
Kasper Jere Teemu Pentti Taneli Aleksanteri Viljo Miika Arto Juhani Oskar Ensio Christian Ilkka Toivo Topias
Arttu Hannu Kalervo Tuomas Anders Roope Olavi Alexander Mauri Daniel Mauno Johan Jussi Toni Mikael Osmo
"""
    ),
    women=words(
        """
Elli Hillevi Milla Helena Leena Sinikka Kaija Maarit Veera Heli Eliisa Marita Anniina Raija Satu Linnea Mervi
Jaana Iida Iiris Jenni Annukka Aino Airi Oona Emmi Outi Christina Mirjam Sirpa Vuokko Sini Irja Tanja Pirjo
Tuulikki Mirja Siiri Taina Laura Katri Sofia Kerttu Orvokki Maija Ida Mari Niina Sisko Aili Riitta Ella Alisa
Pirkko Minna Sanni Ritva Maire Kirsti Maaria Roosa Nea Hannele Sirkka Maritta Elsa Piia Emilia Martta Mia Petra
Katariina Elisabet Marja Leila Miia Irmeli Josefiina Inkeri Nina Carita Erika Elina Eeva Anita Jonna Liisa Taru
Marika Päivikki Essi Margit Sonja Kristiina Aleksandra Kyllikki Esteri Aurora Mirjami Helinä Marjukka Raili
Kristina Annikki Krista Anja Tuija Mira Johanna Sara Elisa Tiia Hellevi Venla Lotta Teija Matilda Terttu Viivi
Anneli
"""
    ),
    surnames=words(
        """
Rossi Puranen Heinonen Puustinen Turpeinen Kujala Jalonen Aalto Taipale Kärki Lampinen Moisio Simola Laurila
Taskinen Kiviniemi Seppänen Rantanen Nevala Karhu Kallio Kuronen Eriksson Kukkonen Oksanen Puhakka Riikonen
Nuutinen Haapanen Suominen Seppä Rintala Aro Pekkala Luukkonen Erkkilä Jokela Lahtinen Sillanpää Tiainen Kantola
Peltonen Penttilä Eloranta Vainio Hyvärinen Koskinen Kiuru Blomqvist Laiho Kaikkonen Kämäräinen Mikkonen
Myllymäki Malinen Virtanen Halonen Parviainen Palomäki Marttila Mäkinen Kivinen Sainio Nevalainen Nissinen
Pajunen Leinonen Vuorinen Lehikoinen Anttila Berg Laukkanen Lindberg Valtonen Keskinen Kähkönen Eronen Lindroos
Ylönen Nousiainen Pirinen Sirviö Korpela Rytkönen Tuovinen Matilainen Leskinen Järvinen Pääkkönen Jokinen
Kauppinen Mäntylä Juvonen Lehtinen Hautamäki Henriksson Mononen Syrjälä Rautio Koivisto Uusitalo Nyberg Heikkilä
Paavilainen Viljanen Kokko Luoma Hiltunen Kanerva Hyvönen Jäntti Peltola Hautala Järvi Kolehmainen Ahonen
Ryynänen Kauppila Salonen Kyllönen Hytönen Tuomi Raatikainen Kankaanpää Hakala Repo Keinänen Karttunen Ahokas
Niemelä Pakarinen Grönroos Leino Sirén Haverinen Johansson Väänänen Hänninen Eklund Jaatinen Koivunen Jauhiainen
Mattila Martikainen Lindgren Ronkainen Kainulainen Kurki Kinnunen Laakso Seppälä Lähteenmäki Venäläinen Simonen
Aho Lammi Holm Lassila Eskelinen Lindström Huhtala Niemi Haapaniemi Rinne Kärkkäinen Nieminen Pietilä Latvala
Ketola Koponen Kumpulainen Pitkänen Holappa Tikka Liukkonen Peltoniemi Härkönen Pasanen Heikkinen Haataja Nylund
Kulmala Nikula Immonen Karvonen Lehtonen Valkama Sallinen Rönkkö Ihalainen Vuori Oinonen Huotari Markkanen
Sihvonen Rautiainen Rajala Alanko Reinikainen Pehkonen Väyrynen Voutilainen Heiskanen Meriläinen Soini
Lappalainen Aaltonen Rissanen Lindfors Nykänen Takala Parkkinen Forsman Hietanen Harju Tarvainen Koivula Kosonen
Halme Paananen Tähtinen Räty Tanskanen Mäki Kortelainen Lehtimäki Nurminen Kovanen Marttinen Koistinen
Silvennoinen Pekkarinen Ollikainen Mustonen Kuosmanen Viitala Tiihonen Hyttinen Pohjola Haavisto Korhonen
Lindqvist Perälä Auvinen Tervo Pöllänen Karjalainen Saari Mäenpää Virta Koskela Airaksinen Jääskeläinen Salo
Tolonen Makkonen Valkonen Laine Alanen Vesterinen Kivimäki Kemppainen Toivonen Saastamoinen Eskola Kari Karvinen
Andersson Suhonen Niskanen Lilja Hakkarainen Ruuskanen Sipilä Autio Vuorela Hirvonen Konttinen Salomaa Mäkelä
Määttä Saarinen Leppänen Asikainen Tuominen Antikainen Ylitalo Holmberg Lipponen Räisänen Tirkkonen Hartikainen
Ollila Gustafsson Nyman Savolainen Moilanen Lehtola Riihimäki Salmela
"""
    ),
)
